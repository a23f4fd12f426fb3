"""« Comparer avec… »: a grid against another on the households of a year's enrolments.

Worked out while the page is asked for, not by the queue: a thousand households take a second, and
the answer is always that of now. A larger town is answered on `MOST` households evenly spread,
which is enough to vote: the page says so.
"""

from dataclasses import dataclass

from django import forms
from django.contrib import admin
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.admin import permission_required
from accounts.models import ListExport
from accounts.references import reference_of
from accounts.spreadsheets import cells
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, write
from billing.admin.tariffs.scope import grid_of, render_page
from billing.models.tariffs import TariffGrid
from billing.money import euros
from billing.pricing.engine import price
from billing.tariffs import comparing, households, loading
from families.models import Family
from students.models import SchoolYear

COMPARE = "billing.change_tariffgrid"
MOST = 5_000  # households: five seconds, of the minute that the servers give
SHOWN = 20  # of those that can't be priced
HEADERS = ["Référence", "Famille", "Avant", "Après", "Différence", "Non calculé"]
LOGGED_AS = "comparaison"  # in the journal of exports


def urls():
    """The addresses under a grid's own, for its ModelAdmin."""

    def named(route, view):
        name = f"billing_tariffgrid_{view.__name__}"
        return path(f"<int:pk>/{route}", admin.site.admin_view(view), name=name)

    return [named("comparer/", compare), named("comparer/exporter/", compare_export)]


class CompareForm(forms.Form):
    avec = forms.ModelChoiceField(TariffGrid.objects.none(), label="Comparer avec")
    annee = forms.ModelChoiceField(SchoolYear.objects.none(), label="Sur les inscriptions de")

    def __init__(self, data, grid):
        others = TariffGrid.objects.filter(establishment=grid.establishment).exclude(pk=grid.pk)
        others = others.select_related("school_year")
        initial = {"avec": others.first(), "annee": grid.school_year}
        super().__init__(data, initial=initial)
        self.fields["avec"].queryset = others
        years = SchoolYear.objects.filter(tariff_grids__establishment=grid.establishment)
        self.fields["annee"].queryset = years.distinct()
        for field in self.fields.values():
            field.empty_label = None


@dataclass(frozen=True)
class Told:
    """A family and what is said of it."""

    family: Family
    about: object


@require_safe
@permission_required(COMPARE)
def compare(request, pk):
    grid = grid_of(request, pk)
    form = CompareForm(request.GET if "avec" in request.GET else None, grid)
    context = {"form": form, "has_others": form.fields["avec"].queryset.exists()}
    if form.is_valid():
        found, total = _compare(grid, form)
        families = Family.objects.in_bulk(
            [rise.difference.key for rise in found.rises]
            + [each.key for each in found.unpriced[:SHOWN]]
        )
        context |= {
            "other": form.cleaned_data["avec"],
            "year": form.cleaned_data["annee"],
            "found": found,
            "count": len(found.differences) + len(found.unpriced),
            "total": total,
            "ranges": [(_words(each), each.count) for each in found.ranges],
            "rises": [Told(families[rise.difference.key], rise) for rise in found.rises],
            "unpriced": [Told(families[each.key], each) for each in found.unpriced[:SHOWN]],
        }
    return render_page(request, grid, "Comparer", "admin/billing/tariffgrid/compare.html", context)


@require_POST
@permission_required(COMPARE)
def compare_export(request, pk):
    """Every household of the page, for a spreadsheet; the journal of exports keeps it."""
    grid = grid_of(request, pk)
    form = CompareForm(request.POST, grid)
    if not form.is_valid():
        raise Http404
    found, _ = _compare(grid, form)
    keys = [each.key for each in [*found.differences, *found.unpriced]]
    families = {}
    for start in range(0, len(keys), households.SLICE):
        families |= Family.objects.in_bulk(keys[start : start + households.SLICE])
    rows = [
        [
            *_named(families[each.key]),
            *map(cells.amount, (each.before, each.after, each.amount)),
            "",
        ]
        for each in found.differences
    ]
    rows += [[*_named(families[each.key]), "", "", "", each.message] for each in found.unpriced]
    ListExport.objects.create(actor=request.user, list=LOGGED_AS, rows=len(rows), at=timezone.now())
    response = HttpResponse(
        write(CSV, HEADERS, rows, title="Comparaison"), content_type=CONTENT_TYPES[CSV]
    )
    response["Content-Disposition"] = (
        f'attachment; filename="comparaison-{timezone.localdate():%Y-%m-%d}.csv"'
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _compare(grid, form):
    """The comparison, and how many households there are in all."""
    other, year = form.cleaned_data["avec"], form.cleaned_data["annee"]
    keys, total = households.sample(grid.establishment, year, MOST)
    facts = households.facts_of(keys, other, grid, year)
    found = comparing.compare(loading.load(other), loading.load(grid), facts, price=price)
    return found, total


def _words(bounds):
    """« hausse de plus de 100,00 € », « baisse jusqu'à 20,00 € », « sans changement »."""
    low, high = bounds.low, bounds.high
    if low == high:
        return "sans changement"
    word = "hausse" if high is None or high > 0 else "baisse"
    near, far = (low, high) if word == "hausse" else (high, low)
    if far is None:
        return f"{word} de plus de {euros(abs(near))}"
    if not near:
        return f"{word} de {euros(abs(far))} au plus"
    return f"{word} de {euros(abs(near))} à {euros(abs(far))}"


def _named(family):
    return [reference_of(family), family.name]
