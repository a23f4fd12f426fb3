"""Which lessons are paid, which is the student's first, and who is first of the household.

Nothing here depends on the order in which the students or the lessons are given.
"""

from decimal import Decimal

from billing.pricing.facts import Household, Lesson, Pupil
from billing.pricing.grids import Grid, Order
from billing.pricing.rates import base_of
from billing.pricing.reductions import Standing, reduced, reductions_of


def included_in(grid: Grid, pupil: Pupil) -> dict[int | str, Lesson]:
    """By the key of each lesson that costs nothing, the one that includes it (see Category)."""
    holders = {
        lesson.key: [other for other in pupil.lessons if _includes(grid, other, lesson)]
        for lesson in pupil.lessons
    }
    return {
        key: next((one for one in found if not holders[one.key]), found[0])
        for key, found in holders.items()
        if found
    }


def first_lesson(grid: Grid, household: Household, pupil: Pupil, paid: list[Lesson]) -> Lesson:
    """The dearest of those paid, once its other reductions are taken off."""
    if len(paid) == 1:
        return paid[0]
    return max(paid, key=lambda lesson: (_worth(grid, household, pupil, lesson), *_named(lesson)))


def ranks(grid: Grid, household: Household, paid: dict[int | str, list[Lesson]]) -> dict:
    """By the key of each student who pays for a lesson, its rank in the household, from 1.

    `paid`: the lessons of each, by its key.
    """
    pupils = [pupil for pupil in household.pupils if paid[pupil.key]]
    if len(pupils) == 1:
        return {pupils[0].key: 1}
    match grid.order:
        case Order.ELDEST:
            pupils.sort(key=_eldest)
        case Order.YOUNGEST:
            pupils.sort(key=lambda pupil: (-pupil.born_on.toordinal(), *_eldest(pupil)))
        case Order.DEAREST:
            pupils.sort(key=lambda pupil: (-_cost(grid, household, pupil, paid), *_eldest(pupil)))
    return {pupil.key: rank for rank, pupil in enumerate(pupils, 1)}


def _includes(grid, lesson, other):
    category = grid.category_of.get(lesson.category)
    if category is None or lesson is other:
        return False
    again = category.once and lesson.category == other.category
    return other.category in category.includes or (again and _longest(lesson) > _longest(other))


def _cost(grid, household, pupil, paid):
    """What the student would pay as the first of the household."""
    first = first_lesson(grid, household, pupil, paid[pupil.key])
    return sum(
        _worth(grid, household, pupil, lesson, second=lesson is not first)
        for lesson in paid[pupil.key]
    )


def _worth(grid, household, pupil, lesson, *, second=False) -> Decimal:
    """For its months and the first student; exact, so that no cent decides of an order."""
    base = base_of(grid, household, pupil, lesson, rank=1)
    amount, floor = base.amount * grid.terms, base.floor * grid.terms
    for modifier in reductions_of(grid, pupil, lesson, Standing(1, second)):
        amount = reduced(modifier, amount, floor)
    return (
        amount if lesson.months is None else amount * min(lesson.months, grid.months) / grid.months
    )


def _eldest(pupil):
    return (pupil.born_on, pupil.name, str(pupil.key))


def _longest(lesson):
    """Of two lessons paid once, the one followed longest is paid; of two alike, either."""
    return (lesson.months is None, lesson.months or 0, *_named(lesson))


def _named(lesson):
    return (lesson.label, str(lesson.key))
