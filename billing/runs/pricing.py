"""What each household of a run owes for the year: the one door to the grid and the engine."""

from collections import defaultdict
from collections.abc import Collection

from django.utils import timezone

from billing.facts import household_facts
from billing.models import InvoiceRun, TariffGrid
from billing.pricing.bills import Bill, PricingError
from billing.pricing.engine import price
from billing.runs import comparing
from billing.tariffs.loading import grid_in_force, load
from families.models import Family


def grid_of(run: InvoiceRun) -> TariffGrid | None:
    """The one published for its year."""
    return grid_in_force(run.establishment, run.school_year, timezone.localdate())


def priced(families: Collection[Family], run: InvoiceRun) -> dict[int, Bill | str]:
    """By the key of the household, its bill, or the sentence that says why there is none.

    By the run's grid, or the one by which a household was billed already that year: a vote in
    mid-year does not change what was invoiced before it. A constant number of queries by grid,
    whatever their number. The pieces count as they stood when the run was prepared.
    """
    before = comparing.grids_billed_by(run, [family.pk for family in families])
    of_grid = defaultdict(list)
    for family in families:
        of_grid[before.get(family.pk, run.grid)].append(family)
    bills = {}
    for tariff, theirs in of_grid.items():
        bills |= _priced_by(tariff, theirs, run)
    return bills


def _priced_by(tariff, families, run):
    grid = load(tariff)
    facts = household_facts(
        families,
        establishment=run.establishment,
        school_year=run.school_year,
        statuses=run.statuses,
        on=timezone.localdate(run.created_at),
        adult_age=tariff.adult_age,
        months=tariff.months,
    )
    return {key: _bill(grid, household) for key, household in facts.items()}


def _bill(grid, household):
    try:
        return price(grid, household)
    except PricingError as error:
        return error.message
