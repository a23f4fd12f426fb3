"""Which rate of the grid a lesson has: exactly one, or the « tarif haut »."""

from dataclasses import dataclass
from decimal import Decimal

from billing.pricing import explaining
from billing.pricing.bills import PricingError
from billing.pricing.facts import Household, Lesson, Pupil
from billing.pricing.grids import Audience, Grid, Rate


@dataclass(frozen=True)
class Base:
    """What a lesson costs for one term before anything is taken off, in euros, and why.

    `floor`: what no modifier that keeps it may go below. `why_top`: why it is the « tarif haut »,
    empty when it is not.
    """

    rate: Rate
    amount: Decimal
    floor: Decimal
    why_top: str = ""


def base_of(grid: Grid, household: Household, pupil: Pupil, lesson: Lesson, rank: int) -> Base:
    """The lesson's for the student of that rank in the household. Raises PricingError.

    « Tarif haut » (domain.md, Tariffs): when a required piece is missing or refused, or when the
    rate depends on a quotient that is not known.
    """
    if lesson.category not in grid.category_of:
        raise _uncategorised(lesson)
    if lacking := (*household.lacking, *pupil.lacking):
        return _top(grid, household, pupil, lesson, rank, explaining.what_lacks(lacking))
    rates = rates_for(grid, lesson.category, household.zone, pupil.is_adult, rank)
    if household.quotient is None and any(rate.depends_on_quotient for rate in rates):
        why = "le quotient familial n'est pas connu"
        return _top(grid, household, pupil, lesson, rank, why)
    quotient = household.quotient.amount if household.quotient else None
    rates = [rate for rate in rates if rate.band is None or rate.band.holds(quotient)]
    if len(rates) != 1:
        raise _unpriced(rates, household, pupil, lesson)
    rate = rates[0]
    return Base(rate, amount_of(rate, quotient), rate.floor)


def rates_for(grid: Grid, category: str, zone: str, is_adult: bool, rank: int) -> list[Rate]:
    """Those of the case, whatever the quotient."""
    return [
        rate
        for rate in grid.rates_of.get(category, ())
        if rate.zone in (None, zone) and is_for(rate, is_adult) and grid.serves_rank(rate, rank)
    ]


def amount_of(rate: Rate, quotient: Decimal | None) -> Decimal:
    """In euros for one term, not rounded; `quotient` may be None where the rate ignores it."""
    if rate.effort is None:
        return rate.amount
    effort = rate.effort
    return min(max(effort.percent * quotient / 100, effort.floor), effort.ceiling)


def is_for(rate, is_adult):
    return rate.audience in (Audience.ALL, Audience.ADULT if is_adult else Audience.CHILD)


def _top(grid, household, pupil, lesson, rank, why):
    """The highest line of the category: of the student's age and rank, which no piece proves."""
    rates = [
        rate
        for rate in grid.rates_of.get(lesson.category, ())
        if is_for(rate, pupil.is_adult)
        and grid.serves_rank(rate, rank)
        and (not grid.top_within_zone or rate.zone in (None, household.zone))
    ]
    if not rates:
        raise _unpriced(rates, household, pupil, lesson)
    highest = max(rates, key=lambda rate: rate.highest)
    floor = max(rate.floor for rate in rates)  # else a floor of the usual rate could be dearer
    return Base(highest, highest.highest, min(floor, highest.highest), why)


def _uncategorised(lesson):
    course = f"cours «\u00a0{lesson.label}\u00a0»"
    if not lesson.category:
        return PricingError("no_category", f"Le {course} n'a pas de catégorie tarifaire.")
    message = f"La catégorie «\u00a0{lesson.category}\u00a0» du {course} n'est pas dans la grille."
    return PricingError("no_category", message)


def _unpriced(rates, household, pupil, lesson):
    case = explaining.case(household, pupil)
    if not rates:
        return PricingError(
            "no_rate",
            f"Aucun tarif de la grille ne convient à «\u00a0{lesson.label}\u00a0» ({case}).",
        )
    return PricingError(
        "several_rates",
        f"{len(rates)} tarifs de la grille conviennent à la fois à «\u00a0{lesson.label}\u00a0»"
        f" ({case}).",
    )
