"""What a teacher types of a piece, and the suggestions that fill it."""

import uuid

from django import forms

from students.models import Enrolment, RepertoirePiece
from students.repertoire import Played, Suggestion, find, suggest
from teaching.classes.forms import DateInput

SEARCH, CHOOSE = "chercher", "choisir"  # names of buttons that write nothing


def _field(name, **kwargs):
    column = RepertoirePiece._meta.get_field(name)
    return forms.CharField(
        label=column.verbose_name.capitalize(),
        max_length=column.max_length,
        required=not column.blank,
        help_text=column.help_text,
        **kwargs,
    )


def _typing(list_id=""):
    attrs = {"autocomplete": "off", "autocapitalize": "sentences"}
    return forms.TextInput(attrs=attrs | ({"list": list_id} if list_id else {}))


class WorkForm(forms.Form):
    """A composer, a work, a movement; found again among what was typed before."""

    composer = _field("composer", widget=_typing("compositeurs"))
    title = _field("title", widget=_typing())
    movement = _field("movement", widget=_typing())
    suggestions = None  # not asked for

    @classmethod
    def filled(cls, data, **kwargs):
        """The form as it was typed, not judged yet, with the suggestion chosen if there is one."""
        form = cls(**kwargs)
        typed = {
            name: data.getlist(name)
            if isinstance(field, forms.MultipleChoiceField)
            else data.get(name, "")
            for name, field in form.fields.items()
        }
        chosen = find(data.get(CHOOSE, ""))
        if chosen:
            typed["composer"] = chosen.composer
            typed["title"] = chosen.title or typed["title"]
        form.initial = form.initial | typed
        form.suggestions = form.search() if not chosen or not chosen.title else None
        return form

    def search(self) -> list[Suggestion]:
        """Of a form `filled`."""
        return suggest(self.initial["composer"], self.initial["title"])


class PieceForm(WorkForm):
    occasion = _field("occasion", widget=_typing())
    played_on = forms.DateField(label="Date", required=False, widget=DateInput())
    sending = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("sending", uuid.uuid4())

    @property
    def played(self) -> Played:
        names = ("composer", "title", "movement", "occasion", "played_on")
        return Played(**{name: self.cleaned_data[name] for name in names})


class EnsembleForm(PieceForm):
    """The same piece for several students of a class."""

    everybody = forms.BooleanField(label="Toute la classe", required=False)
    students = forms.TypedMultipleChoiceField(
        label="Élèves",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins un élève."},
    )

    def __init__(self, *args, enrolments: list[Enrolment], **kwargs):
        super().__init__(*args, **kwargs)
        self.enrolments = enrolments
        self.fields["students"].choices = [(each.pk, str(each.student)) for each in enrolments]
        self.fields["students"].required = not self.data.get("everybody")

    @property
    def chosen(self) -> list[Enrolment]:
        if self.cleaned_data["everybody"]:
            return self.enrolments
        return [each for each in self.enrolments if each.pk in self.cleaned_data["students"]]


class CorrectionForm(PieceForm):
    edition = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args, piece: RepertoirePiece, **kwargs):
        names = ("composer", "title", "movement", "occasion", "played_on", "edition")
        super().__init__(*args, initial={name: getattr(piece, name) for name in names}, **kwargs)
        del self.fields["sending"]

    def take_over(self, edition: int) -> None:
        """Once the other version was shown, sending again means « mine »."""
        self.data = self.data.copy()
        self.data["edition"] = str(edition)
