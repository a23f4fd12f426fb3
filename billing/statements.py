"""Where the invoices of a household stand today, as its pages tell it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.dates import day
from billing.enums import AT_THE_COUNTER, UNPAID, PartState, PaymentMeans, Settlement
from billing.models import Instalment, Invoice
from billing.money import ZERO
from billing.schedule import Part, parts_of

SHOWN_LINES = 8


@dataclass(frozen=True)
class Statement:
    """An issued invoice (`for_list`), its instalments and the credit notes on it."""

    invoice: Invoice
    parts: list[Part]
    credit_notes: list[Invoice]
    today: dt.date

    @property
    def is_unpaid(self) -> bool:
        return self.invoice.settlement in UNPAID

    @property
    def is_overdue(self) -> bool:
        return self.invoice.settlement == Settlement.OVERDUE

    @property
    def excess(self) -> Decimal:
        """What was received in excess, in euros: to refund, or to carry over."""
        return max(ZERO, -self.invoice.left)

    @property
    def credit(self) -> Decimal:
        """What the credit notes take off, in euros: negative, as it is written."""
        return -self.invoice.credited

    @property
    def next_part(self) -> Part | None:
        """The first instalment to come of which something is left; one due today is due now."""
        return next((part for part in self.parts if part.left and part.due_on > self.today), None)

    @property
    def due_now(self) -> Decimal:
        """What should be paid by tonight, in euros.

        All that is left but what is still to come: a cheque that bounces after a refund makes more
        due than the instalments come to.
        """
        if not self.is_unpaid:
            return ZERO
        to_come = sum((part.left for part in self.parts if part.due_on > self.today), ZERO)
        return max(ZERO, self.invoice.left - to_come)

    @property
    def due_since(self) -> dt.date | None:
        """The day by which the oldest of what is overdue should have been paid."""
        overdue = (part.due_on for part in self.parts if part.state == PartState.OVERDUE)
        return next(overdue, None)

    @property
    def last_due_on(self) -> dt.date:
        return self.parts[-1].due_on if self.parts else self.invoice.due_on

    @property
    def deadlines(self) -> list[str]:
        """Until when it can be paid, and where: only the days that are not the last due one."""
        invoice = self.invoice
        if not self.is_unpaid:
            return []
        online, counter = invoice.online_until, invoice.counter_until
        if online == counter != self.last_due_on:
            return [f"Payable, en ligne et au guichet, jusqu'au {day(online)}."]
        found = []
        if online != self.last_due_on:
            found.append(f"Payable en ligne jusqu'au {day(online)}.")
        if counter != self.last_due_on:
            found.append(f"Payable au guichet jusqu'au {day(counter)}.")
        return found

    @property
    def has_deadline(self) -> bool:
        """Something is or was to be paid by a day: neither nil nor cancelled."""
        return bool(self.parts) and self.invoice.settlement != Settlement.CANCELLED

    @property
    def is_read_at_once(self) -> bool:
        """To pay, and short enough for its lines to be shown in a list of invoices."""
        return self.is_unpaid and len(self.invoice.lines.all()) <= SHOWN_LINES

    @property
    def urgency(self) -> tuple:
        """Sorts the overdue first, then what is to pay, by day; what is settled stays in order."""
        if not self.is_unpaid:
            return 2, dt.date.min
        coming = self.next_part.due_on if self.next_part else self.last_due_on
        due_on = self.due_since or (self.today if self.due_now else coming)
        return (0 if self.is_overdue else 1), due_on

    @property
    def is_open_at_the_counter(self) -> bool:
        return self.is_unpaid and self.today <= self.invoice.counter_until

    @property
    def counter_address(self) -> str:
        """« Conservatoire, 6 rue de la Musique, 59200 Tourcoing »."""
        office = self.invoice.establishment
        return ", ".join([office.name, *office.address.splitlines()])

    @property
    def counter_means(self) -> str:
        """« carte bancaire, chèque, espèces ou virement »."""
        *others, last = (PaymentMeans(means).label for means in AT_THE_COUNTER)
        return f"{', '.join(others)} ou {last}"


@dataclass(frozen=True)
class Balance:
    """What a household owes for one tab: in euros, and the next day on which some of it is due."""

    left: Decimal
    due_now: Decimal
    is_overdue: bool
    next_on: dt.date | None
    next_amount: Decimal
    excess: Decimal


def statements_of(invoices: Iterable[Invoice], today: dt.date) -> list[Statement]:
    """One for each invoice, in their order; the credit notes among them go with what they correct.

    A credit note whose invoice is not there is left out.
    """
    invoices = list(invoices)
    notes = defaultdict(list)
    for invoice in reversed(invoices):  # the oldest first
        if invoice.is_credit_note:
            notes[invoice.credits_id].append(invoice)
    return [
        statement_of(invoice, invoice.instalments.all(), notes[invoice.pk], today)
        for invoice in invoices
        if not invoice.is_credit_note
    ]


def statement_of(
    invoice: Invoice,
    instalments: Iterable[Instalment],
    credit_notes: list[Invoice],
    today: dt.date,
) -> Statement:
    """`invoice` with its amounts (`with_amounts`)."""
    parts = parts_of(instalments, credited=invoice.credited, paid=invoice.paid, today=today)
    return Statement(invoice, parts, credit_notes, today)


def balance_of(statements: Iterable[Statement]) -> Balance:
    statements = list(statements)
    coming = [
        part
        for statement in statements
        if statement.is_unpaid
        for part in statement.parts
        if part.left and part.due_on > statement.today
    ]
    next_on = min((part.due_on for part in coming), default=None)
    unpaid = [statement for statement in statements if statement.is_unpaid]
    return Balance(
        left=sum((statement.invoice.left for statement in unpaid), ZERO),
        due_now=sum((statement.due_now for statement in unpaid), ZERO),
        is_overdue=any(statement.is_overdue for statement in unpaid),
        next_on=next_on,
        next_amount=sum((part.left for part in coming if part.due_on == next_on), ZERO),
        excess=sum((statement.excess for statement in statements), ZERO),
    )
