from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from students.models import Teacher
from teaching.models import Lesson
from teaching.timetable.services import Where

REASON_LENGTH = Lesson._meta.get_field("reason").max_length


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self):
        super().__init__(format="%H:%M")


class VoidForm(forms.Form):
    """Asked of a lesson whose register was called, and of no other."""

    voids = forms.BooleanField(
        label="Ne plus compter l'appel, qui est fait",
        required=False,
        help_text="À cocher si la séance n'a pas eu lieu ce jour-là. Les absences ne comptent plus"
        "\u00a0; les familles qui en ont été averties l'apprennent.",
    )

    def __init__(self, *args, is_called=False, **kwargs):
        super().__init__(*args, **kwargs)
        self._voids = self.fields["voids"]
        if not is_called:
            del self.fields["voids"]

    @property
    def confirms(self) -> bool:
        return self.cleaned_data.get("voids", False)

    def refuse(self, error: ValidationError) -> None:
        """What a service raised; the register may have been called since the page was opened."""
        if getattr(error, "code", "") == "called":
            self.fields["voids"] = self._voids
        self.add_error(None, error.messages)


class ReasonForm(VoidForm):
    """To cancel or to restore."""

    reason = forms.CharField(
        label="Motif",
        max_length=REASON_LENGTH,
        required=False,
        help_text="Facultatif. Les familles le lisent.",
    )

    field_order = ["reason", "voids"]


class DespiteMixin(forms.Form):
    """An agent may pass over a conflict, with his reason, which the log keeps."""

    despite = forms.CharField(
        label="Passer outre un conflit, parce que",
        max_length=200,
        required=False,
        help_text="À remplir seulement si un conflit est signalé. Le journal le garde.",
    )


class MoveForm(ReasonForm):
    day = forms.DateField(label="Nouveau jour", widget=DateInput)
    starts_at = forms.TimeField(label="De", widget=TimeInput)
    ends_at = forms.TimeField(label="À", widget=TimeInput)
    room = forms.CharField(
        label="Salle", max_length=50, required=False, help_text="Vide\u00a0: la salle habituelle."
    )

    field_order = ["day", "starts_at", "ends_at", "room", "reason", "despite", "voids"]

    def __init__(self, *args, lesson, **kwargs):
        initial = {
            "day": lesson.starts.date(),
            "starts_at": lesson.starts.time(),
            "ends_at": lesson.ends.time(),
            "room": lesson.room,
        }
        super().__init__(*args, initial=initial, **kwargs)

    def clean(self):
        cleaned = super().clean()
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "Le cours doit finir après avoir commencé.")
        return cleaned

    @property
    def where(self) -> Where:
        data = self.cleaned_data
        return Where(data["day"], data["starts_at"], data["ends_at"], data["room"].strip())


class StaffMoveForm(DespiteMixin, MoveForm):
    pass


class ReplaceForm(DespiteMixin, ReasonForm):
    substitute = forms.ModelChoiceField(Teacher.objects.all(), label="Remplaçant")

    field_order = ["substitute", "reason", "despite"]


class AbsenceForm(forms.Form):
    """Whose lessons, between which days."""

    teacher = forms.ModelChoiceField(Teacher.objects.all(), label="Enseignant absent")
    first = forms.DateField(label="Du", widget=DateInput)
    last = forms.DateField(label="Au", widget=DateInput, help_text="Compris.")

    MOST_DAYS = 200

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and not 0 <= (last - first).days <= self.MOST_DAYS:
            self.add_error(
                "last", f"Le dernier jour suit le premier, de {self.MOST_DAYS} jours au plus."
            )
        return cleaned


class RoomsForm(forms.Form):
    """A day; and, to find a free room, from when to when."""

    jour = forms.DateField(label="Jour", widget=DateInput)
    de = forms.TimeField(label="Libre de", widget=TimeInput, required=False)
    a = forms.TimeField(label="à", widget=TimeInput, required=False)

    def __init__(self, data):
        super().__init__({"jour": timezone.localdate().isoformat(), **data.dict()})
