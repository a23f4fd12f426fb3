"""What a teacher, an agent, a responsable type of announcements."""

import uuid

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError

from accounts.moments import WhenForm
from students.enums import Cycle
from teaching.enums import AnnouncementKind
from teaching.models import Announcement
from teaching.models.announcements import MOST_FILES, SUBJECT_LENGTH, TEXT_LENGTH

KINDS = [
    (
        AnnouncementKind.SERVICE.value,
        "Information de service\u00a0: un cours, une salle, une fermeture. Nul ne peut la refuser.",
    ),
    (
        AnnouncementKind.LIFE.value,
        "Vie du conservatoire\u00a0: un concert, un événement. Qui ne veut pas de ces e-mails le "
        "lira sur le site.",
    ),
]


class Text(forms.CharField):
    """A line's end counts for one, as the browser's own counter has it."""

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")


class ManyFiles(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data, files, name):
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name)


class FilesField(forms.FileField):
    """Cleaned to the list of the files received, whole: their name and their bytes."""

    widget = ManyFiles

    def clean(self, data, initial=None):
        files = [each for each in data or [] if each]
        return [(each.name, each.read()) for each in files]


class KeyField(forms.UUIDField):
    """The page's own; nonsense is none."""

    widget = forms.HiddenInput

    def clean(self, value):
        try:
            return super().clean(value)
        except ValidationError:
            return None


class AnnouncementForm(forms.Form):
    """What a teacher writes to a class; `typed` is what is right of it, whatever is wrong."""

    key = KeyField(required=False)
    subject = forms.CharField(
        label="Objet",
        max_length=SUBJECT_LENGTH,
        error_messages={"required": "Indiquez l'objet du message."},
    )
    text = Text(
        label="Texte",
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=f"{TEXT_LENGTH} caractères au plus. Toutes les familles de la classe le lisent"
        "\u00a0: n'y parlez pas d'un élève en particulier.",
        error_messages={"required": "Écrivez le texte du message."},
    )
    kind = forms.ChoiceField(
        label="Nature",
        choices=KINDS,
        widget=forms.RadioSelect,
        error_messages={"required": "Dites de quelle nature est ce message."},
    )
    files = FilesField(
        label="Pièces jointes",
        required=False,
        widget=ManyFiles(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
        help_text=f"{MOST_FILES} fichiers au plus, PDF, JPEG ou PNG, de 2\u00a0Mo chacun\u00a0; "
        "un nom sans accents ni caractères spéciaux.",
    )

    @property
    def sent_key(self) -> uuid.UUID:
        """The page's own, else a new one: a page without it, or with nonsense."""
        return self.cleaned_data.get("key") or uuid.uuid4()

    @property
    def is_begun(self) -> bool:
        """Once cleaned: is there anything to keep?"""
        return any(self.typed.values()) or bool(self.cleaned_data.get("files"))

    @property
    def typed(self) -> dict[str, str]:
        """Once cleaned, what is right: it is kept even if the rest is not."""
        names = ("subject", "text", "kind")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}


class FileForm(forms.Form):
    """One file, in the administration."""

    file = forms.FileField(
        label="Joindre un fichier",
        help_text="PDF, JPEG ou PNG de 2\u00a0Mo au plus, d'un nom sans accents ni caractères "
        "spéciaux.",
        error_messages={"required": "Choisissez un fichier."},
    )


class SendForm(WhenForm):
    """Cleaned to `edition`, what was read, and `planned_for`, None for now."""

    edition = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class StaffForm(forms.ModelForm):
    """What the administration writes, and whom it aims at."""

    subject = forms.CharField(label="Objet", max_length=SUBJECT_LENGTH, widget=AdminTextInputWidget)
    text = Text(
        label="Texte",
        max_length=TEXT_LENGTH,
        widget=AdminTextareaWidget(attrs={"rows": 12}),
        help_text=f"{TEXT_LENGTH} caractères au plus\u00a0; du texte, sans mise en forme.",
    )
    kind = forms.ChoiceField(label="Nature", choices=KINDS, widget=forms.RadioSelect)
    cycles = forms.MultipleChoiceField(
        label="Familles de ces cycles",
        choices=Cycle,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Avec des disciplines choisies, seulement ces cycles de ces disciplines.",
    )

    class Meta:
        model = Announcement
        fields = [
            *["establishment", "school_year", "kind", "subject", "text", "signed"],
            *["everyone", "to_teachers", "courses", "slots", "classes_of", "disciplines", "cycles"],
        ]

    def clean(self):
        cleaned = super().clean()
        site, year = cleaned.get("establishment"), cleaned.get("school_year")
        if site and year:
            for name, course_of in (("courses", lambda each: each), ("slots", _course_of)):
                self._check_where(name, course_of, site, year)
        aims = ["everyone", "to_teachers", "courses", "slots", "classes_of", "disciplines"]
        if not self.errors and not any(cleaned.get(name) for name in [*aims, "cycles"]):
            self.add_error(
                "everyone", "Dites à qui s'adresse ce message\u00a0: cochez, ou choisissez."
            )
        return cleaned

    def _check_where(self, name, course_of, site, year):
        for each in self.cleaned_data.get(name) or []:
            course = course_of(each)
            if (course.establishment_id, course.school_year_id) != (site.pk, year.pk):
                self.add_error(
                    name, f"«\u00a0{each}\u00a0» n'est pas de cet établissement, ou de cette année."
                )


def _course_of(slot):
    return slot.course


class PreferenceForm(forms.Form):
    news = forms.BooleanField(
        label="Recevoir par e-mail les messages de la vie du conservatoire",
        required=False,
        help_text="Concerts, événements, association des parents. Sans e-mail, vous les lisez ici.",
    )
