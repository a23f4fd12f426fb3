"""`check_invariants` sees what the services never do."""

from decimal import Decimal

import pytest
from django.utils import timezone

from billing import services
from billing.enums import PaymentMeans
from billing.models import Deposit, Payment, ReceiptSeries
from imuse.invariants import violations


@pytest.fixture
def payment(make_issued, accountant, establishment):
    payment = services.record_payment(
        make_issued(),
        amount=Decimal(38),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference="CB 1",
        actor=accountant,
    )
    services.close_day(establishment, timezone.localdate(), actor=accountant)
    return payment


def test_all_is_well(payment):
    assert list(violations()) == []


def test_a_gap_among_receipts(payment):
    ReceiptSeries.objects.update(last_number=2)

    [told] = violations()
    assert "compteur" in told


def test_a_receipt_that_is_not_the_sum_of_its_payments(payment):
    Deposit.objects.update(amount=39)

    [told] = violations()
    assert "la somme" in told


def test_a_closed_day_that_was_touched(payment):
    Payment.objects.update(amount=37)
    Deposit.objects.update(amount=37)

    [told] = violations()
    assert "38,00\u00a0€ arrêtés, 37,00\u00a0€ enregistrés" in told


def test_another_means_recorded_on_a_closed_day(payment):
    Payment.objects.create(
        invoice=payment.invoice,
        amount=Decimal(5),
        means=PaymentMeans.TRANSFER,
        paid_on=timezone.localdate(),
        reference="VIR 1",
        recorded_by=payment.recorded_by,
    )

    [told] = violations()
    assert "virement\u00a0: 5,00\u00a0€ enregistrés après l'arrêté" in told


def test_what_payfip_tells_late_is_no_violation(payment):
    services.record_online_payment(
        payment.invoice,
        amount=Decimal(5),
        means=PaymentMeans.ONLINE,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    assert list(violations()) == []
