"""What became of the lessons, and the pages where the staff plan: one lesson, an absence, rooms."""

from django.contrib import admin
from django.db.models import Q

from accounts.admin import ReadOnlyAdminMixin
from accounts.selectors import establishments_of
from teaching.models import Lesson, LessonChange
from teaching.timetable.admin.planning import PlanningMixin
from teaching.timetable.admin.reading import ReadingMixin


class ChangeInline(ReadOnlyAdminMixin, admin.TabularInline):
    model = LessonChange
    fields = ["at", "actor", "act", "before", "after", "reason", "despite"]
    extra = 0

    def get_queryset(self, request):
        return (
            super()
            .get_queryset(request)
            .select_related("actor", "lesson__slot__course", "lesson__time__course")
        )


@admin.register(Lesson)
class LessonAdmin(PlanningMixin, ReadingMixin, ReadOnlyAdminMixin, admin.ModelAdmin):
    """Read here; changed from the page of each lesson, by the services (PlanningMixin)."""

    change_list_template = "admin/teaching/lesson/list.html"
    change_form_template = "admin/teaching/lesson/form.html"
    list_display = ["__str__", "state", "moved_on", "substitute", "reason"]
    list_filter = ["state"]
    list_select_related = ["slot__course", "time__course", "substitute"]
    search_fields = ["slot__course__sort_name", "time__course__sort_name"]
    date_hierarchy = "planned_on"
    fields = [
        *["slot", "time", "planned_on", "state", "moved_on", "starts_at", "ends_at"],
        *["room", "substitute", "reason"],
    ]
    inlines = [ChangeInline]

    def get_queryset(self, request):
        ours = establishments_of(request.user).values("pk")
        return (
            super()
            .get_queryset(request)
            .filter(
                Q(slot__course__establishment__in=ours) | Q(time__course__establishment__in=ours)
            )
        )
