from django.contrib import admin

from accounts.admin import OwnEstablishmentsMixin
from teaching.models import TimetableSettings


@admin.register(TimetableSettings)
class TimetableSettingsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    list_display = ["establishment", "teachers_change_lessons", "opens_at", "closes_at"]

    def has_delete_permission(self, request, obj=None):
        return False
