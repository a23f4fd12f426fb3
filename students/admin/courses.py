from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin, SpreadsheetAdminMixin
from accounts.admin_filters import SiteFilter
from students.admin.rollover import RollOverMixin
from students.admin.scope import AudienceMixin, OwnCoursesMixin, audience
from students.lists import CourseList
from students.models import Course, Discipline, SchoolYear, Slot


@admin.register(SchoolYear)
class SchoolYearAdmin(RollOverMixin, admin.ModelAdmin):
    list_display = ["__str__", "starts_on", "ends_on", "lessons_start_on", "lessons_end_on"]


@admin.register(Discipline)
class DisciplineAdmin(SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["name", "art"]
    list_filter = ["art"]
    search_fields = ["sort_name"]


class SlotInline(ReadOnlyAdminMixin, admin.TabularInline):
    """To see at a glance; each slot has its own page, where its capacity is set."""

    model = Slot
    fields = [
        *["group", "weekday", "hours", "room", "teacher"],
        *[audience, "capacity", "places_left"],
    ]
    readonly_fields = ["hours", audience, "capacity", "places_left"]
    show_change_link = True

    def get_queryset(self, request):
        return super().get_queryset(request).with_places().select_related("course", "teacher")

    @admin.display(description="horaire")
    def hours(self, slot):
        return slot.hours

    @admin.display(description="capacité")
    def capacity(self, slot):
        return slot.capacity

    @admin.display(description="places libres")
    def places_left(self, slot):
        return slot.places_left


@admin.register(Course)
class CourseAdmin(
    AudienceMixin, SpreadsheetAdminMixin, OwnCoursesMixin, SortNameSearchMixin, admin.ModelAdmin
):
    spreadsheet = CourseList
    audience_description = (
        "À qui les créneaux de ce cours sont proposés\u00a0; les familles des autres élèves ne les"
        " voient pas. Vide\u00a0: sans limite. Un créneau peut dire d'autres bornes, qui remplacent"
        " celles-ci. Vous pouvez toujours placer un élève\u00a0: un avertissement vous dit"
        " «\u00a0hors âge\u00a0» ou «\u00a0hors niveau\u00a0»."
    )
    list_display = [
        *["name", "discipline", "cycle", audience, "scheduling"],
        *["school_year", "establishment"],
    ]
    list_filter = [SiteFilter, "school_year", "discipline", "scheduling"]
    list_select_related = ["discipline", "school_year", "establishment"]
    search_fields = ["sort_name"]
    autocomplete_fields = ["teacher"]
    readonly_fields = ["new_slot"]

    def get_fields(self, request, obj=None):
        fields = super().get_fields(request, obj)
        return fields if obj and obj.has_slots else [f for f in fields if f != "new_slot"]

    def get_inlines(self, request, obj):
        return [SlotInline] if obj and obj.has_slots else []

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        return {"establishment": request.establishment} | initial

    @admin.display(description="créneaux")
    def new_slot(self, course):
        return format_html(
            '<a href="{}?course={}">Ajouter un créneau à ce cours</a>',
            reverse("admin:students_slot_add"),
            course.pk,
        )
