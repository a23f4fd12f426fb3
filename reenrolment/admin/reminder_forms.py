"""Whom to show of the households that lack a piece."""

import datetime as dt

from django import forms
from django.utils import timezone

from reenrolment.lacking import SENDS_ITSELF, LackingHousehold, Stage

LONGEST_WAIT = 365  # days


class Lacks(forms.Form):
    """Which households to show; read from the address, every field may be left out."""

    LACKS = [("", "manquantes ou refusées"), ("manquante", "manquantes"), ("refusee", "refusées")]

    etape = forms.MultipleChoiceField(
        label="État du dossier",
        choices=Stage.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    pieces = forms.ChoiceField(label="Pièces", choices=LACKS, required=False)
    type = forms.TypedChoiceField(
        label="Type de pièce", required=False, coerce=int, empty_value=None
    )
    depuis = forms.IntegerField(
        label="Sans rappel depuis (jours)",
        required=False,
        min_value=1,
        max_value=LONGEST_WAIT,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, data, households: list[LackingHousehold]):
        # Nothing asked: the dossiers whose families can send the pieces themselves.
        super().__init__(data or {"etape": SENDS_ITSELF})
        types = {p.type for h in households for d in h.dossiers for p in d.pieces}
        named = sorted((each.name, each.pk) for each in types)
        self.fields["type"].choices = [("", "tous"), *((pk, name) for name, pk in named)]

    def filtered(self, households: list[LackingHousehold]) -> list[LackingHousehold]:
        """A field that is wrong filters nothing, and says so on the page."""
        self.is_valid()
        return [household for household in households if self._keeps(household)]

    def _keeps(self, household):
        days = self.cleaned_data.get("depuis")
        last = household.last_reminder
        if days and last and last > timezone.localdate() - dt.timedelta(days=days):
            return False
        stages = self.cleaned_data.get("etape") or Stage.values
        return any(
            self._concerns(piece)
            for each in household.dossiers
            if each.stage in stages
            for piece in each.pieces
        )

    def _concerns(self, piece):
        wanted, kind = self.cleaned_data.get("type"), self.cleaned_data.get("pieces")
        if wanted and piece.type.pk != wanted:
            return False
        return not kind or piece.is_refused == (kind == "refusee")
