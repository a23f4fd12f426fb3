"""What the tests ask PayFiP for."""

import datetime as dt

from django.utils import timezone

from billing.models import PaymentAttempt
from billing.payfip.rules import Order

NUMCLI = "090909"


def make_order(**changes) -> Order:
    facts = {
        "numcli": NUMCLI,
        "saisie": "T",
        "refdet": "20260004201",
        "montant": 38_00,
        "objet": "Facture 2026 00042",
        "mel": "claire.martin@example.org",
        "exer": 2026,
        "urlnotif": "http://127.0.0.1:9/notification",
        "urlredirect": "http://127.0.0.1:9/retour",
    }
    return Order(**(facts | changes))


def choose(simulator, idop: str, choice: str) -> None:
    """As on the payment page: it is opened, then one of its buttons is pressed; nobody is told."""
    simulator.operations.open(idop)
    simulator.operations.end(idop, choice)


def money_of(invoice) -> list[tuple[str, str]]:
    """Amount and means of each payment of the invoice, in order."""
    return [(str(one.amount), one.means) for one in invoice.payments.order_by("pk")]


def later(attempt: PaymentAttempt, **ago) -> PaymentAttempt:
    """As if it had been made so long ago, and were to be asked about now."""
    moment = timezone.now() - dt.timedelta(**ago)
    PaymentAttempt.objects.filter(pk=attempt.pk).update(created_at=moment, ask_at=timezone.now())
    attempt.refresh_from_db()
    return attempt


def choose_late(simulator, attempt: PaymentAttempt) -> None:
    """Paid by card after all, though PayFiP's page has closed."""
    operation = simulator.operations.rows[attempt.idop]
    operation.result, operation.ended_at = "P", timezone.now()
