"""What a family writes of absences."""

from django import forms
from django.utils import timezone

from students.models import Course
from teaching.absences.services import courses_of
from teaching.models import AbsenceNotice, Justification


class NoticeForm(forms.Form):
    first_on = forms.DateField(
        label="Premier jour",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last_on = forms.DateField(
        label="Dernier jour",
        required=False,
        help_text="Pour un seul jour, laissez vide.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    course = forms.ModelChoiceField(
        label="Cours",
        queryset=Course.objects.none(),
        required=False,
        empty_label="Tous les cours de ces jours",
    )
    reason = forms.CharField(
        label="Motif",
        required=False,
        max_length=AbsenceNotice._meta.get_field("reason").max_length,
        help_text="L'enseignant lit que l'absence est annoncée, sans le motif\u00a0; "
        "l'administration le lit.",
    )

    def __init__(self, student, *args, **kwargs):
        super().__init__(*args, **kwargs)
        courses = courses_of(student).order_by().values("course")
        self.fields["course"].queryset = Course.objects.filter(pk__in=courses)
        self.fields["first_on"].widget.attrs["min"] = timezone.localdate().isoformat()

    def clean(self):
        cleaned = super().clean()
        cleaned["last_on"] = cleaned.get("last_on") or cleaned.get("first_on")
        return cleaned


class JustificationForm(forms.Form):
    text = forms.CharField(
        label="Pourquoi cette absence\u00a0?",
        max_length=Justification._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Seule l'administration le lit\u00a0: ni l'enseignant, ni un autre foyer.",
    )
