"""Everybody at once, several workers: one attempt, one idOp, one payment, one receipt."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Mail
from billing import services
from billing.enums import AskedBy
from billing.models import Payment, PaymentAttempt
from billing.payfip import attempts
from billing.payfip.settling import settle, settle_next
from tests.billing.payfip.orders import choose, later
from tests.factories import (
    GuardianFactory,
    InvoiceLineFactory,
    PayFiPAccountFactory,
    UserFactory,
)
from tests.races import Browser, no_deadlock, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 5
AT_ONCE = 8


@pytest.fixture
def claire():
    return GuardianFactory(user__username="martin.c")


def make_invoice(guardian):
    draft = InvoiceLineFactory(invoice__family=guardian.family).invoice
    PayFiPAccountFactory(establishment=draft.establishment)
    return services.issue(draft, actor=UserFactory())


def left_with(invoice, guardian):
    return attempts.start(invoice, instalment=None, user=guardian.user)


def test_eight_clicks_are_one_idop(payfip, claire):
    for _ in range(ROUNDS):
        invoice = make_invoice(claire)
        payfip.operations.calls.clear()

        results = run_together(lambda n: left_with(invoice, claire), AT_ONCE)  # noqa: B023

        assert len({attempt.idop for attempt in results}) == 1
        assert payfip.operations.calls == ["creerPaiementSecurise"]
        assert invoice.attempts.count() == 1


def test_eight_tabs_of_a_browser_lead_to_one_page(payfip, claire):
    invoice = make_invoice(claire)
    browsers = [Browser(claire.user) for _ in range(AT_ONCE)]

    def press(number):
        return browsers[number].post(reverse("billing:pay", args=[invoice.pk])).url

    assert len(set(run_together(press, AT_ONCE))) == 1


def test_news_from_everywhere_at_once_is_one_payment(payfip, claire):
    """Three notifications, the return, the poll and the staff."""
    with no_deadlock():
        for _ in range(ROUNDS):
            invoice = make_invoice(claire)
            attempt = later(left_with(invoice, claire), minutes=6)
            choose(payfip, attempt.idop, "carte")
            told = {"idop": attempt.idop}
            doors = [
                *[lambda: Client().post(reverse("billing:notified"), told)] * 3,  # noqa: B023
                lambda: Client().get(reverse("billing:returned"), told),  # noqa: B023
                lambda: Client().post(reverse("billing:returned"), told),  # noqa: B023
                settle_next,
                settle_next,
                lambda: settle(attempt, AskedBy.STAFF),  # noqa: B023
            ]

            results = run_together(lambda n: doors[n](), len(doors))  # noqa: B023

            assert [one for one in results if isinstance(one, Exception)] == []
            payment = Payment.objects.get(invoice=invoice)
            assert payment.attempt.pk == attempt.pk
            assert (
                Mail.objects.filter(key__startswith=f"payment_receipt:{attempt.pk}:").count() == 1
            )
            assert attempt.moves.count() == 1


def test_a_cheque_and_the_news_at_the_same_instant(payfip, claire):
    """Both are recorded, in whatever order, or the cheque is refused: never lost, never hidden."""
    actor = UserFactory()
    for number in range(ROUNDS):
        invoice = make_invoice(claire)
        attempt = left_with(invoice, claire)
        choose(payfip, attempt.idop, "carte")
        calls = [
            lambda: settle(attempt, AskedBy.NOTIFICATION),  # noqa: B023
            lambda: record_cheque(invoice, number, actor),  # noqa: B023
        ]

        _, cheque = run_together(lambda n: calls[n](), 2)  # noqa: B023

        attempt.refresh_from_db()
        assert attempt.is_paid
        if isinstance(cheque, ValidationError):
            assert (cheque.code, attempt.alert) == ("too_much", "")
        else:
            assert attempt.alert.startswith("Trop-perçu")


def test_an_old_attempt_is_replaced_once(payfip, claire):
    invoice = make_invoice(claire)
    old = later(left_with(invoice, claire), minutes=16)

    results = run_together(lambda n: left_with(invoice, claire), AT_ONCE)

    assert len({attempt.pk for attempt in results} - {old.pk}) == 1
    assert PaymentAttempt.objects.open().count() == 1
    assert invoice.attempts.count() == 2


def test_paid_in_one_tab_while_begun_again_in_another(payfip, claire):
    """The old one is paid at the very moment when a new one is asked for: nothing is lost."""
    for _ in range(ROUNDS):
        invoice = make_invoice(claire)
        old = later(left_with(invoice, claire), minutes=16)
        choose(payfip, old.idop, "carte")
        calls = [
            lambda: left_with(invoice, claire),  # noqa: B023
            lambda: settle(old, AskedBy.NOTIFICATION),  # noqa: B023
        ]

        again, _ = run_together(lambda n: calls[n](), 2)  # noqa: B023

        assert isinstance(again, ValidationError)
        assert again.code == "nothing_left"
        assert Payment.objects.filter(invoice=invoice).count() == 1


def record_cheque(invoice, number, actor):
    return services.record_payment(
        invoice,
        amount=invoice.lines.get().amount,
        means="cheque",
        paid_on=invoice.issued_on,
        reference=f"CHQ {number}",
        actor=actor,
    )
