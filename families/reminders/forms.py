"""What to write to the households that are chosen, and when to send it."""

from django import forms

from accounts.moments import WhenForm
from families.reminders.models import WORD_LENGTH


class _WordField(forms.CharField):
    def to_python(self, value):
        """A line's end counts for one, as the browser's own counter has it."""
        return super().to_python(value).replace("\r\n", "\n")


class ReminderForm(WhenForm):
    """Cleaned to `word` and `planned_for`, None for now."""

    BESIDE = WhenForm.BESIDE | {"max_length": "word"}
    field_order = ["word"]

    word = _WordField(
        required=False,
        max_length=WORD_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"{WORD_LENGTH} caractères au plus, lus par tous les foyers choisis\u00a0:"
        " n'y nommez personne.",
    )

    def __init__(self, data=None, *, whose: str):
        """`whose` says whose word it is: « de la régie »."""
        super().__init__(data)
        self.fields["word"].label = f"Un mot {whose} (facultatif)"
