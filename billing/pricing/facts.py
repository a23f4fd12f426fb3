"""What is known of a household when its amounts are worked out (`billing.facts` reads it)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Quotient:
    """A « quotient familial » with where it comes from: the CAF's changes each month."""

    amount: Decimal  # euros
    month: dt.date | None = None  # its first day
    source: str = "CAF"


@dataclass(frozen=True)
class Lesson:
    key: int | str  # the enrolment, or the wish
    label: str  # the course, as the family reads it
    category: str  # a code of the grid
    school_hours: bool = False
    months: int | None = None  # begun months; None: the whole year


@dataclass(frozen=True)
class Pupil:
    """`share`: what this household pays of the student, 0 to 1 (the other household, the rest).

    `rounds_up`: of two households that share a cent, this one pays it; the other does not.
    `lacking`: as the household's, of the pieces that are the student's own.
    """

    key: int | str
    name: str
    born_on: dt.date
    is_adult: bool
    lessons: tuple[Lesson, ...]
    situations: frozenset[str] = frozenset()
    share: Decimal = Decimal(1)
    rounds_up: bool = True
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Household:
    """`lacking`: the pieces missing or refused that set the « tarif haut », in words.

    As they end the sentence « il manque… »: « l'attestation CAF ».
    """

    zone: str
    quotient: Quotient | None
    pupils: tuple[Pupil, ...]
    lacking: tuple[str, ...] = ()
