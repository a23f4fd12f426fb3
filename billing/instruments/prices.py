"""What a rental is proposed at, what it comes to, what was invoiced of it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from accounts.models import Establishment
from accounts.names import sort_key
from billing.models import InstrumentKind, Invoice, Rental, RentalCharge
from billing.money import ZERO, round_cents
from billing.tariffs.loading import grid_in_force
from students.models import SchoolYear

MONTHS = 10  # of lessons, in a school year


@dataclass(frozen=True)
class Price:
    """Euros: `rent` for a whole year of `months`, `deposit` once."""

    rent: Decimal
    deposit: Decimal
    months: int = MONTHS


def proposed_price(
    kind: InstrumentKind, establishment: Establishment, school_year: SchoolYear | None
) -> Price | None:
    """What the published grid asks for this kind of instrument; None when it says nothing.

    The agent has the last word: a rental keeps its own amounts.
    """
    grid = school_year and grid_in_force(establishment, school_year, timezone.localdate())
    if not grid:
        return None
    for rental in grid.rentals.all():
        if sort_key(rental.instrument) == kind.sort_name:
            # Not pro rata: the whole year is one part, due once begun.
            return Price(rental.amount, rental.deposit, grid.months if rental.pro_rata else 1)
    return None


def calendar_months(starts_on: dt.date, ends_on: dt.date) -> int:
    """The calendar months of which the period has a day: 15 September to 2 October is two."""
    return (ends_on.year - starts_on.year) * 12 + ends_on.month - starts_on.month + 1


def months_due(starts_on: dt.date, ends_on: dt.date, months: int) -> int:
    """The begun months, never more than those of a whole year."""
    return min(calendar_months(starts_on, ends_on), months)


def rent_due(rent: Decimal, starts_on: dt.date, ends_on: dt.date, months: int) -> Decimal:
    """Euros for the period: the year's rent, pro rata by begun month (domain.md, Tariffs)."""
    return round_cents(rent * months_due(starts_on, ends_on, months) / months)


def due(rental: Rental) -> Decimal:
    """Euros for the days agreed on, whatever was invoiced already."""
    return rent_due(rental.rent, rental.starts_on, rental.ends_on, rental.months)


def charged(rental: Rental) -> Decimal:
    """Euros on its invoices, drafts included; one that is cancelled asks nothing any more.

    A credit note on a part of an invoice is not looked at: what it gave up is not asked again.
    """
    return charged_of([rental]).get(rental.pk, ZERO)


def charged_of(rentals: Iterable[Rental]) -> dict[int, Decimal]:
    """`charged` of many, by their keys, for those that are on an invoice. Two queries."""
    charges = RentalCharge.objects.filter(rental__in=rentals).select_related("line")
    invoices = Invoice.objects.filter(lines__rental_charge__in=charges).with_amounts()
    live = {each.pk for each in invoices if each.credited < each.total}
    found = defaultdict(lambda: ZERO)
    for charge in charges:
        if charge.line.invoice_id in live:
            found[charge.rental_id] += charge.line.amount
    return dict(found)
