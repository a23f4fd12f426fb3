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
