"""What holds for every grid without a fault and every household (issue 6, item 2)."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.engine import price
from billing.pricing.facts import Household, Quotient
from billing.pricing.faults import faults
from billing.pricing.grids import Category, Effort, Grid, Modifier, Rate, Reason
from tests.billing.pricing.households import any_grid, grids, households, quotients
from tests.billing.pricing.shapes import SHAPES, household, lesson, pupil

CENT = Decimal("0.01")
shares = st.integers(0, 100).map(lambda percent: Decimal(percent) / 100)
# The same examples each time: a suite that fails tells of the last change, not of its luck.
quick = settings(max_examples=100, deadline=None, derandomize=True)


@st.composite
def cases(draw, grid=any_grid, **kwargs):
    grid = draw(grid)
    return grid, draw(households(grid, **kwargs))


@quick
@given(grids())
def test_the_grids_made_up_have_no_fault_that_forbids(grid):
    assert {fault.code for fault in faults(grid)} <= {"dearer_for_residents"}


@quick
@given(cases(share=shares))
def test_no_line_is_negative_and_they_add_up_to_the_cent(case):
    bill = price(*case)

    assert all(line.amount >= 0 for line in bill.lines)
    assert all(line.amount == line.amount.quantize(CENT) for line in bill.lines)
    assert sum((line.amount for line in bill.lines), Decimal(0)) == bill.total
    assert all(len(line.explanation) <= 1000 for line in bill.lines)


@quick
@given(cases())
def test_every_lesson_has_its_line(case):
    grid, household = case
    lessons = [line.lesson for line in price(grid, household).lines if line.lesson]

    assert lessons == [lesson.key for pupil in household.pupils for lesson in pupil.lessons]


@quick
@given(cases())
def test_nobody_pays_more_than_the_top_rate_of_the_same_facts(case):
    grid, household = case

    bill, top = price(grid, household), price(grid, replace(household, lacking=("la photo",)))

    assert bill.total <= top.total + rounding(grid, bill)


@quick
@given(any_grid, quotients, quotients, st.data())
def test_a_lower_quotient_never_pays_more(grid, one, other, data):
    household = replace(data.draw(households(grid)), lacking=())

    lower, higher = (
        price(grid, replace(household, quotient=Quotient(Decimal(quotient))))
        for quotient in sorted([one, other])
    )

    assert lower.total <= higher.total + rounding(grid, lower)


def rounding(grid, bill):
    """What another order may move, a cent a line (`Order`); nothing for the towns."""
    return 0 if grid in SHAPES.values() else CENT * len(bill.lines)


def test_the_dearest_first_may_cost_a_lower_quotient_a_cent():
    """What `Order` says that no rounding of the lines avoids."""
    grid = Grid(
        label="Essai",
        categories=(Category("a", "A"), Category("b", "B")),
        rates=(
            Rate("a", amount=Decimal("10.06")),
            Rate("b", effort=Effort(Decimal("0.4"), Decimal(0), Decimal(2000))),
        ),
        modifiers=(Modifier(Reason.RANK, "2e enfant", percent=Decimal(10)),),
    )
    two_lines = pupil(lesson("a", key="1"), lesson("a", key="2"), key="two")
    one_line = pupil(lesson("b", key="3"), key="one")

    lower, higher = (
        price(grid, household(two_lines, one_line, quotient=quotient)).total
        for quotient in (5029, 5031)  # 20,116 € then 20,124 €: both written 20,12 €
    )

    assert (lower, higher) == (Decimal("38.23"), Decimal("38.22"))


@quick
@given(cases(), st.randoms())
def test_the_order_in_which_children_and_lessons_are_given_changes_nothing(case, random):
    grid, household = case
    pupils = [
        replace(pupil, lessons=tuple(random.sample(pupil.lessons, len(pupil.lessons))))
        for pupil in household.pupils
    ]
    shuffled = replace(household, pupils=tuple(random.sample(pupils, len(pupils))))

    assert price(grid, shuffled).total == price(grid, household).total


@quick
@given(cases(), shares)
def test_two_households_pay_the_whole_to_the_cent(case, share):
    grid, household = case

    def shared(part, rounds_up):
        pupils = [replace(p, share=part, rounds_up=rounds_up) for p in household.pupils]
        return price(grid, replace(household, pupils=tuple(pupils)))

    first, second, whole = shared(share, True), shared(1 - share, False), price(grid, household)

    for one, other, both in zip(first.lines, second.lines, whole.lines, strict=True):
        assert one.amount + other.amount == both.amount
    assert first.total + second.total == whole.total


@quick
@given(cases(least=1), st.data())
def test_more_months_never_cost_less(case, data):
    grid, household = case
    few, more = sorted(data.draw(st.tuples(*[st.integers(1, grid.months)] * 2)))

    assert price(grid, _for(household, few)).total <= price(grid, _for(household, more)).total
    assert (
        price(grid, _for(household, grid.months)).total == price(grid, _for(household, None)).total
    )


def _for(household: Household, months: int | None) -> Household:
    """The same one, whose first lesson lasts so many months."""
    pupil, *pupils = household.pupils
    lesson, *lessons = pupil.lessons
    pupil = replace(pupil, lessons=(replace(lesson, months=months), *lessons))
    return replace(household, pupils=(pupil, *pupils))
