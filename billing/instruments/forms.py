"""The forms of the park's pages: shape only, the services judge."""

import datetime as dt

from django import forms
from django.utils import timezone

from billing.instruments.enums import Condition
from billing.instruments.prices import MONTHS, Price
from billing.models import Instrument, Rental
from students.models import Custody, SchoolYear

DUE_IN = dt.timedelta(days=30)  # proposed for a draft; the agent sets the date
YEARLY_END = (6, 30)  # proposed: most rentals end with the lessons


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs):
        super().__init__(attrs=attrs, format="%Y-%m-%d")


def day_field(label, **kwargs):
    return forms.DateField(
        label=label,
        widget=DayInput(),
        error_messages={"required": "Donnez une date.", "invalid": "Cette date n'existe pas."},
        **kwargs,
    )


class EurosField(forms.DecimalField):
    """« 1 234,50 € » as people write it, with or without its spaces and its sign."""

    def to_python(self, value):
        if isinstance(value, str):
            value = "".join(value.split()).removesuffix("€")
        return super().to_python(value)


def euros_field(label, **kwargs):
    return EurosField(
        label=label,
        min_value=0,
        max_digits=10,
        decimal_places=2,
        localize=True,  # « 38,50 »
        widget=forms.TextInput(attrs={"size": 9, "inputmode": "decimal"}),
        error_messages={
            "required": "Donnez un montant.",
            "min_value": "Un montant n'est pas négatif.",
        },
        **kwargs,
    )


def condition_field(label="État de l'instrument"):
    return forms.ChoiceField(label=label, choices=Condition.choices, widget=forms.RadioSelect)


def text_field(label, *, length, **kwargs):
    return forms.CharField(
        label=label,
        max_length=length,
        error_messages={"required": "Remplissez ce champ."},
        **kwargs,
    )


class InstrumentForm(forms.ModelForm):
    class Meta:
        model = Instrument
        fields = [
            *["establishment", "inventory_number", "kind", "size", "brand", "model"],
            *["serial_number", "condition", "value", "bought_on", "notes"],
        ]
        field_classes = {"value": EurosField}
        localized_fields = ["value"]
        widgets = {
            "bought_on": DayInput(),
            "value": forms.TextInput(attrs={"size": 9, "inputmode": "decimal"}),
            "notes": forms.Textarea(attrs={"rows": 3}),
        }


class StepForm(forms.Form):
    """One step of a row: `row` is an instrument or a rental, as it stood when it was read."""

    def __init__(self, row, data=None):
        super().__init__(data, initial=self.initial_of(row))

    def initial_of(self, row) -> dict:
        return {"on": timezone.localdate()}


# --- An instrument ----------------------------------------------------------------------------


class RetireForm(StepForm):
    on = day_field("Hors service depuis le")


class ReinstateForm(StepForm):
    """Nothing to say."""


class RepairForm(StepForm):
    starts_on = day_field("Depuis le")
    ends_on = day_field("Retour prévu le", required=False, help_text="Vide s'il n'est pas connu.")
    workshop = text_field("Atelier", length=120, required=False)
    reason = text_field("Motif", length=200)

    def initial_of(self, row):
        return {"starts_on": timezone.localdate()}


class RepairedForm(StepForm):
    on = day_field("Revenu le")
    condition = condition_field("État au retour")

    def initial_of(self, row):
        return super().initial_of(row) | {"condition": row.condition}


class CustodyChoice(forms.ModelChoiceField):
    """A student and the household that rents, told apart by its address."""

    def label_from_instance(self, custody):
        student, family = custody.student, custody.family
        born = f"{student.birth_date:%d/%m/%Y}"
        return f"{student} ({born}) – foyer {family}, {family.address}, {family.commune.name}"


class RentForm(forms.Form):
    """Whom the instrument is reserved for, the days, the amounts.

    `custodies` are those of the students found; `price` what the grid proposes.
    """

    custody = CustodyChoice(
        Custody.objects.none(),
        label="Élève, et foyer qui loue",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez un élève.",
            "invalid_choice": "Choisissez un des élèves trouvés.",
        },
    )
    starts_on = day_field("Du")
    ends_on = day_field("Au", help_text="Le jour où l'instrument est attendu, compris.")
    rent = euros_field("Loyer d'une année entière (€)")
    months = forms.IntegerField(
        label="Mois d'une année entière",
        min_value=1,
        max_value=12,
        help_text="Tout mois commencé est dû, sans dépasser ce nombre.",
        widget=forms.TextInput(attrs={"size": 3, "inputmode": "numeric"}),
    )
    deposit = euros_field(
        "Dépôt de garantie (€)", help_text="Rendu au retour\u00a0: aucune facture ne le porte."
    )

    def __init__(self, custodies, price: Price | None, data=None):
        super().__init__(data, initial=_proposed(price))
        self.fields["custody"].queryset = custodies


def _proposed(price):
    today = timezone.localdate()
    year = SchoolYear.objects.current()
    amounts = {"months": price.months if price else MONTHS}
    if price:
        amounts |= {"rent": price.rent, "deposit": price.deposit}
    if year is None:
        return amounts | {"starts_on": today}
    end = dt.date(year.ends_on.year, *YEARLY_END)
    return amounts | {"starts_on": today, "ends_on": end if end > today else year.ends_on}


# --- A rental ---------------------------------------------------------------------------------


class InsureForm(StepForm):
    insurer = text_field("Compagnie", length=100)
    policy_number = text_field("Numéro du contrat", length=60)
    insured_until = day_field("Valable jusqu'au")

    def initial_of(self, rental):
        names = ["insurer", "policy_number", "insured_until"]
        return {name: getattr(rental, name) for name in names}


class HandOverForm(StepForm):
    on = day_field("Remis le")
    condition = condition_field("État à la remise")
    note = text_field(
        "Ce qui l'accompagne, ce que l'on voit",
        length=500,
        required=False,
        help_text="Archet, étui, rayures… Inscrit au journal, la famille peut le lire.",
    )

    def initial_of(self, rental):
        return super().initial_of(rental) | {"condition": rental.instrument.condition}


class TakeBackForm(HandOverForm):
    on = day_field("Rendu le")
    condition = condition_field("État au retour")


class ExtendForm(StepForm):
    ends_on = day_field("Jusqu'au", help_text="Compris, dans la même année scolaire.")

    def initial_of(self, rental: Rental):
        return {"ends_on": rental.school_year.ends_on}


class CancelForm(StepForm):
    reason = text_field("Motif", length=500)


class ReceiveDepositForm(StepForm):
    on = day_field("Reçu le")
    reference = text_field(
        "Référence", length=50, help_text="Par exemple «\u00a0chèque 1234567\u00a0»."
    )


class GiveBackDepositForm(StepForm):
    on = day_field("Rendu le")


class KeepDepositForm(StepForm):
    on = day_field("Décidé le")
    amount = euros_field("Montant gardé (€)", help_text="Le reste est rendu au foyer.")
    reason = text_field("Motif", length=300, help_text="La famille le lit.")

    def initial_of(self, rental):
        return super().initial_of(rental) | {"amount": rental.deposit}


class DraftInvoiceForm(StepForm):
    due_on = day_field("À payer jusqu'au")

    def initial_of(self, rental):
        return {"due_on": timezone.localdate() + DUE_IN}
