import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.schedule import months_later, parts_of, spread

FIRST = dt.date(2026, 10, 31)
CENTS = st.integers(0, 500_000).map(lambda cents: Decimal(cents) / 100)


@dataclass
class Row:
    number: int
    due_on: dt.date
    amount: Decimal


def rows(*amounts):
    return [
        Row(number, months_later(FIRST, number - 1), Decimal(amount))
        for number, amount in enumerate(amounts, start=1)
    ]


@pytest.mark.parametrize(
    ("months", "day"),
    [
        (0, dt.date(2026, 10, 31)),
        (1, dt.date(2026, 11, 30)),
        (4, dt.date(2027, 2, 28)),
        (16, dt.date(2028, 2, 29)),
    ],
)
def test_months_later(months, day):
    assert months_later(FIRST, months) == day


@pytest.mark.parametrize(
    ("total", "parts", "amounts"),
    [
        ("100.00", 1, ["100.00"]),
        ("100.00", 3, ["33.34", "33.33", "33.33"]),
        ("0.02", 6, ["0.01", "0.01"]),
        ("0.00", 3, []),
    ],
)
def test_spread(total, parts, amounts):
    assert [str(amount) for _, amount in spread(Decimal(total), parts, FIRST)] == amounts


@given(total=CENTS, parts=st.sampled_from([1, 2, 3, 4, 6]))
def test_a_spread_adds_up_and_is_even(total, parts):
    amounts = [amount for _, amount in spread(total, parts, FIRST)]

    assert sum(amounts) == total
    assert not amounts or max(amounts) - min(amounts) < Decimal("0.06")


def parts(instalments, credited=0, paid=0, today=FIRST):
    return [
        (str(part.amount), str(part.left), part.is_overdue)
        for part in parts_of(
            instalments, credited=Decimal(credited), paid=Decimal(paid), today=today
        )
    ]


def test_money_pays_the_first_ones():
    assert parts(rows("50.00", "50.00"), paid="60.00") == [
        ("50.00", "0.00", False),
        ("50.00", "40.00", False),
    ]


def test_a_credit_shortens_the_last_ones():
    assert parts(rows("50.00", "50.00"), credited="60.00") == [
        ("40.00", "40.00", False),
        ("0.00", "0.00", False),
    ]


def test_overdue_the_day_after():
    day_after = FIRST + dt.timedelta(days=1)

    assert [late for *_, late in parts(rows("50.00", "50.00"), today=day_after)] == [True, False]
    assert [late for *_, late in parts(rows("50.00", "50.00"), paid=50, today=day_after)] == [
        False,
        False,
    ]


def test_too_much_is_no_parts():
    assert parts(rows("50.00"), paid="80.00") == [("50.00", "0.00", False)]
    assert parts(rows("50.00"), paid="-20.00") == [("50.00", "50.00", False)]


@given(total=CENTS, number=st.sampled_from([1, 2, 3, 4, 6]), credited=CENTS, paid=CENTS)
def test_what_is_left_of_the_parts_is_what_is_left(total, number, credited, paid):
    credited = min(credited, total)
    instalments = rows(*[amount for _, amount in spread(total, number, FIRST)])

    found = parts_of(instalments, credited=credited, paid=paid, today=FIRST)

    assert sum(part.left for part in found) == max(total - credited - paid, 0)
