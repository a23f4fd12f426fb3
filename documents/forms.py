from django import forms
from django.core.exceptions import ValidationError

from documents import services
from documents.enums import REASONS_BY_HAND
from documents.models import Review

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
