"""What a rental is proposed at; the agent has the last word."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import Establishment
from billing.models import InstrumentKind
from billing.money import round_cents
from students.models import SchoolYear

MONTHS = 10  # of lessons, in a school year


@dataclass(frozen=True)
class Price:
    """Euros: `rent` for a whole year of `months`, `deposit` once."""

    rent: Decimal
    deposit: Decimal
    months: int = MONTHS


def proposed_price(
    kind: InstrumentKind, establishment: Establishment, school_year: SchoolYear
) -> Price | None:
    """What the published grid asks for this kind of instrument; None when it says nothing."""
    return None


def begun_months(starts_on: dt.date, ends_on: dt.date) -> int:
    """The calendar months of which the period has a day: 15 September to 2 October is two."""
    return (ends_on.year - starts_on.year) * 12 + ends_on.month - starts_on.month + 1


def months_due(starts_on: dt.date, ends_on: dt.date, months: int) -> int:
    """The begun months, never more than those of a whole year."""
    return min(begun_months(starts_on, ends_on), months)


def rent_due(rent: Decimal, starts_on: dt.date, ends_on: dt.date, months: int) -> Decimal:
    """Euros for the period: the year's rent, pro rata by begun month (domain.md, Tariffs)."""
    return round_cents(rent * months_due(starts_on, ends_on, months) / months)
