"""Facts in, lines out."""

from collections.abc import Iterator
from decimal import Decimal

from billing.money import round_cents
from billing.pricing import explaining
from billing.pricing.bills import Bill, Line, LineKind, PricingError
from billing.pricing.explaining import Calculation
from billing.pricing.facts import Household, Lesson, Pupil
from billing.pricing.grids import ZERO, Fee, FeePer, Grid
from billing.pricing.ranking import first_lesson, included_in, ranks
from billing.pricing.rates import base_of
from billing.pricing.reductions import Standing, reduced, reductions_of

__all__ = ["PricingError", "price"]

WHOLE = Decimal(1)


def price(grid: Grid, household: Household) -> Bill:
    """What the household owes by the grid for the year, each line with its reason in French.

    The fees come first, then the lessons of each student, in the order given. Of a lesson, in this
    order: the rate, the terms, the modifiers, the begun months, the household's share. Nobody
    without a lesson pays a fee or has a rank.

    Raises PricingError when a lesson matches no rate of the grid, or several.
    """
    included = {pupil.key: included_in(grid, pupil) for pupil in household.pupils}
    paid = {
        pupil.key: [lesson for lesson in pupil.lessons if lesson.key not in included[pupil.key]]
        for pupil in household.pupils
    }
    pupils = [pupil for pupil in household.pupils if paid[pupil.key]]
    rank_of = ranks(grid, household, paid)
    lines = list(_fees(grid, pupils))
    for pupil in pupils:
        first = first_lesson(grid, household, pupil, paid[pupil.key])
        for lesson in pupil.lessons:
            if holder := included[pupil.key].get(lesson.key):
                lines.append(_included(pupil, lesson, holder))
                continue
            standing = Standing(rank_of[pupil.key], second=lesson is not first)
            lines.append(_tuition(grid, household, pupil, lesson, standing))
    return Bill(tuple(lines))


def _fees(grid: Grid, pupils: list[Pupil]) -> Iterator[Line]:
    for fee in grid.fees:
        if fee.per == FeePer.STUDENT:
            for pupil in pupils:
                yield _fee(fee, pupil, of=pupil)
        elif pupils:
            # Whole as soon as one student is the household's own; else its part of the one most so.
            most = max(pupils, key=lambda pupil: (pupil.share, pupil.rounds_up))
            yield _fee(fee, most, of=None)


def _fee(fee: Fee, pupil: Pupil, *, of: Pupil | None) -> Line:
    """`pupil`: whose share it follows."""
    calculation = Calculation(fee.amount)
    _take_share(calculation, pupil)
    return Line(
        LineKind.FILE_FEE,
        fee.label,
        f"Par {'élève' if of else 'foyer'} et par an\u00a0: {calculation.words}",
        calculation.amount,
        pupil=of.key if of else None,
        whose=of.name if of else "",
    )


def _tuition(
    grid: Grid, household: Household, pupil: Pupil, lesson: Lesson, standing: Standing
) -> Line:
    base = base_of(grid, household, pupil, lesson, standing.rank)
    modifiers = list(reductions_of(grid, pupil, lesson, standing))
    calculation = explaining.of_terms(base, grid, household)
    for modifier in modifiers:
        before, floor = calculation.amount, base.floor * grid.terms
        left = reduced(modifier, before, floor)
        note = "plancher" if 0 < left == floor and modifier.keeps_floor else ""
        calculation.then(explaining.off(modifier), left, note=note)
    _take_months(calculation, lesson, grid.months)
    _take_share(calculation, pupil)
    return Line(
        LineKind.TUITION,
        lesson.label,
        f"{explaining.heading(base, household, modifiers)}\u00a0: {calculation.words}",
        calculation.amount,
        pupil=pupil.key,
        whose=pupil.name,
        lesson=lesson.key,
        category=lesson.category,
        at_top_rate=bool(base.why_top),
    )


def _included(pupil: Pupil, lesson: Lesson, holder: Lesson) -> Line:
    return Line(
        LineKind.TUITION,
        lesson.label,
        f"Compris dans le cursus ({holder.label})",
        ZERO,
        pupil=pupil.key,
        whose=pupil.name,
        lesson=lesson.key,
        category=lesson.category,
    )


def _take_months(calculation: Calculation, lesson: Lesson, of: int) -> None:
    """A begun month is due in full (domain.md, Tariffs: « pro-rata by begun month »)."""
    if lesson.months is None or lesson.months >= of:
        return
    words = explaining.begun_months(lesson.months, of)
    calculation.then(words, calculation.amount * lesson.months / of, apart=True)


def _take_share(calculation: Calculation, pupil: Pupil) -> None:
    """The two households pay together the whole, to the cent: one rounds, the other the rest."""
    if pupil.share == WHOLE:
        return
    amount = calculation.amount
    if pupil.rounds_up:
        share = amount * pupil.share
    else:
        share = amount - round_cents(amount * (WHOLE - pupil.share))
    calculation.then(explaining.part(pupil.share), share, apart=True)
