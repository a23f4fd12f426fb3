"""The settings of each establishment's régie, and its accounts."""

from django import forms
from django.contrib import admin

from accounts.admin import OwnEstablishmentsMixin
from accounts.admin_forms import OwnRowsFormSet
from billing.models import AccountingCode, RegieSettings


class AccountingCodeInline(admin.TabularInline):
    model = AccountingCode
    formset = OwnRowsFormSet
    fields = ["entry", "account"]
    extra = 3


class RegieSettingsForm(forms.ModelForm):
    class Meta:
        model = RegieSettings
        fields = [
            *["establishment", "cash_limit", "claim_minimum"],
            *["days_between_reminders", "journal_code"],
        ]
        localized_fields = ["cash_limit", "claim_minimum"]  # « 300,00 »


@admin.register(RegieSettings)
class RegieSettingsAdmin(OwnEstablishmentsMixin, admin.ModelAdmin):
    form = RegieSettingsForm
    list_display = ["establishment", "cash_limit", "claim_minimum", "days_between_reminders"]
    list_select_related = ["establishment"]
    inlines = [AccountingCodeInline]

    def get_readonly_fields(self, request, obj=None):
        return ["establishment"] if obj else []

    def has_delete_permission(self, request, obj=None):
        return False  # an establishment without settings has the defaults
