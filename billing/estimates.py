"""What a household would pay by the voted tariffs: estimates, which bind nobody and write nothing.

The same engine as the invoices. Whoever asks brings the facts: a visitor who types them
(`billing.simulator_forms`), a dossier that is being filled in (`reenrolment.estimating`).
"""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache

from accounts.models import Establishment
from billing.models import TariffGrid
from billing.money import CENT, ZERO
from billing.pricing.bills import Bill, Line
from billing.pricing.engine import price
from billing.pricing.facts import Household, Quotient
from billing.pricing.grids import Grid
from billing.tariffs.enums import GridStatus
from billing.tariffs.loading import grid_in_force, load
from students.models import SchoolYear

KEPT = 60  # seconds
A_PIECE = "une pièce demandée"  # ends « il manque… »


@dataclass(frozen=True)
class Part:
    """What one student, or the household itself, would pay."""

    name: str
    lines: list[Line]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True)
class Estimate:
    """What the household would pay for the year, in euros.

    `bill`: once every piece asked for is there; the quotient, where it matters and is not known,
    is then at the « tarif haut » in it, and `lowest` to `highest` is what the total may become.
    `without_quotient`: the same without any attestation. `top`: when another piece lacks.
    """

    household: Household
    bill: Bill
    lowest: Decimal
    highest: Decimal
    without_quotient: Bill
    top: Bill

    @property
    def is_range(self) -> bool:
        """Does the total still depend on a quotient that is not known?"""
        return self.household.quotient is None and self.depends_on_quotient

    @property
    def depends_on_quotient(self) -> bool:
        return self.without_quotient.at_top_rate

    @cached_property
    def parts(self) -> list[Part]:
        """The bill by student, the household's own fees last."""
        return list(_parts(self.household, self.bill))


def estimate(grid: Grid, household: Household) -> Estimate:
    """`household` as if no piece lacked, whatever it says of them.

    Raises PricingError as the engine does: a lesson that the grid does not price.
    """
    complete = replace(
        household,
        lacking=(),
        pupils=tuple(replace(pupil, lacking=()) for pupil in household.pupils),
    )
    bill = price(grid, complete)
    without = bill if household.quotient is None else price(grid, replace(complete, quotient=None))
    totals = [bill.total]
    if household.quotient is None and without.at_top_rate:
        totals = [
            price(grid, replace(complete, quotient=Quotient(amount))).total
            for amount in turning_points(grid)
        ]
    return Estimate(
        household=complete,
        bill=bill,
        lowest=min(totals),
        highest=max(totals),
        without_quotient=without,
        top=price(grid, replace(complete, lacking=(A_PIECE,))),
    )


def turning_points(grid: Grid) -> list[Decimal]:
    """The quotients (euros) between which an amount stays or moves one way: its extremes.

    The edges of the bands, those where a « taux d'effort » meets its floor or its ceiling, and the
    cent just below each.
    """
    points = {ZERO}
    for rate in grid.rates:
        if rate.band:
            points |= {edge for edge in (rate.band.low, rate.band.high) if edge is not None}
        if rate.effort and rate.effort.percent:
            limits = (rate.effort.floor, rate.effort.ceiling)
            points |= {
                (limit * 100 / rate.effort.percent).quantize(CENT) + CENT for limit in limits
            }
    return sorted({point for edge in points for point in (edge - CENT, edge) if point >= ZERO})


def grid_of(tariff: TariffGrid) -> Grid:
    """The published grid as the engine reads it, kept by the process for a minute at most.

    Its amounts are frozen; the words of its categories are not.
    """
    return _load(tariff.pk, tariff.published_at, int(time.monotonic() // KEPT))


def tariffs_to_come(today: dt.date) -> list[TariffGrid]:
    """What families may ask about, by establishment, the latest year first: one of each year.

    Published, and not over; of two that follow each other in a year, the one that is valid today
    or, before the year begins, on its first day. With establishment and school year. One query.
    """
    grids = TariffGrid.objects.filter(status=GridStatus.PUBLISHED, valid_until__gte=today)
    grids = grids.select_related("establishment", "school_year")
    found = {}
    for grid in grids.order_by(
        "establishment__name", "establishment", "-school_year__starts_on", "valid_from"
    ):
        found.setdefault((grid.establishment_id, grid.school_year_id), grid)
    return list(found.values())


def tariff_of(
    establishment: Establishment, school_year: SchoolYear, today: dt.date
) -> TariffGrid | None:
    """The published grid of the year as it would be invoiced now, or when the year begins.

    None when nothing is voted yet. One query.
    """
    tariff = grid_in_force(establishment, school_year, today)
    if tariff is not None:
        tariff.establishment, tariff.school_year = establishment, school_year
    return tariff


@lru_cache(maxsize=8)
def _load(key: int, published_at: dt.datetime, _moment: int) -> Grid:
    """`published_at` too: in a test, the key of a row that is gone serves again."""
    return load(TariffGrid.objects.get(pk=key, published_at=published_at))


def _parts(household: Household, bill: Bill) -> Iterator[Part]:
    for pupil in household.pupils:
        lines = [line for line in bill.lines if line.pupil == pupil.key]
        if lines:
            yield Part(pupil.name, lines)
    if own := [line for line in bill.lines if line.pupil is None]:
        yield Part("Pour le foyer", own)
