"""Which households are late, for which invoices, and at which level they are to be reminded."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Max
from django.utils import timezone

from accounts.models import Establishment
from billing.enums import PaymentReminderOutcome, ReminderLevel, Settlement
from billing.models import (
    Invoice,
    PaymentAttempt,
    PaymentReminderLine,
    RegieSettings,
    RemindedInvoice,
)
from billing.money import ZERO
from billing.regie.dues import payable_invoices
from billing.regie.settings import settings_of
from billing.schedule import parts_of
from families.models import Family, Guardian
from families.reach import why_unreached

PAYING = "paie en ce moment en ligne\u00a0: à revoir une fois que PayFiP aura répondu"
IN_DOUBT = "un paiement en ligne est à vérifier\u00a0: ne pas relancer avant"


@dataclass(frozen=True)
class OverdueInvoice:
    invoice: Invoice
    amount: Decimal  # euros: all that is left but of the instalments that are not past
    since: dt.date  # the first that is past and not paid was due by that day
    asked: int  # the level of its last reminder, 0 for none

    @property
    def days(self) -> int:
        return (timezone.localdate() - self.since).days

    @property
    def next_level(self) -> ReminderLevel | None:
        """None once it has been told that the treasury follows."""
        return ReminderLevel(self.asked + 1) if self.asked < ReminderLevel.LAST else None


@dataclass(frozen=True)
class OverdueHousehold:
    """What one household owes late to one establishment."""

    family: Family
    settings: RegieSettings
    all_invoices: list[OverdueInvoice]
    last_reminder: dt.date | None  # of any establishment, in Paris
    paying: str = ""  # why it is not to be reminded now: it has left for PayFiP, or paid in doubt

    @cached_property
    def invoices(self) -> list[OverdueInvoice]:
        """Those that a reminder may still ask for."""
        return [each for each in self.all_invoices if each.next_level]

    @property
    def amount(self) -> Decimal:
        return sum((each.amount for each in self.invoices), ZERO)

    @property
    def total(self) -> Decimal:
        """With what is the treasury's to recover."""
        return sum((each.amount for each in self.all_invoices), ZERO)

    @property
    def days(self) -> int:
        """Of the oldest."""
        return max((each.days for each in self.all_invoices), default=0)

    @property
    def level(self) -> ReminderLevel | None:
        """The firmest of its invoices': it is the tone of the mail."""
        levels = [each.next_level for each in self.invoices]
        return max(levels, default=None)

    @property
    def is_worth_it(self) -> bool:
        return self.amount >= self.settings.claim_minimum

    @property
    def was_reminded_today(self) -> bool:
        return self.last_reminder == timezone.localdate()

    @property
    def was_reminded_lately(self) -> bool:
        if self.last_reminder is None:
            return False
        waited = (timezone.localdate() - self.last_reminder).days
        return waited < max(self.settings.days_between_reminders, 1)

    @cached_property
    def guardians(self) -> list[Guardian]:
        return list(self.family.guardians.all())

    @cached_property
    def reached(self) -> list[Guardian]:
        return [guardian for guardian, why in self.unreached_because if not why]

    @cached_property
    def unreached_because(self) -> list[tuple[Guardian, str]]:
        site = self.settings.establishment_id
        return [(guardian, why_unreached(guardian, site)) for guardian in self.guardians]


def overdue_households(
    establishment: Establishment, families: Collection[int] | None = None
) -> list[OverdueHousehold]:
    """By name; `families`, keys, if only some are asked about. Eleven queries for any number.

    An invoice that no family sees yet is nobody's fault: left out. So is a household whose other
    invoices hold in excess as much as it owes late: that is to be carried over first. One that is
    paying online is found, with the reason not to remind it now (`paying`).
    """
    today = timezone.localdate()
    invoices = payable_invoices(establishment).with_amounts(today).filter(published_on__lte=today)
    if families is not None:
        invoices = invoices.filter(family__in=families)
    late = defaultdict(list)
    found = invoices.filter(settlement=Settlement.OVERDUE)
    found = list(found.prefetch_related("instalments").order_by("due_on", "pk"))
    asked = _levels(found)
    for invoice in found:
        overdue = _overdue(invoice, today, asked.get(invoice.pk, 0))
        if overdue:
            late[invoice.family_id].append(overdue)
    excess = defaultdict(lambda: ZERO)
    overpaid = invoices.filter(left__lt=0, family__in=list(late)).order_by()
    for family, left in overpaid.values_list("family", "left"):
        excess[family] -= left
    settings = settings_of(establishment)
    paying = _paying(establishment, late)
    rows = [
        OverdueHousehold(family, settings, late[family.pk], last, paying.get(family.pk, ""))
        for family, last in _families(late)
    ]
    return [row for row in rows if row.total > excess[row.family.pk]]


def _overdue(invoice, today, asked):
    parts = parts_of(
        invoice.instalments.all(), credited=invoice.credited, paid=invoice.paid, today=today
    )
    # A cheque that bounces after a refund makes more due than the instalments come to.
    amount = invoice.left - sum((part.left for part in parts if part.due_on >= today), ZERO)
    since = next((part.due_on for part in parts if part.is_overdue), invoice.due_on)
    is_late = since < today and amount > ZERO
    return OverdueInvoice(invoice, amount, since, asked) if is_late else None


def _levels(invoices):
    reminded = RemindedInvoice.objects.filter(invoice__in=[each.pk for each in invoices])
    return dict(reminded.order_by().values_list("invoice").annotate(level=Max("level")))


def _paying(establishment, keys):
    """Of whatever invoice of theirs there: what is in doubt is told rather than what is open."""
    attempts = PaymentAttempt.objects.without_end().filter(
        invoice__establishment=establishment, invoice__family__in=list(keys)
    )
    why = {}
    for family, alert in attempts.order_by("alert").values_list("invoice__family", "alert"):
        why[family] = IN_DOUBT if alert else PAYING
    return why


def _families(keys):
    families = (
        Family.objects.filter(pk__in=list(keys))
        .not_erased()
        .prefetch_related("guardians__user__establishments")
        .order_by("sort_name", "pk")
    )
    sent = PaymentReminderLine.objects.filter(
        family__in=list(keys), outcome=PaymentReminderOutcome.SENT
    )
    last = dict(sent.order_by().values_list("family").annotate(last=Max("day")))
    return [(family, last.get(family.pk)) for family in families]
