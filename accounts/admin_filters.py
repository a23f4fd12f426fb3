"""How lists of the administration follow the site chosen at sign-in."""

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Establishment
from accounts.selectors import establishments_of

ALL = "tous"


class SiteFilter(admin.SimpleListFilter):
    """The site chosen at sign-in, unless another of the agent's, or all of them, is asked for.

    For a ModelAdmin with an `establishment_lookup`. An agent of one site is shown no filter: his
    rows are those of this site anyway.
    """

    title = "établissement"
    parameter_name = "site"

    def __init__(self, request, params, model, model_admin):
        self.chosen = request.establishment
        self.lookup = model_admin.establishment_lookup
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        others = [site for site in _sites(request) if site != request.establishment]
        return [*((str(site.pk), site.name) for site in others), (ALL, "tous")] if others else []

    def value(self):
        """What is not offered is no value, whatever is typed in the address."""
        value = super().value()
        return value if value in dict(self.lookup_choices) else None

    def choices(self, changelist):
        default, *others = super().choices(changelist)
        return [{**default, "display": str(self.chosen)}, *others]

    def queryset(self, request, queryset):
        if self.value() == ALL:
            return queryset
        return queryset.filter(**{self.lookup: self.value() or self.chosen.pk})


def sites_shown(request: HttpRequest) -> list[Establishment]:
    """The sites whose rows a list with SiteFilter shows."""
    sites, asked = _sites(request), request.GET.get(SiteFilter.parameter_name)
    if asked == ALL:
        return sites
    return [site for site in sites if str(site.pk) == asked] or [request.establishment]


def _sites(request):
    """One query for the header, the filter and the switch, but for a superuser."""
    if request.user.is_superuser:
        return list(establishments_of(request.user))
    return list(request.establishments)
