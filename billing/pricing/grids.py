"""A tariff grid as the engine reads it: what a délibération votes, in euros and per cent.

The tables that staff edit become one by `billing.tariffs.loading`.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

ZERO = Decimal("0.00")


class Audience(StrEnum):
    ALL = "all"
    CHILD = "child"
    ADULT = "adult"


class Order(StrEnum):
    """How the students of a household are ranked for what depends on their rank.

    With DEAREST, a quotient that changes may change who is first (and whatever the order, which of
    a student's lessons is his first), and a lower one may then pay more:

    - where each reduction is a percentage without a floor, only by what rounding gives: half a cent
      for each step of each line, up in one order and down in the other. Where each student has one
      lesson of the same reductions (the four towns of the tests), never;
    - where one is not (floors that differ, amounts by rank or in euros), by more.

    No rounding of the lines gives it exactly: what is written of a line is what is paid of it, and
    the same percentage of 20,12 € in one line and in two of 10,06 € differs by a cent.
    """

    DEAREST = (
        "dearest"  # who would pay most as the first one; of two who would pay the same, the eldest
    )
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
    """« Taux d'effort »: `percent` of the quotient, between `floor` and `ceiling`.

    In euros for one term, as the amount of any other rate.
    """

    percent: Decimal
    floor: Decimal
    ceiling: Decimal


@dataclass(frozen=True)
class Rate:
    """One line of the grid. What is None, or ALL, stands for every case.

    Exactly one of `amount` (euros for one term) and `effort` is given. `rank` (1 for the first
    student of the household) is for grids that vote an amount per child; the last one written of
    the same category, zone, audience and band serves the next children too.
    """

    category: str
    zone: str | None = None  # a value of families.enums.Zone
    audience: Audience = Audience.ALL
    band: Band | None = None  # None: the quotient does not matter
    rank: int | None = None
    amount: Decimal | None = None
    effort: Effort | None = None

    @property
    def depends_on_quotient(self) -> bool:
        return self.band is not None or self.effort is not None

    @property
    def highest(self) -> Decimal:
        """What it asks at most, in euros for one term."""
        return self.effort.ceiling if self.effort else self.amount

    @property
    def floor(self) -> Decimal:
        return self.effort.floor if self.effort else ZERO


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

    `percent` (0 to 100) or `amount` (euros for the year), off each lesson concerned. `from_rank`
    and `to_rank` bound a rank (None: and further); `codes` the situations; `categories` the lessons
    (empty: all). `keeps_floor`: never below the floor of an `Effort`.
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
    """« Frais de dossier », « adhésion », in euros for the year: never reduced, nor by months."""

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

    @cached_property
    def rates_of(self) -> dict[str, tuple[Rate, ...]]:
        """By the code of a category, for the thousands of lessons that one grid prices."""
        found = defaultdict(list)
        for rate in self.rates:
            found[rate.category].append(rate)
        return {code: tuple(rates) for code, rates in found.items()}

    @cached_property
    def category_of(self) -> dict[str, Category]:
        return {category.code: category for category in self.categories}

    @cached_property
    def last_ranks(self) -> dict[tuple, int]:
        """The last rank written of a category, zone, audience and band: it serves the next too."""
        last = defaultdict(int)
        for rate in self.rates:
            if rate.rank is not None:
                last[ranked_with(rate)] = max(last[ranked_with(rate)], rate.rank)
        return dict(last)

    def serves_rank(self, rate: Rate, rank: int) -> bool:
        if rate.rank is None or rate.rank == rank:
            return True
        return rate.rank < rank and rate.rank == self.last_ranks[ranked_with(rate)]


@dataclass(frozen=True)
class Fault:
    """`forbids`: may the grid not be published? `category`: the code of the one concerned, if any.

    Codes that forbid: `no_category`, `category_twice`, `category_unknown`, `includes_itself`,
    `rate_amount`, `rate_effort`, `rate_band`, `rate_rank`, `modifier_value`, `modifier_ranks`,
    `modifier_codes`, `fee_amount`, `terms`, `months`, `no_rate`, `several_rates`. That warn:
    `not_priced`, `dearer_when_poorer`, `dearer_for_next_child`, `dearer_for_residents`,
    `ranks_add_up`, `code_unknown`.
    """

    code: str
    message: str
    forbids: bool = True
    category: str = ""


def ranked_with(rate: Rate) -> tuple:
    """What the rates of the first, second… child have in common."""
    return (rate.category, rate.zone, rate.audience, rate.band)
