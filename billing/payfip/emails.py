"""The receipt: a mail to each responsable, written with the payment that it tells of."""

from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from billing.models import PaymentAttempt


def tell_paid(attempt: PaymentAttempt, *, left: Decimal) -> None:
    """`left`: what is then left to pay of the invoice, in euros, negative if it is too much."""
    invoice = attempt.invoice
    for guardian in invoice.family.guardians.exclude(email="").order_by("pk"):
        subject, body = compose(
            "payment_receipt",
            {
                "guardian": guardian,
                "attempt": attempt,
                "payment": attempt.payment,
                "invoice": invoice,
                "left": left,
                "too_much": -left,
                "establishment": invoice.establishment,
                "url": settings.SITE_URL + reverse("billing:payment", args=[attempt.pk]),
            },
        )
        mails.queue(
            MailKind.PAYMENT_RECEIPT,
            key=f"{attempt.pk}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
        )
