"""The forms of the reminders of pieces: whom to show, what to write, when to send."""

import datetime as dt

from django import forms
from django.utils import timezone

from reenrolment.admin.moments import MomentField
from reenrolment.lacking import SENDS_ITSELF, LackingHousehold, Stage
from reenrolment.models import WORD_LENGTH

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


class _WordField(forms.CharField):
    def to_python(self, value):
        """A line's end counts for one, as the browser's own counter has it."""
        return super().to_python(value).replace("\r\n", "\n")


class ReminderForm(forms.Form):
    """Cleaned to `word` and `planned_for`, None for now."""

    NOW, LATER = "maintenant", "plus-tard"
    error_fields = {"past": "planned_for", "too_far": "planned_for"}

    word = _WordField(
        label="Un mot du secrétariat (facultatif)",
        required=False,
        max_length=WORD_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"{WORD_LENGTH} caractères au plus, lus par tous les foyers choisis\u00a0:"
        " n'y nommez personne.",
    )
    when = forms.ChoiceField(
        label="Envoyer",
        choices=[(NOW, "maintenant"), (LATER, "à un moment choisi")],
        widget=forms.RadioSelect,
        error_messages={"required": "Dites quand envoyer ce rappel."},
    )
    planned_for = MomentField(
        label="Date et heure", required=False, help_text="À l'heure de Paris, à la minute."
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("when") == self.NOW:
            self.errors.pop("planned_for", None)
            cleaned["planned_for"] = None
            return cleaned
        is_asked = cleaned.get("when") == self.LATER and "planned_for" not in self.errors
        if is_asked and not cleaned.get("planned_for"):
            self.add_error("planned_for", "Choisissez la date et l'heure.")
        return cleaned
