"""The régie's desk, on a screen and on a telephone: axe, the width, the strict CSP."""

import pytest
from django.urls import reverse
from django.utils import timezone

from billing.models import Payment, PaymentAttempt, RegieSettings
from tests.billing.gallery import Gallery
from tests.browser.test_pages import WIDTHS, faults
from tests.factories import (
    CustodyFactory,
    FamilyFactory,
    InvoiceLineFactory,
    InvoiceRunFactory,
    PayerShareFactory,
    PayFiPAccountFactory,
    RentalFactory,
    SituationFactory,
    make_paid_attempt,
)


@pytest.fixture
def gallery(family, student, accountant):
    """Of a household whose names are long: invoices in every state, and their payments."""
    family.name = "Vandermeersch-Delannoy de Hautecombe"
    family.save(update_fields=["name"])
    return Gallery(family, student, accountant).fill()


def lists(*names):
    return [reverse(f"admin:billing_{name}_changelist") for name in names]


@WIDTHS
def test_the_pages_of_the_invoices(visit, accountant, family, student, gallery, width):
    draft = InvoiceLineFactory(invoice__family=family, student=student).invoice
    visitor = visit(width=width).sign_in_as(accountant)

    def of(name, *verbs):
        key = gallery.invoices[name].pk
        return [reverse(f"admin:billing_invoice_{verb}", args=[key]) for verb in verbs]

    assert (
        faults(
            visitor,
            [
                reverse("admin:index"),
                *lists("invoice"),
                reverse("admin:billing_invoice_add"),
                reverse("admin:billing_invoice_change", args=[draft.pk]),
                *of("due", "change", "record_payment", "credit", "cancel"),
                *of("sixty", "change"),
                *of("overpaid", "change", "refund", "carry_over"),
                *of("cancelled", "change"),
                reverse("admin:billing_invoice_to_settle"),
                reverse("admin:billing_invoice_reminders"),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_pages_of_the_payments(visit, accountant, family, establishment, gallery, width):
    PayFiPAccountFactory(establishment=establishment)
    settings = RegieSettings.objects.create(establishment=establishment)
    make_paid_attempt(gallery.invoices["due"])
    payment = Payment.objects.filter(deposit__isnull=False).latest("paid_on", "pk")
    today = timezone.localdate()
    journal = reverse("admin:billing_payment_journal")
    counter = reverse("admin:billing_payment_counter")
    visitor = visit(width=width).sign_in_as(accountant)

    assert (
        faults(
            visitor,
            [
                *lists("payment", "paymentattempt", "payfipaccount", "regiesettings"),
                reverse("admin:billing_payment_change", args=[payment.pk]),
                reverse("admin:billing_payment_receipt", args=[payment.deposit_id]),
                *[counter, f"{counter}?q=Vandermeersch", f"{counter}?q=Zola"],
                reverse("admin:billing_payment_deposit", args=[family.pk]),
                *[journal, f"{journal}?jour={today}", f"{journal}?mois=2020-01"],
                reverse("admin:billing_paymentattempt_change", args=[last(PaymentAttempt)]),
                reverse("admin:billing_regiesettings_change", args=[settings.pk]),
            ],
        )
        == {}
    )


@WIDTHS
def test_the_pages_of_rentals_runs_and_situations(visit, accountant, family, student, width):
    rental = RentalFactory(student=student, family=family)
    run = InvoiceRunFactory()
    SituationFactory(family=family)
    PayerShareFactory(custody=CustodyFactory(student=student, family=FamilyFactory(), rank=2))
    visitor = visit(width=width).sign_in_as(accountant)

    assert (
        faults(
            visitor,
            [
                *lists("instrument", "instrumentkind", "rental"),
                *lists("invoicerun", "situation", "payershare"),
                *[
                    reverse(f"admin:billing_{name}_add")
                    for name in ("instrument", "invoicerun", "situation", "payershare")
                ],
                reverse("admin:billing_instrument_change", args=[rental.instrument_id]),
                reverse("admin:billing_instrument_rent", args=[rental.instrument_id]),
                reverse("admin:billing_rental_change", args=[rental.pk]),
                reverse("admin:billing_rental_step", args=[rental.pk, "remettre"]),
                reverse("admin:billing_invoicerun_change", args=[run.pk]),
                reverse("admin:billing_invoicerun_redate", args=[run.pk]),
            ],
        )
        == {}
    )


def last(model):
    return model.objects.latest("pk").pk
