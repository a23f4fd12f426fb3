"""The staff's pages of fixed hours, and of the piece that portraits are copied from."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from accounts.admin import OwnEstablishmentsMixin, SortNameSearchMixin
from accounts.admin_filters import SiteFilter
from accounts.selectors import establishments_of
from documents.enums import Formats, Owner
from documents.models import DocumentType
from students.admin.scope import CourseField, RefusalsMixin
from students.enums import WITHOUT_SLOT, Scheduling
from students.models import Course, Enrolment
from teaching.classes import hours
from teaching.classes.hours import Wanted
from teaching.models import LessonTime, PortraitSource

HOUR = ["weekday", "starts_at", "ends_at", "room"]


class LessonTimeForm(forms.ModelForm):
    from_day = forms.DateField(
        label="À partir du",
        widget=admin.widgets.AdminDateWidget,
        help_text="Les cours déjà donnés gardent leur heure, qui finit la veille.",
    )
    even_so = forms.BooleanField(
        label="Quand même",
        required=False,
        help_text="Si la salle est prise, ou si deux élèves ont cours ensemble.",
    )

    class Meta:
        model = LessonTime
        fields = ["enrolment", "course", *HOUR]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["from_day"].initial = hours.first_day(self.instance.course)
        else:
            self.fields["course"].required = False
            self.fields["from_day"].initial = timezone.localdate()

    def clean(self):
        cleaned = super().clean()
        if not self.instance.pk and bool(cleaned.get("enrolment")) == bool(cleaned.get("course")):
            raise ValidationError(
                "Choisissez une inscription (cours individuel) ou un cours (tous ses élèves).",
                code="one_of_both",
            )
        if not self.errors:
            self._try(cleaned)
        return cleaned

    def _try(self, cleaned):
        """The service's refusals beside their fields; the page's transaction keeps the answer."""
        self.wanted = Wanted(**{name: cleaned[name] for name in [*HOUR, "from_day"]})
        enrolment = self.enrolment
        if enrolment is not None:
            try:
                hours.check(enrolment, self.wanted, even_so=cleaned["even_so"])
            except ValidationError as error:
                self.add_error(None, error)

    @property
    def enrolment(self) -> Enrolment | None:
        return self.instance.enrolment if self.instance.pk else self.cleaned_data["enrolment"]

    def _post_clean(self):
        """The row is the service's to write: the form fills nothing in."""


class EnrolmentField(forms.ModelChoiceField):
    def label_from_instance(self, enrolment):
        return f"{enrolment} – {enrolment.course.school_year}"


@admin.register(LessonTime)
class LessonTimeAdmin(RefusalsMixin, OwnEstablishmentsMixin, SortNameSearchMixin, admin.ModelAdmin):
    """Every write is a service's: a family is told, and what was given stays as it was."""

    establishment_lookup = "course__establishment"
    form = LessonTimeForm
    list_display = ["course", "student", "weekday", "starts_at", "ends_at", "room", "days"]
    list_filter = [SiteFilter, "course__school_year", "weekday"]
    search_fields = ["course__sort_name", "enrolment__student__sort_name"]
    search_help_text = "Nom du cours ou de l'élève"
    actions = ["end_now"]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("course__school_year", "enrolment__student")

    def get_fields(self, request, obj=None):
        return ["enrolment", "course", *HOUR, *(["starts_on", "ends_on"] if obj else [])] + [
            "from_day",
            "even_so",
        ]

    def get_readonly_fields(self, request, obj=None):
        return ["enrolment", "course", "starts_on", "ends_on"] if obj else []

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        sites = establishments_of(request.user)
        under_way = Q(course__school_year__ends_on__gte=timezone.localdate())
        if db_field.name == "course":
            courses = Course.objects.filter(
                establishment__in=sites,
                scheduling__in=WITHOUT_SLOT,
                school_year__ends_on__gte=timezone.localdate(),
            )
            kwargs["queryset"] = courses.select_related("school_year", "establishment")
            kwargs["form_class"] = CourseField
        elif db_field.name == "enrolment":
            enrolments = Enrolment.objects.confirmed().filter(
                under_way, course__establishment__in=sites, course__scheduling=Scheduling.TEACHER
            )
            enrolments = enrolments.select_related("student", "course__school_year")
            kwargs["queryset"] = enrolments.order_by("student__sort_name", "pk")
            kwargs["form_class"] = EnrolmentField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False  # ended: the lessons that were given keep their hour

    def save_model(self, request, obj, form, change):
        if enrolment := form.enrolment:
            time = hours.fix(enrolment, form.wanted, even_so=form.cleaned_data["even_so"])
        else:
            course = obj.course if change else form.cleaned_data["course"]
            time = hours.fix_for_all(course, form.wanted, former=obj if change else None)
        obj.pk = time.pk
        obj.refresh_from_db()

    @admin.display(description="élève", ordering="enrolment__student__sort_name")
    def student(self, time):
        return time.enrolment.student if time.enrolment_id else "tous"

    @admin.display(description="jours")
    def days(self, time):
        first, last = time.lesson_days
        return f"du {first:%d/%m/%Y} au {last:%d/%m/%Y}"

    @admin.action(description="Retirer à partir d'aujourd'hui", permissions=["change"])
    def end_now(self, request, queryset):
        today = timezone.localdate()
        for time in queryset:
            try:
                if time.enrolment_id:
                    hours.end(time.enrolment, today)
                else:
                    hours.end_for_all(time, today)
            except ValidationError as error:
                self.message_user(request, f"{time}. {' '.join(error.messages)}", messages.ERROR)
            else:
                self.log_change(request, time, "horaire retiré")
                self.message_user(request, f"{time}\u00a0: horaire retiré.", messages.SUCCESS)


@admin.register(PortraitSource)
class PortraitSourceAdmin(admin.ModelAdmin):
    """Of which piece teachers may see a small copy; without one, no portrait is made."""

    list_display = ["type"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = DocumentType.objects.filter(owner=Owner.STUDENT, formats=Formats.IMAGE)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request, obj=None):
        return False  # removed and added: the portraits follow
