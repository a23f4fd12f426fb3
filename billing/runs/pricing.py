"""What each household of a run owes for the year: the one door to the grid and the engine."""

from collections import defaultdict
from collections.abc import Collection, Mapping

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


def grids_for(families: Collection[Family], run: InvoiceRun) -> dict[int, TariffGrid]:
    """By the key of the household, the grid that prices it: the run's, or the one by which it was
    billed already that year. A vote in mid-year does not change what was invoiced before it.
    """
    before = comparing.grids_billed_by(run, [family.pk for family in families])
    return {family.pk: before.get(family.pk, run.grid) for family in families}


def priced(
    families: Collection[Family], run: InvoiceRun, grids: Mapping[int, TariffGrid]
) -> dict[int, Bill | str]:
    """By the key of the household, its bill by the grid given for it, or the sentence that says why
    there is none.

    A constant number of queries by grid, whatever the number of households. The pieces count as
    they stood when the run was prepared.
    """
    of_grid = defaultdict(list)
    for family in families:
        of_grid[grids[family.pk]].append(family)
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
