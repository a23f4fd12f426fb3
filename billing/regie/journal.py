"""The régie's journal: what was owed, what moved day by day, what is owed.

Everything is derived from issued invoices, credit notes and payments; nothing is stored that could
drift. An amount raises what households owe (invoice, refund, bounce) or lowers it (credit note,
receipt); what is carried from one invoice to another does neither. Nor does what is kept of the
deposit of a rental: due for a damage, it is paid by the deposit on the same day. The balance is net
of what was received in excess.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db.models import Case, Count, F, QuerySet, Sum, When

from accounts.models import Establishment
from billing.enums import InvoiceStatus, LineKind, PaymentMeans, PaymentNature
from billing.instruments.enums import DepositState
from billing.models import Invoice, InvoiceLine, Payment, Rental
from billing.money import ZERO, SumField, round_cents

MOVES = ["invoiced", "credited", "received", "refunded", "bounced", "carried", "kept"]
TILL = [means for means in PaymentMeans if means != PaymentMeans.CARRIED]


@dataclass
class TillLine:
    """What one means of payment brought (positive), and took (negative)."""

    means: PaymentMeans
    received: Decimal = ZERO
    refunded: Decimal = ZERO
    bounced: Decimal = ZERO
    count: int = 0

    @property
    def net(self) -> Decimal:
        return self.received + self.refunded + self.bounced


@dataclass
class Day:
    """The movements of one day, in euros, with the sign that they have on what is owed."""

    day: dt.date
    invoiced: Decimal = ZERO
    credited: Decimal = ZERO  # negative
    received: Decimal = ZERO  # negative
    refunded: Decimal = ZERO
    bounced: Decimal = ZERO
    carried: Decimal = ZERO  # nil: what one invoice gives, another takes
    kept: Decimal = ZERO  # of deposits of rentals: due and paid at once, it changes nothing
    opening: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        return (
            self.invoiced
            + self.credited
            + self.received
            + self.refunded
            + self.bounced
            + self.carried
        )

    @property
    def closing(self) -> Decimal:
        return self.opening + self.change


@dataclass(frozen=True)
class Journal:
    """From `first` to `last`, both included; `days` are those on which something moved."""

    first: dt.date
    last: dt.date
    opening: Decimal
    days: list[Day]
    till: list[TillLine]
    kinds: dict[LineKind, Decimal]  # invoices less credit notes, by what they are for
    totals: Day = field(init=False)

    def __post_init__(self):
        totals = Day(self.first, opening=self.opening)
        for each in self.days:
            for name in MOVES:
                setattr(totals, name, getattr(totals, name) + getattr(each, name))
        object.__setattr__(self, "totals", totals)

    @property
    def closing(self) -> Decimal:
        return self.totals.closing

    @cached_property
    def till_total(self) -> Decimal:
        return sum((line.net for line in self.till), ZERO)


def journal_of(establishment: Establishment, first: dt.date, last: dt.date) -> Journal:
    """Six queries, whatever the number of invoices and payments."""
    days: dict[dt.date, Day] = {}
    kinds = defaultdict(lambda: ZERO)
    lines = _lines(establishment).filter(invoice__issued_on__range=(first, last)).order_by()
    is_note = Case(When(invoice__credits__isnull=False, then=True), default=False)
    for row in lines.values("invoice__issued_on", "kind", note=is_note).annotate(sum=_sum()):
        day = days.setdefault(row["invoice__issued_on"], Day(row["invoice__issued_on"]))
        if row["note"]:
            day.credited += row["sum"]
        else:
            day.invoiced += row["sum"]
        kinds[LineKind(row["kind"])] += row["sum"]
    moves = _payments(establishment).filter(paid_on__range=(first, last)).order_by()
    for row in moves.values("paid_on", "nature").annotate(sum=_sum()):
        day = days.setdefault(row["paid_on"], Day(row["paid_on"]))
        name = PaymentNature(row["nature"]).value
        setattr(day, name, getattr(day, name) - row["sum"])
    kept = _kept(establishment).filter(deposit_settled_on__range=(first, last)).order_by()
    for on, amount in kept.values_list("deposit_settled_on", "deposit_kept"):
        days.setdefault(on, Day(on)).kept += amount
    opening = balance_before(establishment, first)
    ordered, reached = [days[key] for key in sorted(days)], opening
    for day in ordered:
        day.opening, reached = reached, reached + day.change
    return Journal(
        first,
        last,
        opening,
        ordered,
        _till(moves),
        {kind: kinds[kind] for kind in LineKind if kind in kinds},
    )


def balance_before(establishment: Establishment, day: dt.date) -> Decimal:
    """What is owed on the eve (euros): issued, less what was received. Two queries."""
    issued = _lines(establishment).filter(invoice__issued_on__lt=day).aggregate(sum=_sum())["sum"]
    paid = _payments(establishment).filter(paid_on__lt=day).aggregate(sum=_sum())["sum"]
    return round_cents((issued or ZERO) - (paid or ZERO))


def till_of(establishment: Establishment, day: dt.date) -> list[TillLine]:
    """What each means brought and took that day; those that moved. One query."""
    return _till(_payments(establishment).filter(paid_on=day).order_by())


def documents_of(establishment: Establishment, first: dt.date, last: dt.date) -> QuerySet[Invoice]:
    """The invoices and credit notes issued, in the order of their numbers."""
    issued = Invoice.objects.with_amounts().filter(
        establishment=establishment,
        status=InvoiceStatus.ISSUED,
        issued_on__range=(first, last),
    )
    return (
        issued.select_related("credits", "family")
        .prefetch_related("lines")
        .order_by("issued_on", "year", "number")
    )


def payments_of(establishment: Establishment, first: dt.date, last: dt.date) -> QuerySet[Payment]:
    """The movements of money, in the order of their days."""
    moves = _payments(establishment).filter(paid_on__range=(first, last))
    return moves.select_related("invoice__family", "deposit", "recorded_by").order_by(
        "paid_on", "pk"
    )


def kept_deposits_of(
    establishment: Establishment, first: dt.date, last: dt.date
) -> QuerySet[Rental]:
    """The rentals whose deposit was kept, in part or whole, in the order of their days."""
    kept = _kept(establishment).filter(deposit_settled_on__range=(first, last))
    return (
        kept.select_related("family", "student", "instrument__kind")
        .prefetch_related("family__guardians")
        .order_by("deposit_settled_on", "pk")
    )


def _till(moves) -> list[TillLine]:
    lines: dict[str, TillLine] = {}
    grouped = moves.exclude(nature=PaymentNature.CARRIED).values("means", "nature")
    for row in grouped.annotate(sum=_sum(), count=Count("pk")):
        line = lines.setdefault(row["means"], TillLine(PaymentMeans(row["means"])))
        setattr(line, row["nature"], row["sum"])
        line.count += row["count"]
    return [lines[means] for means in TILL if means in lines]


def sum_by_kind(lines: Iterable[InvoiceLine]) -> dict[LineKind, Decimal]:
    """What an invoice is for, in the order of the kinds; lines read already."""
    sums = defaultdict(lambda: ZERO)
    for line in lines:
        sums[LineKind(line.kind)] += line.amount
    return {kind: sums[kind] for kind in LineKind if kind in sums}


def _lines(establishment):
    return InvoiceLine.objects.filter(
        invoice__establishment=establishment, invoice__status=InvoiceStatus.ISSUED
    )


def _payments(establishment):
    return Payment.objects.filter(invoice__establishment=establishment)


def _kept(establishment):
    return Rental.objects.filter(
        instrument__establishment=establishment, deposit_state=DepositState.KEPT
    )


def _sum():
    return Sum(F("amount"), output_field=SumField())
