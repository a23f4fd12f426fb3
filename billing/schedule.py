"""When each part of an invoice is due, and what of it is paid: functions on amounts and days."""

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing.enums import PartState
from billing.money import CENT, ZERO


@dataclass(frozen=True)
class Part:
    """One instalment as it stands: `amount` once the credit notes are deducted, in euros."""

    number: int
    due_on: dt.date
    amount: Decimal
    paid: Decimal
    is_overdue: bool

    @property
    def left(self) -> Decimal:
        return self.amount - self.paid

    @property
    def state(self) -> PartState:
        if self.amount <= ZERO:
            return PartState.CREDITED
        if self.left <= ZERO:
            return PartState.PAID
        return PartState.OVERDUE if self.is_overdue else PartState.COMING


def spread(total: Decimal, parts: int, first: dt.date) -> list[tuple[dt.date, Decimal]]:
    """The day and the amount of each part, month after month; the first takes the odd cents.

    A total too small for a cent in each gives fewer parts; nothing to pay gives none.
    """
    parts = min(parts, int(total / CENT))
    if parts <= 0:
        return []
    each = (total / parts // CENT) * CENT
    amounts = [total - each * (parts - 1), *[each] * (parts - 1)]
    return [(months_later(first, number), amount) for number, amount in enumerate(amounts)]


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last one: 31 January, one month later, is the 28th."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def parts_of(
    instalments: Iterable, *, credited: Decimal, paid: Decimal, today: dt.date
) -> list[Part]:
    """What is left of each instalment: a credit shortens the last ones, money pays the first ones.

    `instalments` are rows with `number`, `due_on` and `amount`, in order. What is paid beyond them
    is no part's (see `Settlement.OVERPAID`).
    """
    rows = list(instalments)
    owed = {row.number: row.amount for row in rows}
    for row in reversed(rows):
        taken = min(credited, owed[row.number])
        owed[row.number] -= taken
        credited -= taken
    parts = []
    for row in rows:
        amount = owed[row.number]
        given = max(ZERO, min(paid, amount))
        paid -= given
        parts.append(
            Part(row.number, row.due_on, amount, given, row.due_on < today and given < amount)
        )
    return parts
