"""What « À faire » counts of the invoices, with each in every situation."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from billing import services as billing
from billing.enums import PaymentMeans, PaymentNature, Settlement
from billing.models import Invoice, Payment
from billing.regie.dues import counts_to_settle, payable_invoices
from tests.factories import EstablishmentFactory, InvoiceFactory, InvoiceLineFactory


@pytest.fixture
def bill(establishment, accountant):
    """An issued invoice of 90 €, of which so much is paid; `late`: its first part is."""

    def bill(paid=0, *, late=False, parts=1, site=establishment):
        draft = InvoiceFactory(establishment=site, parts=parts)
        InvoiceLineFactory(invoice=draft, amount=Decimal(90))
        invoice = billing.issue(draft, actor=accountant)
        if late:
            invoice.instalments.filter(number=1).update(
                due_on=timezone.localdate() - dt.timedelta(days=1)
            )
        if paid:
            Payment.objects.create(
                invoice=invoice,
                nature=PaymentNature.RECEIVED,
                amount=Decimal(paid),
                means=PaymentMeans.CASH,
                paid_on=timezone.localdate(),
                reference=f"ESP {invoice.pk}",
                recorded_by=accountant,
            )
        return invoice

    return bill


def as_settled(establishment):
    """What `settlement` says, one invoice after the other."""
    found = [each.settlement for each in payable_invoices(establishment).with_amounts()]
    return {
        "overdue": found.count(Settlement.OVERDUE),
        "overpaid": found.count(Settlement.OVERPAID),
    }


def test_each_situation_is_counted_as_settlement_says_it(bill, establishment, accountant):
    bill()  # to pay
    bill(late=True)  # overdue
    bill(30, late=True)  # overdue, in part
    bill(30, late=True, parts=3)  # paid so far
    bill(20, late=True, parts=3)  # overdue
    bill(90, late=True)  # paid
    bill(100, late=True)  # overpaid
    bill(91)  # overpaid
    InvoiceLineFactory(invoice=InvoiceFactory(establishment=establishment))  # a draft
    billing.cancel(bill(late=True), reason="Erreur", actor=accountant)
    billing.cancel(bill(90, late=True), reason="Erreur", actor=accountant)  # overpaid
    elsewhere = EstablishmentFactory(name="Annexe")
    bill(late=True, site=elsewhere)

    counts = counts_to_settle(establishment)

    assert counts == as_settled(establishment) == {"overdue": 3, "overpaid": 3}
    assert counts_to_settle(elsewhere) == {"overdue": 1, "overpaid": 0}


@pytest.mark.parametrize("count", [1, 3])
def test_three_queries(bill, establishment, count, django_assert_num_queries):
    for _ in range(count):
        bill(30, late=True)

    with django_assert_num_queries(3):
        counts_to_settle(establishment)
    assert Invoice.objects.count() == count
