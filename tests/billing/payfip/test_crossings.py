"""What the régie does of an invoice while its household is at PayFiP."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from billing import services
from billing.enums import AskedBy, PaymentMeans, Settlement
from billing.models import Invoice, Payment
from billing.payfip.settling import settle
from tests.billing.payfip.orders import choose


def settlement(invoice):
    return Invoice.objects.with_amounts().get(pk=invoice.pk).settlement


def today(reference):
    return {"paid_on": timezone.localdate(), "reference": reference}


def test_paid_after_it_was_cancelled_is_to_give_back(start, payfip, invoice, accountant):
    attempt = start(invoice)
    services.cancel(invoice, reason="Double.", actor=accountant)
    choose(payfip, attempt.idop, "carte")

    attempt = settle(attempt, AskedBy.NOTIFICATION)

    assert attempt.alert.startswith("Trop-perçu de 38,00")
    assert settlement(invoice) == Settlement.OVERPAID
    amount, means = Decimal(38), PaymentMeans.TRANSFER
    services.refund(invoice, amount=amount, means=means, actor=accountant, **today("VIR 1"))
    assert settlement(invoice) == Settlement.CANCELLED


def test_a_closed_day_takes_the_debit_but_not_its_rejection(
    start, payfip, invoice, establishment, accountant
):
    attempt = start(invoice)
    services.close_day(establishment, timezone.localdate(), actor=accountant)
    choose(payfip, attempt.idop, "prelevement")

    assert settle(attempt, AskedBy.NOTIFICATION).is_paid
    with pytest.raises(ValidationError) as caught:
        services.bounce(Payment.objects.get(), actor=accountant, **today("REJET 1"))
    assert caught.value.code == "day_closed"


def test_the_way_to_payfip_closes_once_the_counter_has_received_that_instalment(
    client, parent, start, make_issued, family, account, accountant
):
    """Though the next one is of the same amount."""
    invoice = make_issued(family=family, amounts=["90"], parts=3)
    attempt = start(invoice, 1)
    amount, means = Decimal(30), PaymentMeans.CASH
    services.record_payment(invoice, amount=amount, means=means, actor=accountant, **today("R 1"))
    client.force_login(parent)

    response = client.get(reverse("billing:leave", args=[attempt.pk]))

    assert response.status_code == 302
