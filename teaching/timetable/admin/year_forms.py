"""What the pages of a whole year are asked."""

import datetime as dt

from django import forms
from django.core.exceptions import ValidationError

from students.admin.years import YearForm
from students.enums import Weekday
from teaching.timetable.forms import TimeInput


class YearRoomsForm(YearForm):
    """A year and a site; and, to find a free room, which day, from when to when."""

    jour = forms.TypedChoiceField(
        label="Salle libre le",
        choices=[("", "–"), *Weekday.choices],
        coerce=lambda value: Weekday(int(value)),
        empty_value=None,
        required=False,
    )
    de = forms.TimeField(label="de", widget=TimeInput, required=False)
    a = forms.TimeField(label="à", widget=TimeInput, required=False)

    def clean(self):
        cleaned = super().clean()
        asked = [cleaned.get(name) for name in ("jour", "de", "a")]
        if any(asked) and not all(asked) and not self.errors:
            raise ValidationError(
                "Pour chercher une salle libre, dites le jour et les deux heures.",
                code="incomplete",
            )
        if all(asked) and asked[2] <= asked[1]:
            self.add_error("a", "La fin est après le début.")
        return cleaned

    @property
    def asked(self) -> tuple[Weekday, dt.time, dt.time] | None:
        """The day and the hours at which a room is looked for."""
        if not self.is_valid() or self.cleaned_data["jour"] is None:
            return None
        return tuple(self.cleaned_data[name] for name in ("jour", "de", "a"))
