"""Absences to justify, repeated ones, and those that families announced: the administration's."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.views.decorators.http import require_http_methods, require_safe

from accounts.admin import (
    OwnEstablishmentsMixin,
    ReadOnlyAdminMixin,
    SortNameSearchMixin,
    SpreadsheetAdminMixin,
    permission_required,
)
from accounts.admin_filters import SiteFilter, sites_shown
from accounts.dates import day, moment
from accounts.selectors import establishments_of
from students.models import Course, Teacher
from students.selectors import students_of
from teaching.absences import selectors, services
from teaching.absences.lists import AbsenceList
from teaching.enums import AbsenceState, Presence, Verdict
from teaching.models import Absence, AbsenceNotice, Register

VIEW, DECIDE = "teaching.view_absence", "teaching.decide_absence"


class StateFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return AbsenceState.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """Whoever is present is no absence: what was corrected is not in the list."""

    title = "nature"
    parameter_name = "nature"

    def lookups(self, request, model_admin):
        return [choice for choice in Presence.choices if choice[0] != Presence.PRESENT]

    def queryset(self, request, queryset):
        chosen = self.value() if self.value() in dict(self.lookup_choices) else None
        return queryset.filter(kind=chosen) if chosen else queryset


class CourseFilter(admin.SimpleListFilter):
    """Those of the sites shown whose register was ever called."""

    title = "cours"
    parameter_name = "cours"

    def lookups(self, request, model_admin):
        called = Register.objects.filter(course=OuterRef("pk"))
        courses = Course.objects.filter(Exists(called), establishment__in=sites_shown(request))
        courses = courses.select_related("school_year").order_by("-school_year", "sort_name", "pk")
        return [(str(course.pk), f"{course} – {course.school_year}") for course in courses]

    def queryset(self, request, queryset):
        chosen = self.value() if self.value() in dict(self.lookup_choices) else None
        return queryset.filter(enrolment__course=chosen) if chosen else queryset


class TeacherFilter(admin.SimpleListFilter):
    """Those who called a register of the sites shown."""

    title = "enseignant"
    parameter_name = "enseignant"

    def lookups(self, request, model_admin):
        called = Register.objects.filter(
            teacher=OuterRef("pk"), course__establishment__in=sites_shown(request)
        )
        return [(str(each.pk), str(each)) for each in Teacher.objects.filter(Exists(called))]

    def queryset(self, request, queryset):
        chosen = self.value() if self.value() in dict(self.lookup_choices) else None
        return queryset.filter(register__teacher=chosen) if chosen else queryset


@admin.register(Absence)
class AbsenceAdmin(
    ReadOnlyAdminMixin,
    SpreadsheetAdminMixin,
    OwnEstablishmentsMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    """Written by registers; answered here."""

    spreadsheet = AbsenceList
    establishment_lookup = "enrolment__course__establishment"
    change_list_template = "admin/teaching/absence/change_list.html"
    change_form_template = "admin/teaching/absence/change_form.html"
    list_display = ["held_on", "student", "course", "teacher", "kind_words", "state_words"]
    list_filter = [SiteFilter, StateFilter, KindFilter, CourseFilter, TeacherFilter]
    search_fields = ["enrolment__student__sort_name"]
    search_help_text = "Nom de l'élève"
    date_hierarchy = "register__held_on"
    fields = readonly_fields = [
        *["held_on", "student", "course", "teacher", "kind_words", "announced", "note"],
        *["state_words", "said"],
    ]
    actions = ["accept"]

    def get_queryset(self, request):
        return super().get_queryset(request).live().with_state().for_list()

    def get_urls(self):
        wrap = self.admin_site.admin_view
        answer = permission_required(DECIDE)(self.answer)
        return [
            path("repetees/", wrap(_repeated), name="teaching_absence_repeated"),
            path("<int:pk>/repondre/", wrap(answer), name="teaching_absence_answer"),
            *super().get_urls(),
        ]

    def has_decide_permission(self, request):
        return request.user.has_perm(DECIDE)

    @admin.action(description="Accepter les justifications reçues", permissions=["decide"])
    def accept(self, request, queryset):
        for absence in queryset:
            try:
                services.accept(absence, actor=request.user)
            except ValidationError as error:
                self.message_user(request, f"{absence}. {error.messages[0]}", messages.ERROR)
            else:
                self.message_user(request, f"{absence}\u00a0: justifiée.", messages.SUCCESS)

    @admin.display(description="jour", ordering="register__held_on")
    def held_on(self, absence):
        return day(absence.register.held_on)

    @admin.display(description="élève", ordering="enrolment__student__sort_name")
    def student(self, absence):
        return absence.enrolment.student

    @admin.display(description="cours", ordering="enrolment__course__sort_name")
    def course(self, absence):
        return absence.enrolment.course

    @admin.display(description="enseignant", ordering="register__teacher__sort_name")
    def teacher(self, absence):
        return absence.register.teacher

    @admin.display(description="nature", ordering="kind")
    def kind_words(self, absence):
        late = f" ({absence.minutes}\u00a0min)" if absence.minutes else ""
        return f"{absence.get_kind_display()}{late}"

    @admin.display(description="état")
    def state_words(self, absence):
        return AbsenceState(absence.state).label if absence.state else "–"

    @admin.display(description="justifications")
    def said(self, absence):
        rows = absence.justifications.select_related("family", "by").order_by("pk")
        return format_html_join(
            "",
            "<p>{}, {} ({})\u00a0: «\u00a0{}\u00a0» – {}{}</p>",
            (
                (
                    moment(each.at),
                    each.by,
                    each.family or "l'administration",
                    each.text,
                    each.get_verdict_display(),
                    f"\u00a0: {each.reason}" if each.reason else "",
                )
                for each in rows
            ),
        )

    def answer(self, request, pk):
        """« Répondre » to what the families wrote, or note it oneself."""
        absence = self.get_queryset(request).filter(pk=pk, kind=Presence.ABSENT).first()
        if absence is None:
            raise Http404
        return _answer(request, absence)


class AnswerForm(forms.Form):
    ACCEPT, REFUSE, NOTE = "accept", "refuse", "note"
    answer = forms.ChoiceField(
        label="Réponse",
        choices=[
            (ACCEPT, "Accepter la justification"),
            (REFUSE, "Refuser la justification"),
            (NOTE, "Justifiée autrement (appel, courrier)"),
        ],
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label="Motif",
        required=False,
        max_length=200,
        widget=AdminTextInputWidget,
        help_text="D'un refus, la famille le lit\u00a0; de « justifiée autrement », "
        "l'administration seule.",
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("answer") == self.REFUSE and not cleaned.get("text"):
            self.add_error("text", "Dites pourquoi\u00a0: la famille le lit.")
        return cleaned

    def play(self, absence, *, actor):
        """Raises what the services raise."""
        text = self.cleaned_data["text"]
        match self.cleaned_data["answer"]:
            case self.ACCEPT:
                services.accept(absence, actor=actor)
            case self.REFUSE:
                services.refuse(absence, reason=text, actor=actor)
            case self.NOTE:
                services.note(absence, text=text, actor=actor)


@require_http_methods(["GET", "HEAD", "POST"])
def _answer(request, absence):
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            form.play(absence, actor=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{absence}\u00a0: réponse enregistrée.")
            return redirect(reverse("admin:teaching_absence_change", args=[absence.pk]))
    context = {
        **admin.site.each_context(request),
        "title": "Répondre",
        "opts": Absence._meta,
        "absence": absence,
        "said": absence.justifications.filter(verdict=Verdict.PENDING).select_related("family"),
        "form": form,
    }
    return render(request, "admin/teaching/absence/answer.html", context)


@require_safe
@permission_required(VIEW)
def _repeated(request):
    """The students of the site chosen who are absent again and again, this year."""
    context = {
        **admin.site.each_context(request),
        "title": "Absences répétées",
        "opts": Absence._meta,
        "establishment": request.establishment,
        "repeated": selectors.repeated(request.establishment),
        "settings": selectors.settings_of(request.establishment),
    }
    return render(request, "admin/teaching/absence/repeated.html", context)


@admin.register(AbsenceNotice)
class AbsenceNoticeAdmin(ReadOnlyAdminMixin, SortNameSearchMixin, admin.ModelAdmin):
    """Of the agent's own students; with the reason, which teachers never read."""

    list_display = ["student", "first_on", "last_on", "course", "reason", "withdrawn_at"]
    list_filter = ["first_on"]
    list_select_related = ["student", "course"]
    search_fields = ["student__sort_name"]
    search_help_text = "Nom de l'élève"
    date_hierarchy = "first_on"
    fields = readonly_fields = [
        *["student", "first_on", "last_on", "course", "reason"],
        *["created_at", "created_by", "withdrawn_at"],
    ]

    def get_queryset(self, request):
        sites = establishments_of(request.user)
        notices = super().get_queryset(request).filter(student__in=students_of(request.user))
        return notices.filter(course=None) | notices.filter(course__establishment__in=sites)
