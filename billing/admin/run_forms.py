"""The forms of « Facturations groupées », and where a refusal of billing.runs is shown."""

from django import forms
from django.core.exceptions import ValidationError

from billing.enums import InvoiceKind
from billing.models import InvoiceRun
from billing.runs import planning
from billing.runs.controlling import GAP, View

FIELD_OF = {  # where a refusal of planning is shown
    "due_date_past": "due_on",
    "published_out_of_order": "published_on",
    "closed_before_due": "online_until",
}


class RunForm(forms.ModelForm):
    """A run to prepare; `planning.check` has the last word, before anything is written."""

    class Meta:
        model = InvoiceRun
        fields = ["establishment", "kind", "school_year", "label", "billed", *planning.DATES]
        help_texts = {
            "kind": "Les droits d'inscription, par la grille\u00a0; ou les loyers des instruments,"
            " par leurs contrats.",
            "label": "Pour les agents. Vide\u00a0: le genre, «\u00a0Cotisations\u00a0» ou"
            " «\u00a0Locations\u00a0».",
            "parts": "Chaque mois à compter de la première échéance.",
            "published_on": "Vide\u00a0: le jour de l'émission. Le message aux familles part ce"
            " jour-là.",
            "due_on": "La première échéance, s'il y en a.",
            "online_until": "Vide\u00a0: la dernière échéance.",
            "counter_until": "Vide\u00a0: la dernière échéance.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["label"].required = False

    def clean(self):
        cleaned = super().clean()
        if not cleaned.get("label") and cleaned.get("kind"):
            cleaned["label"] = f"{InvoiceKind(cleaned['kind']).label.capitalize()}s"
        if not self.errors:
            refuse_in(self, planning.check, InvoiceRun(**cleaned))
        return cleaned


class DatesForm(forms.ModelForm):
    class Meta:
        model = InvoiceRun
        fields = planning.DATES
        help_texts = RunForm.Meta.help_texts
        widgets = {
            name: forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            for name in planning.DATES
            if name != "parts"
        }


class ViewForm(forms.Form):
    """What is listed; anything else than a choice lists all."""

    voir = forms.ChoiceField(label="Voir", choices=View.choices, required=False)
    ecart = forms.IntegerField(
        label="Écart avec l'an dernier de plus de (%)", min_value=1, max_value=1000, required=False
    )

    @property
    def view(self) -> View:
        return View(self.cleaned_data.get("voir") or "")

    @property
    def gap(self) -> int:
        return self.cleaned_data.get("ecart") or GAP


class ConfirmForm(forms.Form):
    """`expected` is what the page showed: nobody issues what he has not read."""

    expected = forms.IntegerField(widget=forms.HiddenInput)
    confirm = forms.BooleanField(
        label="J'ai contrôlé ces factures\u00a0: elles peuvent être émises.",
        error_messages={"required": "Cochez cette case pour émettre."},
    )


def refuse_in(form: forms.Form, service, *args, **kwargs) -> bool:
    """Calls the service; its refusal is shown beside the field that it is about. True if none."""
    try:
        service(*args, **kwargs)
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            field = FIELD_OF.get(getattr(error, "code", None))
            form.add_error(field if field in form.fields else None, error)
        return False
    return True
