"""Which year, of which site: what the pages that plan a year ask first."""

from collections.abc import Sequence

from django import forms
from django.http import Http404
from django.utils import timezone

from accounts.models import Establishment
from accounts.selectors import establishments_of
from students.models import SchoolYear


class YearForm(forms.Form):
    """Read from the address: the coming year of the site chosen at sign-in, unless told otherwise.

    `chosen_site` and `chosen_year` are always among those shown: an address that names another one
    is told so beside the field. Two queries.
    """

    annee = forms.ChoiceField(label="Année scolaire")
    site = forms.ChoiceField(label="Site")

    def __init__(self, request):
        """Raises Http404 before the first school year, or for an agent of no site."""
        self._years = {str(year.pk): year for year in SchoolYear.objects.all()}
        self._sites = {str(site.pk): site for site in establishments_of(request.user)}
        if not self._years or request.establishment is None:
            raise Http404
        self._default = {
            "annee": str(coming(list(self._years.values())).pk),
            "site": str(request.establishment.pk),
        }
        super().__init__(self._default | request.GET.dict())
        for name, rows in {"annee": self._years, "site": self._sites}.items():
            self.fields[name].choices = [(key, str(row)) for key, row in rows.items()]

    @property
    def chosen_year(self) -> SchoolYear:
        return self._years[self._chosen("annee")]

    @property
    def chosen_site(self) -> Establishment:
        return self._sites[self._chosen("site")]

    @property
    def query(self) -> str:
        """What the address of another page of the same year says."""
        return f"annee={self.chosen_year.pk}&site={self.chosen_site.pk}"

    def previous(self) -> SchoolYear | None:
        """The year before the one chosen. No query."""
        years = self._years.values()
        before = [each for each in years if each.starts_on < self.chosen_year.starts_on]
        return max(before, key=lambda each: each.starts_on, default=None)

    def _chosen(self, name):
        self.is_valid()
        return self.cleaned_data.get(name) or self._default[name]


def coming(years: Sequence[SchoolYear]) -> SchoolYear:
    """The first that is still to begin, else the last one; `years` are not empty."""
    today = timezone.localdate()
    to_come = [year for year in years if year.starts_on > today]
    if to_come:
        return min(to_come, key=lambda year: year.starts_on)
    return max(years, key=lambda year: year.starts_on)
