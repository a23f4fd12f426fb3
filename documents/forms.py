import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from documents import services
from documents.enums import REASONS_BY_HAND, Formats
from documents.models import Document, Reading, Review
from documents.models.previews import LARGEST_QUOTIENT
from documents.reviewing import Noted

COMMENT_LENGTH = Review._meta.get_field("comment").max_length


class RefusalForm(forms.Form):
    """Why a piece is refused, as the family will read it.

    `services.refuse(document, **form.cleaned_data, actor=…)` writes it. Several on one page take
    a `prefix` each.
    """

    reason = forms.ChoiceField(
        label="Motif du refus",
        choices=[
            ("", "Choisissez un motif"),
            *((each.value, each.label) for each in REASONS_BY_HAND),
        ],
        error_messages={"required": "Choisissez le motif du refus."},
    )
    comment = forms.CharField(
        label="Précision",
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=f"Lue par la famille après le motif, {COMMENT_LENGTH} caractères au plus\u00a0; "
        "obligatoire pour «\u00a0Autre motif\u00a0».",
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.keys() >= {"reason", "comment"}:
            try:
                services.check_refusal(**cleaned)
            except ValidationError as error:
                self.add_error("comment", error)
        return cleaned


class EurosField(forms.DecimalField):
    """« 743 », « 1 034,50 € »: as a document writes it."""

    def __init__(self, **kwargs):
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_digits=8, decimal_places=2, widget=widget, **kwargs)

    def prepare_value(self, value):
        if isinstance(value, str) or value is None:
            return value  # as it was typed
        return f"{value:.2f}".removesuffix(".00").replace(".", ",")

    def to_python(self, value):
        if isinstance(value, str):
            value = re.sub(r"[\s€]", "", value).replace(",", ".")
        return super().to_python(value)


class ReadingForm(forms.Form):
    """The date and the QF of a piece: what was read is proposed, the agent confirms or corrects.

    `noted` is what to write: None unless he ticked the box or typed something else. A photo has
    none of these fields, a piece without a QF only the date.
    """

    issued_on = forms.DateField(
        label="Date du document",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    quotient = EurosField(
        label="Quotient familial",
        required=False,
        min_value=0,
        max_value=LARGEST_QUOTIENT,
        help_text="En euros.",
    )
    quotient_month = forms.DateField(
        label="Mois du quotient",
        required=False,
        input_formats=["%m/%Y", "%m-%Y", "%m%Y"],
        widget=forms.DateInput(
            attrs={"inputmode": "numeric", "autocomplete": "off"}, format="%m/%Y"
        ),
        help_text="Ainsi\u00a0: 05/2026.",
        error_messages={"invalid": "Écrivez le mois ainsi\u00a0: 05/2026."},
    )
    checked = forms.BooleanField(label="J'ai vérifié ces valeurs sur la pièce", required=False)

    error_fields = {}
    default_error_field = "issued_on"

    def __init__(self, document: Document, reading: Reading | None, data=None):
        self.key = "reading"
        super().__init__(data, auto_id="id_reading_%s", initial=_proposed(reading))
        if document.type.formats == Formats.IMAGE:
            self.fields.clear()
        elif not (document.type.shows_quotient or self.initial.get("quotient") is not None):
            del self.fields["quotient"], self.fields["quotient_month"]

    def clean_issued_on(self):
        return _not_to_come(self.cleaned_data["issued_on"])

    def clean_quotient_month(self):
        return _not_to_come(self.cleaned_data["quotient_month"])

    def clean(self):
        cleaned = super().clean()
        if cleaned.keys() >= {"quotient", "quotient_month"}:
            quotient, month = cleaned["quotient"], cleaned["quotient_month"]
            if quotient is not None and month is None:
                self.add_error("quotient_month", "Le quotient familial se note avec son mois.")
            if quotient is None and month is not None:
                self.add_error("quotient", "Indiquez le quotient familial de ce mois.")
        return cleaned

    @property
    def noted(self) -> Noted | None:
        cleaned = self.cleaned_data
        names = [name for name in ("issued_on", "quotient", "quotient_month") if name in cleaned]
        # A field that is empty is no correction: the reading may have come after the page.
        corrected = any(
            cleaned[name] is not None and cleaned[name] != self.initial.get(name) for name in names
        )
        if not corrected and not cleaned.get("checked"):
            return None
        return Noted(
            cleaned.get("issued_on"), cleaned.get("quotient"), cleaned.get("quotient_month")
        )


def _proposed(reading):
    """What an agent has confirmed, else what was read."""
    if reading is None:
        return {}
    if reading.is_confirmed:
        names = ["issued_on", "quotient", "quotient_month"]
        return {name: getattr(reading, name) for name in names}
    month = reading.month_read or (reading.date_read and reading.date_read.replace(day=1))
    return {
        "issued_on": reading.date_read,
        "quotient": reading.quotient_read,
        "quotient_month": month if reading.quotient_read is not None else None,
    }


def _not_to_come(date):
    if date is not None and date > timezone.localdate():
        raise ValidationError("Cette date n'est pas encore venue.")
    return date
