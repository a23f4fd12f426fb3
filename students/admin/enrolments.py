from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError

from accounts.admin import SortNameSearchMixin, SpreadsheetAdminMixin
from accounts.admin_filters import SiteFilter
from students import services, waiting
from students.admin.scope import OwnCoursesMixin, OwnPeopleMixin, RefusalsMixin
from students.enrolment_dates import check_dates, set_dates
from students.enums import EnrolmentStatus
from students.lists import EnrolmentList
from students.models import Enrolment, Slot
from students.models.waiting import awaited_by

LEVEL = ["cycle", "cycle_year", "next_course"]
DATES = ["starts_on", "ends_on"]


@admin.display(description="année scolaire", ordering="course__school_year")
def school_year(enrolment):
    return enrolment.course.school_year


@admin.display(description="niveau")
def level(enrolment):
    return enrolment.level


@admin.display(description="créneau")
def seat(enrolment):
    slot = enrolment.slot
    return f"{slot.get_weekday_display()} {slot.hours} {slot.group}".strip() if slot else "–"


class SlotField(forms.ModelChoiceField):
    def label_from_instance(self, slot):
        left = slot.places_left
        waiting = f", {slot.awaited_by} en attente" if slot.awaited_by else ""
        return f"{slot} ({left} place{'s' if left > 1 else ''}{waiting})"


class EnrolmentForm(forms.ModelForm):
    move_to = SlotField(
        queryset=Slot.objects.none(),
        label="Placer dans",
        required=False,
        empty_label="sans changement",
        help_text="Les créneaux de ce cours où il reste une place.",
    )
    reason = forms.CharField(
        label="Motif",
        required=False,
        max_length=waiting.REASON_LENGTH,
        widget=AdminTextInputWidget,
        help_text="Si d'autres élèves attendent cette place. Inscrit au journal de la liste "
        "d'attente, que toute famille peut demander à lire\u00a0: n'y nommez personne.",
    )

    class Meta:
        model = Enrolment
        fields = ["student", "course", *LEVEL, *DATES]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            slots = Slot.objects.filter(course=self.instance.course_id).select_related("course")
            self.fields["move_to"].queryset = slots.open().annotate(
                awaited_by=awaited_by(but_of=self.instance.student)
            )

    def clean(self):
        cleaned = super().clean()
        if "student" in cleaned and "course" in cleaned:
            services.check_not_enrolled(cleaned["student"], cleaned["course"])
        if slot := cleaned.get("move_to"):
            self._check_order(slot)
        self._check_dates(cleaned)
        return cleaned

    def _check_dates(self, cleaned):
        course = self.instance.course if self.instance.pk else cleaned.get("course")
        if course:
            check_dates(course, *(cleaned.get(name) for name in DATES))

    def _check_order(self, slot):
        """The answer holds until the end of the transaction, which is the page's."""
        services.lock_slots([slot.pk])
        services.lock_enrolment(self.instance)
        try:
            self.passing = waiting.check_order(
                self.instance.student, slot, reason=self.cleaned_data.get("reason", "")
            )
        except ValidationError as error:
            self.add_error("reason", error)


@admin.register(Enrolment)
class EnrolmentAdmin(
    RefusalsMixin,
    SpreadsheetAdminMixin,
    OwnCoursesMixin,
    OwnPeopleMixin,
    SortNameSearchMixin,
    admin.ModelAdmin,
):
    """State and seat move by services only."""

    spreadsheet = EnrolmentList

    establishment_lookup = "course__establishment"
    form = EnrolmentForm
    list_display = ["student", "course", school_year, level, seat, "status"]
    list_filter = [SiteFilter, "status", "course__school_year", "course__discipline"]
    search_fields = ["student__sort_name", "course__sort_name"]
    search_help_text = "Nom de l'élève ou du cours"
    autocomplete_fields = ["student"]
    actions = ["confirm", "release"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("student").for_list()

    def get_fields(self, request, obj=None):
        if obj is None:
            return ["student", "course", "cycle", "cycle_year", *DATES]
        movable = obj.course.has_slots and obj.status != EnrolmentStatus.RELEASED
        known = ["student", "course", "status", seat]
        return [*known, *(["move_to", "reason"] if movable else []), *LEVEL, *DATES]

    def get_readonly_fields(self, request, obj=None):
        return ["student", "course", "status", seat] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False  # released, it stays in the history

    def save_model(self, request, obj, form, change):
        if change:
            obj.save(update_fields=LEVEL)
            if slot := form.cleaned_data.get("move_to"):
                services.place(obj, slot, ahead=True, actor=request.user, reason=form.passing)
        else:
            obj.pk = services.enrol_without_place(
                obj.student, obj.course, cycle=obj.cycle, cycle_year=obj.cycle_year
            ).pk
        set_dates(obj, *(form.cleaned_data[name] for name in DATES))

    @admin.action(description="Confirmer les inscriptions choisies", permissions=["change"])
    def confirm(self, request, queryset):
        self._each(request, queryset, services.confirm, "inscription confirmée")

    @admin.action(description="Mettre fin et rendre la place", permissions=["change"])
    def release(self, request, queryset):
        self._each(request, queryset, services.release, "inscription rendue, place libérée")

    def _each(self, request, queryset, move, done):
        for enrolment in queryset:
            try:
                self.log_change(request, move(enrolment), done)
            except ValidationError as error:
                text = f"{enrolment}. {error.messages[0]}"
                self.message_user(request, text, messages.ERROR)
            else:
                self.message_user(request, f"{enrolment} : {done}.", messages.SUCCESS)
