"""What a payment online makes us write: the receipt, and the two mails of one that is in doubt.

Each is written in the transaction of the move that it tells of.
"""

from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from accounts import mails, roles
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.selectors import agents_of
from billing.models import AttemptMove, PaymentAttempt


def tell_paid(attempt: PaymentAttempt, *, left: Decimal) -> None:
    """To each responsable. `left`: what is then left to pay of the invoice, in euros, negative if
    it is too much."""
    _tell_household(
        MailKind.PAYMENT_RECEIPT, attempt, f"{attempt.pk}", payment=attempt.payment, left=left
    )


def tell_checked(move: AttemptMove, *, left: Decimal) -> None:
    """To each responsable, whom a page had asked to wait; `move` is that of the agent."""
    key = f"{move.attempt_id}:{move.pk}"
    _tell_household(MailKind.PAYMENT_CHECKED, move.attempt, key, left=left)


def alert_regie(attempt: PaymentAttempt, *, once_for: str) -> None:
    """To each agent of the régie of that establishment, or else to its service: names nobody."""
    establishment = attempt.invoice.establishment
    subject, body = compose(
        MailKind.PAYMENT_ALERT,
        {
            "attempt": attempt,
            "invoice": attempt.invoice,
            "establishment": establishment,
            "url": settings.SITE_URL
            + reverse("admin:billing_paymentattempt_change", args=[attempt.pk]),
        },
    )
    agents = agents_of(establishment, roles.REGIE).values_list("pk", "email")
    for key, to in list(agents) or [("service", establishment.email)]:
        mails.queue(
            MailKind.PAYMENT_ALERT, key=f"{once_for}:{key}", to=to, subject=subject, body=body
        )


def _tell_household(kind, attempt, key, *, left, **facts):
    invoice = attempt.invoice
    for guardian in invoice.family.guardians.exclude(email="").order_by("pk"):
        subject, body = compose(
            kind,
            {
                "guardian": guardian,
                "attempt": attempt,
                "invoice": invoice,
                "left": left,
                "too_much": -left,
                "establishment": invoice.establishment,
                "url": settings.SITE_URL + reverse("billing:payment", args=[attempt.pk]),
                **facts,
            },
        )
        mails.queue(kind, key=f"{key}:{guardian.pk}", to=guardian.email, subject=subject, body=body)
