"""The amounts that the four towns publish (domain.md, Tariffs)."""

import datetime as dt
from decimal import Decimal

import pytest

from billing.pricing.engine import price
from billing.pricing.faults import faults
from families.enums import Zone
from tests.billing.pricing.shapes import (
    GPSO,
    LE_PUY,
    RAMBOUILLET,
    SHAPES,
    UNIEUX,
    household,
    lesson,
    pupil,
)


@pytest.mark.parametrize("name", SHAPES)
def test_a_published_grid_has_no_fault(name):
    assert faults(SHAPES[name]) == []


@pytest.mark.parametrize(
    ("category", "is_adult", "zone", "amount"),
    [
        ("cursus", False, Zone.RESIDENT, 603),
        ("cursus", False, Zone.OUTSIDE, 909),
        ("cursus", True, Zone.RESIDENT, 684),
        ("cursus", True, Zone.OUTSIDE, 1044),
        ("collective", False, Zone.RESIDENT, 108),
        ("collective", False, Zone.OUTSIDE, 117),
    ],
)
def test_rambouillet(category, is_adult, zone, amount):
    bill = price(RAMBOUILLET, household(pupil(lesson(category), is_adult=is_adult), zone=zone))

    assert [line.amount for line in bill.lines] == [Decimal(38), Decimal(amount)]


@pytest.mark.parametrize(("category", "amounts"), [
    ("30min", [75, 90, 105, 140, 140]),
    ("45min", [84, 100, 115, 155, 155]),
])  # fmt: skip
def test_unieux_by_term(category, amounts):
    child, adult = pupil(lesson(category)), pupil(lesson(category), is_adult=True)
    families = [
        *(household(child, quotient=quotient) for quotient in ("599.99", 600, 1000)),
        household(child, zone=Zone.OUTSIDE, quotient=None),
        household(adult, quotient=None),
    ]

    bills = [price(UNIEUX, family) for family in families]

    assert [bill.lines[1].amount / 3 for bill in bills] == amounts
    assert {bill.lines[0].amount for bill in bills} == {Decimal(20)}


@pytest.mark.parametrize(
    ("category", "quotient", "amount"),
    [
        ("6.4", 0, "76.00"),
        ("6.4", 2000, "128.00"),
        ("6.4", 9000, "285.00"),
        ("9.6", 0, "114.00"),
        ("9.6", 2000, "192.00"),
        ("9.6", 9000, "440.00"),
        ("16", 0, "190.00"),
        ("16", 2000, "320.00"),
        ("16", 9000, "600.00"),
    ],
)
def test_gpso(category, quotient, amount):
    bill = price(GPSO, household(pupil(lesson(category)), quotient=quotient))

    assert str(bill.total) == amount


@pytest.mark.parametrize(
    ("quotient", "amounts"),
    [(2000, [320, 288, 256, 256]), (1200, [192, 190, 190, 190]), (9000, [600, 540, 480, 480])],
)
def test_gpso_takes_off_10_then_20_per_cent_never_below_the_floor(quotient, amounts):
    children = [
        pupil(lesson("16"), key=year, born_on=dt.date(year, 1, 1))
        for year in (2010, 2011, 2012, 2013)
    ]

    assert [line.amount for line in price(GPSO, household(*children, quotient=quotient)).lines] == (
        amounts
    )


def test_le_puy_is_degressive():
    children = [
        pupil(lesson("cursus"), key=year, born_on=dt.date(year, 1, 1)) for year in range(2010, 2015)
    ]

    lines = price(LE_PUY, household(*children)).lines

    assert [line.amount for line in lines] == [746, 593, 443, 184, 184]
    assert lines[1].explanation == "Tarif général, 2e enfant\u00a0: 593,00\u00a0€"
