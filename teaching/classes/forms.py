"""The hour that a teacher fixes for one student."""

from django import forms
from django.core.exceptions import ValidationError

from students.enums import Weekday
from teaching.classes.hours import Wanted
from teaching.models import LessonTime


class TimeInput(forms.TimeInput):
    input_type = "time"


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


class FromDayForm(forms.Form):
    """From when a change counts."""

    from_day = forms.DateField(label="À partir du", widget=DateInput())


class HourForm(forms.Form):
    weekday = forms.TypedChoiceField(label="Jour", coerce=int, choices=Weekday.choices)
    starts_at = forms.TimeField(label="De", widget=TimeInput(format="%H:%M"))
    ends_at = forms.TimeField(label="À", widget=TimeInput(format="%H:%M"))
    room = forms.CharField(
        label="Salle",
        required=False,
        max_length=LessonTime._meta.get_field("room").max_length,
    )
    from_day = forms.DateField(
        label="À partir du",
        widget=DateInput(),
        help_text="Les cours déjà donnés restent à leur ancienne heure.",
    )
    even_so = forms.BooleanField(label="Fixer cet horaire quand même", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.is_doubtful = bool(self.data.get("even_so"))

    @property
    def wanted(self) -> Wanted:
        names = ("weekday", "starts_at", "ends_at", "from_day", "room")
        return Wanted(**{name: self.cleaned_data[name] for name in names})

    @property
    def visible(self):
        """« Quand même » is asked only of who was told of a doubt."""
        return [f for f in self if f.name != "even_so" or self.is_doubtful]

    def refuse(self, error: ValidationError) -> None:
        """Shows what the service refused; a doubt may be passed over."""
        if not hasattr(error, "error_dict"):
            self.is_doubtful = any(each.code == "doubtful" for each in error.error_list)
        self.add_error(None, error)
