"""What a teacher types of one turn."""

import uuid
from collections.abc import Iterable
from itertools import groupby

from django import forms

from students.models import Enrolment
from teaching.concerts.services import Turn
from teaching.models import ConcertTurn
from teaching.models.concerts import LONGEST
from teaching.repertoire.forms import WorkForm

ENSEMBLE = 60  # students of one turn, at most


class TurnForm(WorkForm):
    students = forms.TypedMultipleChoiceField(
        label="Élèves",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un élève."},
    )
    minutes = forms.IntegerField(
        label="Durée",
        min_value=1,
        max_value=LONGEST,
        help_text="En minutes, installation comprise.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    accompanist = forms.CharField(
        label="Accompagnement",
        required=False,
        max_length=ConcertTurn._meta.get_field("accompanist").max_length,
        help_text="Qui accompagne, s'il y a lieu\u00a0: «\u00a0Jean Morel, piano\u00a0».",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sending = forms.UUIDField(widget=forms.HiddenInput)
    edition = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(
        self,
        *args,
        enrolments: Iterable[Enrolment],
        turn: ConcertTurn | None = None,
        like: ConcertTurn | None = None,
        **kwargs,
    ):
        """`turn`: the one to correct; `like`: whose people play a new one."""
        super().__init__(*args, **kwargs)
        self.enrolments = list(enrolments)
        self.fields["students"].choices = [(each.pk, str(each.student)) for each in self.enrolments]
        if turn:
            del self.fields["sending"]
            names = ("composer", "title", "movement", "minutes", "accompanist", "edition")
            first = {name: getattr(turn, name) for name in names}
        else:
            del self.fields["edition"]
            first = {"sending": uuid.uuid4(), "accompanist": like.accompanist if like else ""}
        if turn or like:
            people = (turn or like).performers.all()
            first["students"] = [each.enrolment_id for each in people]
        self.initial = first | self.initial

    def clean_students(self):
        chosen = self.cleaned_data["students"]
        if len(chosen) > ENSEMBLE:
            raise forms.ValidationError(f"Pas plus de {ENSEMBLE} élèves pour un passage.")
        return chosen

    @property
    def typed(self) -> Turn:
        names = ("composer", "title", "movement", "minutes", "accompanist")
        return Turn(**{name: self.cleaned_data[name] for name in names})

    @property
    def chosen(self) -> list[Enrolment]:
        return [each for each in self.enrolments if each.pk in self.cleaned_data["students"]]

    @property
    def classes(self) -> list[dict]:
        """The students by class, each with its box; a class is unfolded if somebody is chosen."""
        boxes = dict(zip([each.pk for each in self.enrolments], self["students"], strict=True))
        ticked = {str(value) for value in self["students"].value() or []}
        by_class = sorted(self.enrolments, key=lambda each: str(each.slot or each.course))
        groups = [
            {
                "name": name,
                "boxes": [boxes[each.pk] for each in rows],
                "is_open": any(str(each.pk) in ticked for each in rows),
            }
            for name, group in groupby(by_class, key=lambda each: str(each.slot or each.course))
            for rows in [list(group)]
        ]
        if len(groups) == 1:
            groups[0]["is_open"] = True
        return groups

    def take_over(self, edition: int) -> None:
        """Once the other version was shown, sending again means « mine »."""
        self.data = self.data.copy()
        self.data["edition"] = str(edition)
