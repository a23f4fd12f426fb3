"""The log of what was filled in at the counter."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdminMixin, SortNameSearchMixin
from reenrolment.models import AssistedSession
from students.selectors import students_of


@admin.register(AssistedSession)
class AssistedSessionAdmin(ReadOnlyAdminMixin, SortNameSearchMixin, admin.ModelAdmin):
    list_display = ["started_at", "ends_at", "agent", "student", "family"]
    list_select_related = ["agent", "student", "family"]
    search_fields = ["student__sort_name", "family__sort_name"]
    date_hierarchy = "started_at"

    def get_queryset(self, request):
        ours = students_of(request.user).values("pk")
        return super().get_queryset(request).filter(student__in=ours)
