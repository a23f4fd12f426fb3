"""The régie by keyboard alone: a cheque for two invoices, its bounce, the day closed."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from billing import services
from billing.models import CashDay, Deposit, Invoice, Payment
from tests.browser.keyboard import enter, reach
from tests.factories import InvoiceLineFactory


@pytest.fixture
def invoices(family, student, accountant):
    return [
        services.issue(
            InvoiceLineFactory(
                invoice__family=family, student=student, label="Piano", amount=amount
            ).invoice,
            actor=accountant,
        )
        for amount in (38, 62)
    ]


def test_a_cheque_for_two_invoices_bounces_and_the_day_is_closed(visit, accountant, invoices):
    visitor = visit().sign_in_as(accountant)
    page = visitor.page
    page.goto("/admin/")
    enter(page, "Encaisser")
    page.keyboard.type("Martin")  # the search has the focus
    with page.expect_navigation():
        page.keyboard.press("Enter")
    enter(page, "Martin")

    reach(page, "Moyen")
    page.keyboard.type("ch")  # « chèque »
    reach(page, "Encaisser et faire")  # without a reference
    with page.expect_navigation():
        page.keyboard.press("Enter")
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Référence\u00a0: Ce champ est obligatoire.")
    expect(page.get_by_label("Moyen")).to_have_value("cheque")  # what was typed is kept
    reach(page, "Référence")  # of the summary, which leads to the field
    page.keyboard.press("Enter")
    expect(page.get_by_label("Référence")).to_be_focused()
    page.keyboard.type("CHQ 4411")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Quittance Q")).to_be_visible()
    deposit = Deposit.objects.get()
    assert (deposit.amount, deposit.payments.count()) == (100, 2)

    enter(page, "Rejeté par la banque")
    reach(page, "Référence")
    page.keyboard.type("REJET 7")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("100,00\u00a0€ rejetés le")).to_be_visible()
    assert Payment.objects.count() == 2  # read again, not written yet
    enter(page, "Enregistrer le rejet")
    expect(page.get_by_text("Rejet de 100,00\u00a0€ enregistré.")).to_be_visible()
    assert list(Invoice.objects.with_amounts().order_by("pk").values_list("left", flat=True)) == [
        38,
        62,
    ]

    today = timezone.localdate()
    page.goto(f"/admin/billing/payment/journal/?jour={today:%Y-%m-%d}")
    enter(page, "Arrêter la caisse de ce jour")
    enter(page, "Arrêter la caisse du")
    expect(page.get_by_text("Caisse arrêtée le")).to_be_visible()
    closed = CashDay.objects.get(day=today)
    total = closed.totals.get()
    assert (closed.closed_by, total.received, total.bounced) == (accountant, 100, -100)
    assert visitor.faults == []
