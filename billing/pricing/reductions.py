"""What the modifiers of a grid take off a lesson, in the grid's order."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from billing.pricing.facts import Lesson, Pupil
from billing.pricing.grids import ZERO, Grid, Modifier, Reason


@dataclass(frozen=True)
class Standing:
    """Where a lesson stands: `rank` of its student, and is it `second`, another one dearer?"""

    rank: int = 1
    second: bool = False


def reductions_of(
    grid: Grid, pupil: Pupil, lesson: Lesson, standing: Standing
) -> Iterator[Modifier]:
    for modifier in grid.modifiers:
        if _concerns(modifier, pupil, lesson, standing):
            yield modifier


def reduced(modifier: Modifier, amount: Decimal, floor: Decimal) -> Decimal:
    """What is left of `amount`, not rounded, never below zero (euros for the year).

    A modifier that keeps the floor leaves what is below it already as it is.
    """
    if modifier.amount is not None:
        left = amount - modifier.amount
    else:
        left = amount * (100 - modifier.percent) / 100
    return max(left, min(amount, floor) if modifier.keeps_floor else ZERO)


def _concerns(modifier, pupil, lesson, standing):
    if modifier.categories and lesson.category not in modifier.categories:
        return False
    match modifier.reason:
        case Reason.RANK:
            return holds_rank(modifier, standing.rank)
        case Reason.SECOND_DISCIPLINE:
            return standing.second
        case Reason.SITUATION:
            return not modifier.codes.isdisjoint(pupil.situations)
        case Reason.SCHOOL_HOURS:
            return lesson.school_hours
    raise ValueError(f"Unknown reason: {modifier.reason}")


def holds_rank(modifier: Modifier, rank: int) -> bool:
    return modifier.from_rank <= rank and (modifier.to_rank is None or rank <= modifier.to_rank)
