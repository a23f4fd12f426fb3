"""Shapes of what the régie types of its tariffs."""

from decimal import Decimal

from django import forms
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.core.exceptions import ValidationError
from django.forms import inlineformset_factory

from accounts.admin_forms import OwnRowsFormSet
from billing.models.tariff_rows import TariffFee, TariffModifier, TariffRate, TariffRental
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs.enums import Rounding
from students.models import SchoolYear

SAME_CASE = "Ce cas a déjà son tarif, plus haut dans la page."
CASE = ["zone", "audience", "band_low", "band_high", "rank"]


def _number(label, size=7):
    """« 603,00 », typed with a comma or a dot."""
    return forms.TextInput(attrs={"size": size, "inputmode": "decimal", "aria-label": label})


def _whole(label):
    return forms.TextInput(attrs={"size": 3, "inputmode": "numeric", "aria-label": label})


class TariffCategoryForm(forms.ModelForm):
    """What it comprises is of the same establishment, and not itself."""

    class Meta:
        model = TariffCategory
        fields = ["establishment", "code", "label", "position", "includes", "once"]
        widgets = {"includes": forms.CheckboxSelectMultiple}

    def clean(self):
        cleaned = super().clean()
        site = cleaned.get(
            "establishment", self.instance.establishment_id and self.instance.establishment
        )
        for each in cleaned.get("includes", ()):
            if each.pk == self.instance.pk or each.establishment != site:
                self.add_error(
                    "includes",
                    ValidationError(
                        "Choisissez d'autres catégories du même établissement.", code="elsewhere"
                    ),
                )
                break
        return cleaned


class TariffGridForm(forms.ModelForm):
    deliberation_url = forms.URLField(
        widget=AdminURLFieldWidget,
        label="Lien vers la délibération",
        required=False,
        assume_scheme="https",
        help_text="Une adresse en https://, celle de la délibération publiée par la ville.",
    )


class ModifierForm(forms.ModelForm):
    class Meta:
        model = TariffModifier
        fields = [
            *["position", "reason", "label", "percent", "amount", "from_rank", "to_rank"],
            *["codes", "keeps_floor", "categories"],
        ]
        localized_fields = ["percent", "amount"]
        widgets = {
            "position": _whole("ordre"),
            "percent": _number("pourcentage", 6),
            "amount": _number("montant", 6),
            "from_rank": _whole("à partir du rang"),
            "to_rank": _whole("jusqu'au rang"),
            "reason": forms.Select(attrs={"aria-label": "motif"}),
            "codes": forms.TextInput(attrs={"size": 11, "aria-label": "situations"}),
            "label": forms.TextInput(attrs={"size": 22, "aria-label": "libellé"}),
            "categories": forms.CheckboxSelectMultiple,
        }


class FeeForm(forms.ModelForm):
    class Meta:
        model = TariffFee
        fields = ["label", "amount", "per"]
        localized_fields = ["amount"]
        widgets = {
            "label": forms.TextInput(attrs={"size": 40, "aria-label": "libellé"}),
            "amount": _number("montant"),
            "per": forms.Select(attrs={"aria-label": "dû"}),
        }


class RentalForm(forms.ModelForm):
    class Meta:
        model = TariffRental
        fields = ["instrument", "amount", "deposit", "pro_rata"]
        localized_fields = ["amount", "deposit"]
        widgets = {
            "instrument": forms.TextInput(attrs={"size": 25, "aria-label": "instrument"}),
            "amount": _number("montant par an"),
            "deposit": _number("caution"),
        }


class RateForm(forms.ModelForm):
    class Meta:
        model = TariffRate
        fields = [*CASE, "amount", "effort_percent", "effort_floor", "effort_ceiling"]
        localized_fields = [
            *["band_low", "band_high"],
            *["amount", "effort_percent", "effort_floor", "effort_ceiling"],
        ]
        widgets = {
            "zone": forms.Select(attrs={"aria-label": "zone"}),
            "audience": forms.Select(attrs={"aria-label": "public"}),
            "band_low": _number("QF à partir de"),
            "band_high": _number("QF jusqu'à, exclu"),
            "rank": _whole("rang de l'élève"),
            "amount": _number("montant"),
            "effort_percent": _number("taux d'effort", 5),
            "effort_floor": _number("plancher"),
            "effort_ceiling": _number("plafond"),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["zone"].choices = [("", "toutes"), *self.fields["zone"].choices[1:]]


class BaseRateFormSet(OwnRowsFormSet):
    """The rates of one category; two of the same case are told beside the second."""

    def __init__(self, *args, category, **kwargs):
        self.category = category
        super().__init__(*args, **kwargs)

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.instance.category = self.category
        form.fields["DELETE"].widget.attrs["aria-label"] = "ôter cette ligne"

    def clean(self):
        super().clean()
        seen = set()
        for form in self.forms:
            if not hasattr(form, "cleaned_data") or form.errors or not form.has_changed():
                if form.instance.pk and not form.errors:
                    seen.add(_case_of(form.instance))
                continue
            if form.cleaned_data.get("DELETE"):
                continue
            case = _case_of(form.instance)
            if case in seen:
                form.add_error("zone", ValidationError(SAME_CASE, code="same_case"))
            seen.add(case)


RateFormSet = inlineformset_factory(
    TariffGrid, TariffRate, form=RateForm, formset=BaseRateFormSet, extra=4
)


class DuplicateForm(forms.Form):
    """« Préparer la grille de l'année suivante »."""

    school_year = forms.ModelChoiceField(SchoolYear.objects.all(), label="Année scolaire")
    label = forms.CharField(
        label="Nom de la nouvelle grille",
        max_length=100,
        widget=forms.TextInput(attrs={"size": 40}),
    )
    percent = forms.DecimalField(
        label="Augmentation (%)",
        localize=True,
        min_value=-100,
        max_value=100,
        max_digits=5,
        decimal_places=2,
        initial=0,
        widget=_number("augmentation"),
        help_text="0\u00a0: les mêmes montants\u00a0; un nombre négatif les baisse.",
    )
    rounding = forms.TypedChoiceField(
        label="Arrondir", choices=Rounding, coerce=Decimal, initial=Rounding.CENT
    )


class ShortenForm(forms.Form):
    valid_until = forms.DateField(
        label="Dernier jour de validité",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class CourseCategoryForm(forms.Form):
    """A select for each course of a year; the names of the fields are the courses' keys."""

    def __init__(self, *args, rows, categories, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [("", "– sans catégorie –"), *((each.pk, each.label) for each in categories)]
        self.proposed = {str(course.pk) for course, _, is_proposed in rows if is_proposed}
        for course, key, _ in rows:
            self.fields[f"cours-{course.pk}"] = forms.TypedChoiceField(
                label=course.name,
                choices=choices,
                coerce=int,
                empty_value=None,
                required=False,
                initial=key or "",
            )

    @property
    def chosen(self) -> dict[int, int | None]:
        return {int(name.removeprefix("cours-")): key for name, key in self.cleaned_data.items()}


def _case_of(rate):
    return (rate.zone, rate.audience, rate.band_low, rate.band_high, rate.rank)
