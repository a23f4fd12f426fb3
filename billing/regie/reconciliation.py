"""What PayFiP says was paid against the payments held: day by day, then what somebody must look at.

Nothing is stored, nothing is written. A day is that of the operation in Paris, as PayFiP dates it.
A debit that the bank returned is still what was received that day: its bounce is another movement.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.dates import day as written_day
from accounts.models import Establishment
from billing.enums import BY_PAYFIP, MONEY_CAME, PaymentNature
from billing.models import Payment, PaymentAttempt
from billing.money import ZERO, euros
from billing.payfip.settling import MEANS, RESULTS

LONG = dt.timedelta(hours=1)  # PayFiP's page opens for a quarter of an hour
SAID_PAID = [result for result, state in RESULTS.items() if state in MONEY_CAME]
NO_PAYMENT = "payé selon PayFiP, aucun encaissement"
NO_ATTEMPT = "encaissement en ligne sans tentative"


@dataclass(frozen=True)
class Pair:
    """An attempt that PayFiP says paid and the payment held for it; either may lack."""

    attempt: PaymentAttempt | None
    payment: Payment | None

    @property
    def said_on(self) -> dt.date | None:
        """The day of the operation, never after that on which it was told."""
        if self.attempt is None:
            return None
        told_at = self.attempt.settled_at
        return timezone.localdate(min(self.attempt.paid_at or told_at, told_at))

    @property
    def held_on(self) -> dt.date | None:
        return self.payment and self.payment.paid_on

    @property
    def day(self) -> dt.date:
        return self.said_on or self.held_on

    @property
    def invoice(self):
        return (self.attempt or self.payment).invoice

    @property
    def fault(self) -> str:
        """What differs, in French; empty when both say the same."""
        if self.payment is None:
            return NO_PAYMENT
        if self.attempt is None:
            return NO_ATTEMPT
        return "\u00a0; ".join(self._differences())

    def _differences(self):
        attempt, payment = self.attempt, self.payment
        if attempt.euros != payment.amount:
            yield f"{euros(payment.amount)} encaissés au lieu de {euros(attempt.euros)}"
        if payment.means != MEANS.get(attempt.state):
            yield f"encaissé en {payment.get_means_display()}"
        if payment.paid_on != self.said_on:
            yield f"encaissé au {written_day(payment.paid_on)}"
        if payment.invoice_id != attempt.invoice_id:
            yield f"encaissé sur la facture {payment.invoice.reference}"


@dataclass
class Day:
    """What PayFiP says paid that day and what is held of it, in euros."""

    day: dt.date
    said: Decimal = ZERO
    said_count: int = 0
    held: Decimal = ZERO
    held_count: int = 0

    @property
    def gap(self) -> Decimal:
        """Positive: PayFiP says more than is held."""
        return self.said - self.held

    @property
    def is_even(self) -> bool:
        return (self.said, self.said_count) == (self.held, self.held_count)


@dataclass(frozen=True)
class Reconciliation:
    """From `first` to `last`, both included. `to_check` and `lasting` are of whatever day."""

    first: dt.date
    last: dt.date
    pairs: list[Pair]
    to_check: list[PaymentAttempt]
    lasting: list[PaymentAttempt]  # open for more than an hour, and without an alert
    days: list[Day] = field(init=False)
    totals: Day = field(init=False)

    def __post_init__(self):
        days, totals = {}, Day(self.first)
        for pair in self.pairs:
            if self._has(pair.said_on):
                for each in (days.setdefault(pair.said_on, Day(pair.said_on)), totals):
                    each.said += pair.attempt.euros
                    each.said_count += 1
            if self._has(pair.held_on):
                for each in (days.setdefault(pair.held_on, Day(pair.held_on)), totals):
                    each.held += pair.payment.amount
                    each.held_count += 1
        object.__setattr__(self, "days", [days[day] for day in sorted(days)])
        object.__setattr__(self, "totals", totals)

    def _has(self, day):
        return day is not None and self.first <= day <= self.last

    @property
    def differing(self) -> list[Pair]:
        """The attempts said paid whose payment lacks or differs."""
        return [pair for pair in self.pairs if pair.attempt and pair.fault]

    @property
    def orphans(self) -> list[Pair]:
        """The payments online that no attempt explains."""
        return [pair for pair in self.pairs if pair.attempt is None]

    @property
    def is_even(self) -> bool:
        """Of the period: an alert or an attempt that lasts is not a difference yet."""
        return not any(pair.fault for pair in self.pairs)


def reconcile(establishment: Establishment, first: dt.date, last: dt.date) -> Reconciliation:
    """Four queries, whatever the number of attempts and payments."""
    attempts = _attempts(establishment)
    return Reconciliation(
        first,
        last,
        pairs_of(establishment, first, last),
        to_check=list(attempts.to_check().order_by("pk")),
        lasting=list(
            attempts.open()
            .filter(alert="", created_at__lt=timezone.now() - LONG)
            .order_by("created_at", "pk")
        ),
    )


def pairs_of(establishment: Establishment, first: dt.date, last: dt.date) -> list[Pair]:
    """What was said paid or is held in these days, by day. Two queries."""
    return sorted(
        _paired(
            _said_paid(establishment, first, last), _held(establishment, first, last), first, last
        ),
        key=lambda pair: (pair.day, pair.attempt.pk if pair.attempt else 0),
    )


def _paired(attempts: Iterable[PaymentAttempt], payments: Iterable[Payment], first, last):
    """An attempt of these days, or whose payment is; a payment of these days without attempt."""
    held = {payment.pk for payment in payments}
    seen = set()
    for attempt in attempts:
        pair = Pair(attempt, attempt.payment)
        if first <= pair.said_on <= last or attempt.payment_id in held:
            seen.add(attempt.payment_id)
            yield pair
    for payment in payments:
        if payment.pk not in seen:
            yield Pair(getattr(payment, "attempt", None), payment)


def _said_paid(establishment, first, last) -> QuerySet[PaymentAttempt]:
    """Those of these days at least: `Pair.said_on` is one of both dates."""
    said = Q(state__in=MONEY_CAME) | Q(resultrans__in=SAID_PAID)
    near = Q(paid_at__date__range=(first, last)) | Q(settled_at__date__range=(first, last))
    return _attempts(establishment).filter(said, near, settled_at__isnull=False)


def _held(establishment, first, last) -> QuerySet[Payment]:
    payments = Payment.objects.filter(
        invoice__establishment=establishment,
        nature=PaymentNature.RECEIVED,
        means__in=BY_PAYFIP,
        paid_on__range=(first, last),
    )
    return payments.select_related("invoice", "attempt__invoice")


def _attempts(establishment):
    attempts = PaymentAttempt.objects.filter(invoice__establishment=establishment)
    return attempts.select_related("invoice", "payment__invoice")
