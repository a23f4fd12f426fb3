"""A tariff grid as the engine reads it: what a délibération votes, in euros and per cent.

The tables that staff edit become one by `billing.tariffs.loading`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Audience(StrEnum):
    ALL = "all"
    CHILD = "child"
    ADULT = "adult"


class Order(StrEnum):
    """How the students of a household are ranked for what depends on their rank."""

    DEAREST = "dearest"  # the one whose lessons cost most first; then the eldest
    ELDEST = "eldest"
    YOUNGEST = "youngest"


class FeePer(StrEnum):
    HOUSEHOLD = "household"
    STUDENT = "student"


class Reason(StrEnum):
    """What a modifier rewards."""

    RANK = "rank"  # of the student in the household
    SECOND_DISCIPLINE = "second"  # the student's other lessons, once the dearest is paid
    SITUATION = "situation"  # student, social minima…: `codes` says which
    SCHOOL_HOURS = "school_hours"  # CHAM, CHAD


@dataclass(frozen=True)
class Band:
    """Quotients from `low` included to `high` excluded, in euros; None: no limit on that side."""

    low: Decimal | None = None
    high: Decimal | None = None

    def holds(self, quotient: Decimal) -> bool:
        return (self.low is None or quotient >= self.low) and (
            self.high is None or quotient < self.high
        )


@dataclass(frozen=True)
class Effort:
    """« Taux d'effort »: `percent` of the quotient, between `floor` and `ceiling` (euros)."""

    percent: Decimal
    floor: Decimal
    ceiling: Decimal


@dataclass(frozen=True)
class Rate:
    """One line of the grid. What is None, or ALL, stands for every case.

    Exactly one of `amount` (euros for one term) and `effort` is given. `rank` (1 for the first
    student of the household) is for grids that vote an amount per child; the last one written
    serves the next children too.
    """

    category: str
    zone: str | None = None  # a value of families.enums.Zone
    audience: Audience = Audience.ALL
    band: Band | None = None  # None: the quotient does not matter
    rank: int | None = None
    amount: Decimal | None = None
    effort: Effort | None = None


@dataclass(frozen=True)
class Category:
    """A kind of lesson as the délibération names it.

    `includes`: the categories that cost nothing to a student who also pays this one (« cursus »:
    instrument, formation musicale and pratique collective for one amount). `once`: a second lesson
    of the category is not paid again (the « cursus », once for a student).
    """

    code: str
    label: str
    includes: frozenset[str] = frozenset()
    once: bool = False


@dataclass(frozen=True)
class Modifier:
    """A deduction, applied in the order of the grid, each on what the former left.

    `percent` (0 to 100) or `amount` (euros), off each lesson concerned. `from_rank` and `to_rank`
    bound a rank (None: and further); `codes` the situations; `categories` the lessons (empty: all).
    `keeps_floor`: never below the floor of an `Effort`.
    """

    reason: Reason
    label: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    from_rank: int = 2
    to_rank: int | None = None
    codes: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    keeps_floor: bool = True


@dataclass(frozen=True)
class Fee:
    """« Frais de dossier », « adhésion »: never reduced, never shared in time."""

    label: str
    amount: Decimal
    per: FeePer = FeePer.HOUSEHOLD


@dataclass(frozen=True)
class Grid:
    label: str
    categories: tuple[Category, ...]
    rates: tuple[Rate, ...]
    modifiers: tuple[Modifier, ...] = ()
    fees: tuple[Fee, ...] = ()
    order: Order = Order.DEAREST
    terms: int = 1  # the amounts are for one of so many terms (« trimestres »)
    months: int = 10  # of lessons in a whole year: a begun month is due in full
    top_within_zone: bool = False  # the « tarif haut » is the highest of the zone, not of the grid
