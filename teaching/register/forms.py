"""What the page of a register sends: a mark for each student, and what they were made on."""

import re
import uuid

from django import forms

from teaching.enums import Presence
from teaching.models.register import MAX_MINUTES, NOTE_LENGTH
from teaching.register.marks import Mark, read
from teaching.register.selectors import Line, Sheet

_KIND = re.compile(r"e(\d{1,18})-kind", re.ASCII)
NOTED = [kind.value for kind in Presence if kind != Presence.PRESENT]


class SendingForm(forms.Form):
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)


class MarkForm(forms.Form):
    """Of one student; `was` is what the page showed when it was opened."""

    kind = forms.ChoiceField(
        label="Présence", choices=Presence, widget=forms.RadioSelect, required=False
    )
    minutes = forms.IntegerField(
        label="Minutes de retard",
        required=False,
        min_value=1,
        max_value=MAX_MINUTES,
        error_messages={
            "invalid": "Un nombre de minutes.",
            "min_value": "Au moins une minute.",
            "max_value": f"{MAX_MINUTES} minutes au plus.",
        },
    )
    note = forms.CharField(label="Remarque", required=False, max_length=NOTE_LENGTH)
    was = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, line: Line, data=None, *, shown: Mark | None = None, **kwargs):
        self.line = line
        self.theirs = ""  # what somebody else wrote meanwhile, in words
        shown = shown or line.mark
        initial = {"kind": shown.kind, "minutes": shown.minutes, "note": shown.note}
        initial["was"] = line.mark.written()
        super().__init__(data, prefix=f"e{line.enrolment.pk}", initial=initial, **kwargs)

    @property
    def mark(self) -> Mark | None:
        """What was chosen; None of a student who was not on the page."""
        cleaned = self.cleaned_data
        if not cleaned["kind"]:
            return None
        kind = Presence(cleaned["kind"])
        minutes = cleaned["minutes"] if kind == Presence.LATE else None
        return Mark(kind, minutes, cleaned["note"])

    @property
    def opened_with(self) -> Mark | None:
        return read(self.cleaned_data["was"])


class RegisterForm:
    """The whole page: `data` is what was posted, None to show the sheet as it stands."""

    def __init__(self, sheet: Sheet, data=None):
        self.sheet = sheet
        self.data = data
        fresh = {"version": sheet.version, "key": uuid.uuid4()}
        self.sending = SendingForm(data, initial=fresh)
        self.lines = [MarkForm(line, data) for line in sheet.lines]

    def is_valid(self) -> bool:
        valid = [form.is_valid() for form in (self.sending, *self.lines)]  # each says its errors
        return all(valid)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(id of a field, sentence): for layout/_error_summary.html."""
        return [
            (form[name].auto_id, f"{form.line.enrolment.student}\u00a0: {sentence}")
            for form in self.lines
            for name, sentences in form.errors.items()
            for sentence in sentences
        ]

    @property
    def marks(self) -> dict[int, Mark]:
        """Those of students who are not expected too: the service counts them."""
        found = {form.line.enrolment.pk: form.mark for form in self.lines if form.mark}
        return found | {pk: Mark(Presence.ABSENT) for pk in self._elsewhere() if pk not in found}

    def _elsewhere(self):
        """Keys that are noted and that the sheet does not hold."""
        ours = {form.line.enrolment.pk for form in self.lines}
        for name, value in self.data.items():
            named = _KIND.fullmatch(name)
            if named and value in NOTED and int(named[1]) not in ours:
                yield int(named[1])

    def after_conflict(self) -> "RegisterForm":
        """The same page on the sheet as it stands now: what one chose is kept, what one had not
        touched follows what the others wrote, and each difference is shown."""
        page = RegisterForm(self.sheet)
        page.lines = [_compared(form) for form in self.lines]
        return page


def _compared(form):
    mine, theirs = form.mark or form.line.mark, form.line.mark
    touched = form.opened_with is None or mine != form.opened_with
    shown = MarkForm(form.line, shown=mine if touched else theirs)
    if mine != theirs:
        shown.theirs = theirs.words
        shown.mine = mine.words
        shown.is_mine = touched
    return shown
