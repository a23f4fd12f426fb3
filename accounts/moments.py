"""A moment to the minute, typed as the clocks of Paris show it."""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.dates import day, french_time

FORMAT = "%Y-%m-%dT%H:%M"  # what a browser sends for « datetime-local »


class MomentField(forms.DateTimeField):
    """Cleaned to a moment of Paris, without seconds.

    Raises ValidationError: `invalid`, `seconds`; `missing_hour` and `double_hour` in the two nights
    when the clocks change.
    """

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=FORMAT)

    def to_python(self, value):
        if value in self.empty_values:
            return None
        try:
            typed = dt.datetime.fromisoformat(value)
        except ValueError:
            typed = None
        if typed is None or typed.tzinfo is not None or len(value) < len("2027-05-03T08:00"):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if typed.second or typed.microsecond:
            raise ValidationError("Indiquez l'heure à la minute, sans secondes.", code="seconds")
        return _in_paris(typed)


def _in_paris(typed):
    """The zone's own rules (PEP 495): before and after a change the same hour has two offsets."""
    moment, later = timezone.make_aware(typed), timezone.make_aware(typed.replace(fold=1))
    if moment.utcoffset() == later.utcoffset():
        return moment
    # A missing hour, taken to UTC and back, is another hour; a double one is the same.
    back = moment.astimezone(dt.UTC).astimezone(timezone.get_current_timezone())
    when = f"Le {day(typed)}, {french_time(typed.time())}"
    if back.replace(tzinfo=None) != typed:
        raise ValidationError(
            f"{when} n'existe pas\u00a0: cette nuit-là, les montres avancent d'une heure."
            " Choisissez une autre heure.",
            code="missing_hour",
        )
    raise ValidationError(
        f"{when} a lieu deux fois\u00a0: cette nuit-là, les montres reculent d'une heure."
        " Choisissez une autre heure.",
        code="double_hour",
    )


class WhenForm(forms.Form):
    """When to send what is written: cleaned to `planned_for`, None for now."""

    NOW, LATER = "maintenant", "plus-tard"
    BESIDE = {"past": "planned_for", "too_far": "planned_for"}

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
