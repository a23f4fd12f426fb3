"""How the lists of the apps on the right are opened for one household, from its page."""

from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse

from accounts.admin_filters import ALL, SiteFilter
from families.models import Family
from families.selectors import families_of

PARAMETER = "foyer"


class HouseholdFilter(admin.SimpleListFilter):
    """The rows of one household, at whose name they are shown; offered only by its address.

    For a ModelAdmin with a `household_lookup`. A household that the agent does not see has none.
    """

    title = "foyer"
    parameter_name = PARAMETER

    def lookups(self, request, model_admin):
        self._lookup = model_admin.household_lookup
        asked = self.value()
        if asked is None:
            return []
        key = int(asked) if asked.isdecimal() and len(asked) < 18 else None
        self._ours = families_of(request.user).filter(pk=key)
        return [(asked, str(self._ours.first() or "inconnu"))]

    def queryset(self, request, queryset):
        return queryset.filter(**{f"{self._lookup}__in": self._ours}) if self.value() else queryset


def list_of(changelist: str, household: Family) -> str:
    """The address of a list (« billing_invoice ») for one household, of every site."""
    asked = urlencode({PARAMETER: household.pk, SiteFilter.parameter_name: ALL})
    return f"{reverse(f'admin:{changelist}_changelist')}?{asked}"
