"""What to write to the households that are chosen, and when to send it."""

from django import forms
from django.core.exceptions import ValidationError

from accounts.moments import MomentField
from families.reminders.models import WORD_LENGTH


class _WordField(forms.CharField):
    def to_python(self, value):
        """A line's end counts for one, as the browser's own counter has it."""
        return super().to_python(value).replace("\r\n", "\n")


class ReminderForm(forms.Form):
    """Cleaned to `word` and `planned_for`, None for now."""

    NOW, LATER = "maintenant", "plus-tard"
    BESIDE = {"past": "planned_for", "too_far": "planned_for", "max_length": "word"}

    word = _WordField(
        required=False,
        max_length=WORD_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"{WORD_LENGTH} caractères au plus, lus par tous les foyers choisis\u00a0:"
        " n'y nommez personne.",
    )
    when = forms.ChoiceField(
        label="Envoyer",
        choices=[(NOW, "maintenant"), (LATER, "à un moment choisi")],
        initial=NOW,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites quand envoyer ce message."},
    )
    planned_for = MomentField(
        label="Date et heure", required=False, help_text="À l'heure de Paris, à la minute."
    )

    def __init__(self, data=None, *, whose: str):
        """`whose` says whose word it is: « de la régie »."""
        super().__init__(data)
        self.fields["word"].label = f"Un mot {whose} (facultatif)"

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

    def refuse(self, error: ValidationError) -> None:
        """Says what the service refuses, beside the field that it is about if there is one."""
        self.add_error(self.BESIDE.get(getattr(error, "code", None)), error)
