"""Where money, credit notes, reminders and attestations meet on one invoice."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from billing import services
from billing.attestations import attest, shares_of
from billing.enums import PaymentMeans, PeriodKind, Settlement
from billing.models import Invoice, Payment
from billing.regie.overdue import overdue_households
from billing.statements import statement_of
from tests.billing.due_dates import fall_due


@pytest.fixture
def till(accountant):
    """The régie's moves, today, each with a reference of its own."""

    class Till:
        def facts(self):
            count = Payment.objects.count() + 1
            return {"paid_on": timezone.localdate(), "reference": f"R {count}", "actor": accountant}

        def pay(self, invoice, amount, means=PaymentMeans.CHEQUE):
            return services.record_payment(
                invoice, amount=Decimal(amount), means=means, overpaid=True, **self.facts()
            )

        def refund(self, invoice, amount):
            means = PaymentMeans.TRANSFER
            return services.refund(invoice, amount=Decimal(amount), means=means, **self.facts())

        def bounce(self, payment):
            return services.bounce(payment, **self.facts())

        def carry(self, source, target, amount):
            return services.carry_over(source, target, amount=Decimal(amount), actor=accountant)

        def cancel(self, invoice):
            return services.cancel(invoice, reason="Erreur.", actor=accountant)

    return Till()


def fresh(invoice):
    return Invoice.objects.for_list().get(pk=invoice.pk)


def statement(invoice):
    row = fresh(invoice)
    return statement_of(row, row.instalments.all(), [], timezone.localdate())


def attested(family):
    """In euros, for the calendar year."""
    invoices = (
        Invoice.objects.filter(family=family)
        .select_related("establishment", "school_year")
        .prefetch_related("lines__student", "payments")
        .order_by("pk")
    )
    today = timezone.localdate()
    found = attest(shares_of(invoices), PeriodKind.CIVIL, today.year, family, today)
    return found.total if found else None


class TestCancelledRefundedBounced:
    """A cheque refunded upon a cancellation, then sent back by the bank: what was given is due."""

    @pytest.fixture
    def invoice(self, make_issued, family, till):
        invoice = make_issued(family=family)
        cheque = till.pay(invoice, "38")
        till.cancel(invoice)
        till.refund(invoice, "38")
        till.bounce(cheque)
        return invoice

    def test_it_is_due_again_and_not_cancelled(self, invoice):
        assert fresh(invoice).left == Decimal(38)
        assert fresh(invoice).settlement == Settlement.OVERDUE
        assert statement(invoice).due_now == Decimal(38)

    def test_it_is_reminded_once_its_date_is_past(self, invoice, establishment):
        fall_due(timezone.localdate() - dt.timedelta(days=10), invoice)

        (household,) = overdue_households(establishment)

        assert household.amount == Decimal(38)


def test_a_reminder_asks_for_what_the_family_reads(make_issued, family, till, establishment):
    """With what was given back for nothing: more than the instalments come to."""
    invoice = make_issued(family=family)
    cheque = till.pay(invoice, "48")
    till.refund(invoice, "10")
    till.bounce(cheque)
    fall_due(timezone.localdate() - dt.timedelta(days=10), invoice)

    (household,) = overdue_households(establishment)

    assert household.amount == statement(invoice).due_now == Decimal(48)


class TestCarriedThenBounced:
    """What a cheque had in excess pays another invoice; then the cheque bounces."""

    @pytest.fixture
    def carried(self, make_issued, family, till):
        source, target = make_issued(family=family), make_issued(family=family)
        cheque = till.pay(source, "76")
        till.carry(source, target, "38")
        till.bounce(cheque)
        return source, target

    def test_all_is_due_on_the_invoice_of_the_cheque(self, carried):
        source, target = carried

        assert (fresh(source).left, fresh(target).left) == (Decimal(76), Decimal(0))

    def test_nothing_is_attested(self, carried, family):
        assert attested(family) is None

    def test_all_is_attested_once_it_is_paid(self, carried, family, till):
        till.pay(carried[0], "76", means=PaymentMeans.CARD)

        assert attested(family) == "76,00\u00a0€"

    def test_half_of_it_too(self, carried, family, till):
        till.pay(carried[0], "38", means=PaymentMeans.CARD)

        assert attested(family) == "38,00\u00a0€"
