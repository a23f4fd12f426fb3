"""The forms of the régie's desk; the services write."""

import datetime as dt

from django import forms
from django.core.validators import MinValueValidator
from django.utils import timezone

from billing.enums import AT_THE_COUNTER, PaymentMeans, ReminderLevel
from billing.models import Deposit, Invoice, Payment
from billing.money import CENT, ZERO, euros

POSITIVE = "Le montant doit être positif."
COUNTER = [("", "---------"), *((m.value, m.label) for m in map(PaymentMeans, AT_THE_COUNTER))]
LONGEST = 3650  # days


def amount_field(label="Montant (€)", **kwargs):
    return forms.DecimalField(
        label=label,
        max_digits=10,
        decimal_places=2,
        localize=True,  # « 38,50 »
        validators=[MinValueValidator(CENT, POSITIVE)],
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 10}),
        **kwargs,
    )


def day_field(label="Le"):
    return forms.DateField(
        label=label,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        initial=timezone.localdate,
    )


def note_field():
    return forms.CharField(
        label="Note",
        required=False,
        max_length=Payment._meta.get_field("note").max_length,
        widget=forms.TextInput(attrs={"size": 50}),
        help_text="Pour la régie\u00a0; elle est aussi dans la copie de «\u00a0Mes données\u00a0».",
    )


def reference_field(help_text):
    return forms.CharField(
        label="Référence",
        max_length=Deposit._meta.get_field("reference").max_length,
        help_text=help_text,
    )


class PaymentForm(forms.Form):
    """Money that the régie has received, for one invoice or for several."""

    amount = amount_field()
    means = forms.ChoiceField(label="Moyen", choices=COUNTER)
    paid_on = day_field()
    reference = reference_field(
        "Numéro du chèque, du reçu ou du virement\u00a0: "
        "un paiement de même référence n'est jamais enregistré deux fois."
    )
    note = note_field()
    overpaid = forms.BooleanField(
        label="J'accepte un trop-perçu",
        required=False,
        help_text="À cocher si le montant dépasse ce qui reste à payer\u00a0: l'excédent sera à "
        "rembourser ou à reporter.",
    )

    def __init__(self, *args, cash_limit, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["means"].help_text = f"Espèces\u00a0: {euros(cash_limit)} au plus."


class RefundForm(forms.Form):
    amount = amount_field("Montant rendu (€)")
    means = forms.ChoiceField(label="Moyen", choices=COUNTER)
    paid_on = day_field()
    reference = reference_field("Numéro du mandat, du virement ou du chèque.")
    note = note_field()


class BounceForm(forms.Form):
    paid_on = day_field("Rejeté le")
    reference = reference_field("Numéro de l'avis de rejet de la banque.")
    note = note_field()


class AnnulmentForm(BounceForm):
    """Of what was typed in error: it says why."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["paid_on"].label = "Annulé le"
        self.fields["reference"].help_text = "La vôtre\u00a0: chaque mouvement a la sienne."
        self.fields["note"].label, self.fields["note"].required = "Pourquoi", True


class InvoiceChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, invoice):
        return f"{invoice.reference}, {euros(invoice.left)} à payer"


class CarryOverForm(forms.Form):
    target = InvoiceChoiceField(
        label="Vers la facture",
        queryset=Invoice.objects.none(),
        empty_label=None,
        error_messages={"invalid_choice": "Choisissez une facture du foyer, encore à payer."},
    )
    amount = amount_field("Montant reporté (€)")

    def __init__(self, *args, targets, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["target"].queryset = targets


class SplitForm(forms.Form):
    """How a deposit is shared between the invoices of a household; a field for each."""

    def __init__(self, *args, invoices: list[Invoice], **kwargs):
        super().__init__(*args, **kwargs)
        self.invoices = {f"part-{invoice.pk}": invoice for invoice in invoices}
        for name, invoice in self.invoices.items():
            self.fields[name] = amount_field(f"Part de la facture {invoice.reference}")
            self.fields[name].validators = [MinValueValidator(ZERO, POSITIVE)]
            self.fields[name].required = False

    @property
    def rows(self):
        return [(invoice, self[name]) for name, invoice in self.invoices.items()]

    @property
    def parts(self):
        """What was typed, nought left out."""
        return {
            invoice: self.cleaned_data[name]
            for name, invoice in self.invoices.items()
            if self.cleaned_data.get(name)
        }


class PeriodForm(forms.Form):
    """A day or a month of the journal; the month of today if neither is said."""

    jour = forms.DateField(
        label="Jour",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    mois = forms.DateField(
        label="Mois",
        required=False,
        input_formats=["%Y-%m"],
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month"}),
        error_messages={"invalid": "Écrivez le mois ainsi\u00a0: 2026-09."},
    )

    @property
    def period(self) -> tuple[dt.date, dt.date]:
        """First and last day; a day wins over a month."""
        cleaned = self.cleaned_data if self.is_valid() else {}
        if day := cleaned.get("jour"):
            return day, day
        first = (cleaned.get("mois") or timezone.localdate()).replace(day=1)
        following = (first + dt.timedelta(days=32)).replace(day=1)
        return first, following - dt.timedelta(days=1)


def period_query(first: dt.date, is_day: bool) -> str:
    """The address's query of that day, or of its month."""
    return f"jour={first:%Y-%m-%d}" if is_day else f"mois={first:%Y-%m}"


def query_before(first: dt.date, is_day: bool) -> str:
    """The day, or the month, before the one that begins on `first`."""
    eve = first - dt.timedelta(days=1) if first > dt.date.min else first
    return period_query(eve, is_day)


def query_after(last: dt.date, is_day: bool) -> str:
    """The day, or the month, after the one that ends on `last`."""
    morrow = last + dt.timedelta(days=1) if last < dt.date.max else last
    return period_query(morrow, is_day)


class OverdueForm(forms.Form):
    """Which late households to show; read from the address, every field may be left out."""

    jours = forms.IntegerField(
        label="En retard depuis (jours)",
        required=False,
        min_value=1,
        max_value=LONGEST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    montant = amount_field("Au moins (€)", required=False)
    niveau = forms.TypedChoiceField(
        label="Prochaine relance",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "toutes"), *ReminderLevel.choices],
    )

    def filtered(self, households):
        """A field that is wrong filters nothing, and says so on the page."""
        self.is_valid()
        days = self.cleaned_data.get("jours") or 0
        least = self.cleaned_data.get("montant") or ZERO
        level = self.cleaned_data.get("niveau")
        return [
            household
            for household in households
            if household.days >= days
            and household.total >= least
            and (not level or household.level == level)
        ]
