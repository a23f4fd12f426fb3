"""The settings of each establishment's régie, and its accounts."""

from django.contrib import admin

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_forms import OwnRowsFormSet
from billing.models import AccountingCode, RegieSettings


class AccountingCodeInline(admin.TabularInline):
    model = AccountingCode
    formset = OwnRowsFormSet
    fields = ["entry", "account"]
    extra = 3


@admin.register(RegieSettings)
class RegieSettingsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    list_display = ["establishment", "cash_limit", "claim_minimum", "days_between_reminders"]
    list_select_related = ["establishment"]
    inlines = [AccountingCodeInline]
    fields = [
        *["establishment", "cash_limit", "claim_minimum", "days_between_reminders", "journal_code"]
    ]

    def get_readonly_fields(self, request, obj=None):
        return ["establishment"] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False  # an establishment without settings has the defaults
