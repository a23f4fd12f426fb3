"""Households and grids that hypothesis makes up."""

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from billing.pricing.facts import Household, Lesson, Pupil, Quotient
from billing.pricing.grids import (
    Audience,
    Band,
    Category,
    Effort,
    Fee,
    FeePer,
    Grid,
    Modifier,
    Order,
    Rate,
    Reason,
)
from families.enums import Zone
from tests.billing.pricing.shapes import SHAPES

CODES = ["student", "minima"]
FEES = (Fee("Frais de dossier", Decimal(38)), Fee("Adhésion", Decimal(20), FeePer.STUDENT))
BIRTHDAYS = st.dates(dt.date(1950, 1, 1), dt.date(2022, 12, 31))
amounts = st.decimals(0, 2000, places=2)
percents = st.decimals(0, 100, places=1)
WHOLE = st.just(Decimal(1))
quotients = st.integers(0, 6000)  # whole euros, as the CAF gives them


def households(grid: Grid, *, share=WHOLE, least=0):
    """Of that grid's categories; each student and each lesson has a key of its own."""
    months = st.none() | st.integers(1, grid.months)
    lesson = st.tuples(st.sampled_from(grid.categories), st.booleans(), months)
    pupil = st.tuples(
        *(BIRTHDAYS, st.booleans(), st.lists(lesson, min_size=least, max_size=3)),
        *(st.frozensets(st.sampled_from(CODES)), share),
    )
    return st.builds(
        _household,
        st.sampled_from(Zone.values),
        st.none() | quotients,
        st.lists(pupil, min_size=least, max_size=4),
        st.booleans(),
    )


def _household(zone, quotient, pupils, is_lacking):
    return Household(
        zone,
        None if quotient is None else Quotient(Decimal(quotient)),
        tuple(_pupil(number, *pupil) for number, pupil in enumerate(pupils)),
        ("l'attestation CAF",) if is_lacking else (),
    )


def _pupil(number, born_on, is_adult, lessons, situations, share):
    return Pupil(
        number,
        f"Élève {number}",
        born_on,
        is_adult,
        tuple(
            Lesson(f"{number}-{place}", category.label, category.code, school_hours, months)
            for place, (category, school_hours, months) in enumerate(lessons)
        ),
        situations,
        share,
    )


@st.composite
def grids(draw):
    """Grids in which a poorer family does not pay more, with all kinds of rates and modifiers.

    The reductions are what most towns vote: in per cent, without a floor. See `Order.DEAREST` for
    what others may do.
    """
    categories = tuple(Category(code, code.upper()) for code in ("a", "b", "c"))
    rates = [rate for category in categories for rate in draw(_rates(category.code))]
    return Grid(
        label="Essai",
        categories=categories,
        rates=tuple(rates),
        modifiers=tuple(draw(_modifiers())),
        fees=draw(st.sampled_from([(), FEES])),
        order=draw(st.sampled_from(Order)),
        terms=draw(st.sampled_from([1, 3])),
        top_within_zone=draw(st.booleans()),
    )


@st.composite
def _rates(draw, category):
    rates = [Rate(category, None, Audience.ADULT, amount=draw(amounts))]
    for zone in Zone.values:
        here = {"category": category, "zone": zone, "audience": Audience.CHILD}
        low, middle, high = sorted(draw(st.tuples(amounts, amounts, amounts)))
        match draw(st.sampled_from(["amount", "bands", "effort"])):
            case "amount":
                rates.append(Rate(**here, amount=low))
            case "effort":
                rates.append(Rate(**here, effort=Effort(draw(percents), low, high)))
            case "bands":
                bands = [Band(None, Decimal(600)), Band(Decimal(600), Decimal(1000))]
                bands.append(Band(Decimal(1000), None))
                rates += [
                    Rate(**here, band=band, amount=amount)
                    for band, amount in zip(bands, [low, middle, high], strict=True)
                ]
    return rates


@st.composite
def _modifiers(draw):
    second, third = sorted(draw(st.tuples(percents, percents)))
    plain = {"keeps_floor": False}
    return draw(
        st.permutations(
            [
                Modifier(Reason.RANK, "2e enfant", percent=second, to_rank=2, **plain),
                Modifier(Reason.RANK, "3e enfant", percent=third, from_rank=3, **plain),
                Modifier(Reason.SECOND_DISCIPLINE, "2e cours", percent=draw(percents), **plain),
                Modifier(
                    Reason.SITUATION,
                    "étudiant",
                    percent=draw(percents),
                    codes=frozenset({"student"}),
                    categories=frozenset("a"),
                    **plain,
                ),
                Modifier(
                    Reason.SITUATION,
                    "minima",
                    percent=draw(percents),
                    codes=frozenset({"minima"}),
                    **plain,
                ),
                Modifier(Reason.SCHOOL_HOURS, "CHAM", percent=draw(percents), **plain),
            ]
        )
    )


any_grid = st.sampled_from(list(SHAPES.values())) | grids()
