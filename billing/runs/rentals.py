"""What the households of a run owe for the instruments that they rent: `billing.instruments` says.

A rental is billed for the days agreed on, pro rata by begun month, less what was asked already, a
draft by hand included: extended, it is billed for what its days add. The deposit is on no invoice.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import QuerySet

from billing.enums import RunOutcome
from billing.instruments.charges import line_of
from billing.instruments.prices import charged_of, due
from billing.models import InvoiceRun, Rental, RunHousehold
from billing.money import ZERO


@dataclass(frozen=True)
class ToDraft:
    """A household's draft to write; `rentals`, one by line, in a run of rentals.

    `terms`: what its own choice of instalments changes of the run's dates.
    """

    row: RunHousehold
    lines: list[dict]
    rentals: list[Rental] = field(default_factory=list)
    terms: dict = field(default_factory=dict)


def rentals_of(run: InvoiceRun) -> QuerySet[Rental]:
    """Those that the run bills."""
    return Rental.objects.filter(
        instrument__establishment=run.establishment_id,
        school_year=run.school_year_id,
        state__in=run.rental_states,
    )


def to_bill(run: InvoiceRun, rows: list[RunHousehold]) -> list[ToDraft]:
    """Notes what becomes of each household, and gives the drafts to write. Three queries.

    The rentals are locked, by ascending keys: nobody drafts one of them by hand meanwhile.
    """
    rentals = rentals_of(run).filter(family__in=[row.family_id for row in rows])
    rentals = list(rentals.select_for_update(of=["self"]).for_list().order_by("pk"))
    charged, theirs = charged_of(rentals), defaultdict(list)
    for rental in rentals:
        theirs[rental.family_id].append(rental)
    drafts = []
    for row in rows:
        of_row = theirs[row.family_id]
        row.total = sum(map(due, of_row), ZERO)
        row.billed = sum((charged.get(rental.pk, ZERO) for rental in of_row), ZERO)
        more = [rental for rental in of_row if due(rental) > charged.get(rental.pk, ZERO)]
        row.outcome = _outcome(row, more)
        if more:
            lines = [line_of(rental, charged.get(rental.pk, ZERO)) for rental in more]
            drafts.append(ToDraft(row, lines, more))
    return drafts


def _outcome(row, more):
    if more:
        return RunOutcome.DRAFTED
    if row.billed > row.total:
        return RunOutcome.LESS
    return RunOutcome.SAME if row.billed else RunOutcome.NOTHING
