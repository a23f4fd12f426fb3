"""What each household of a run owes for the year: the one door to the grid and the engine."""

from collections.abc import Collection

from django.utils import timezone

from billing.facts import household_facts
from billing.models import InvoiceRun, TariffGrid
from billing.pricing.bills import Bill, PricingError
from billing.pricing.engine import price
from billing.tariffs.loading import grid_in_force, load
from families.models import Family


def grid_of(run: InvoiceRun) -> TariffGrid | None:
    """The one published for its year."""
    return grid_in_force(run.establishment, run.school_year, timezone.localdate())


def priced(families: Collection[Family], run: InvoiceRun) -> dict[int, Bill | str]:
    """By the key of the household, its bill, or the sentence that says why there is none.

    A constant number of queries, whatever their number. The pieces count as they stood when the
    run was prepared.
    """
    grid = load(run.grid)
    facts = household_facts(
        families,
        establishment=run.establishment,
        school_year=run.school_year,
        statuses=run.statuses,
        on=timezone.localdate(run.created_at),
        adult_age=run.grid.adult_age,
        months=run.grid.months,
    )
    return {key: _priced(grid, household) for key, household in facts.items()}


def _priced(grid, household):
    try:
        return price(grid, household)
    except PricingError as error:
        return error.message
