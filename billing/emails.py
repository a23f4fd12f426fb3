"""What billing writes to families; what tells of an invoice is queued as it is issued."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.models import Establishment, Mail
from billing.enums import InvoiceKind
from billing.models import Instalment, Invoice, Payment
from billing.receipts import WHAT
from billing.regie.overdue import OverdueHousehold
from families.models import Guardian

MORNING = dt.time(8)  # in Paris, when what is published on a day to come is told
CANCELLED = "Facture annulée avant son envoi."


def tell_issued(invoice: Invoice, instalments: list[Instalment]) -> None:
    """To each responsable of the household who has an address, once; from `published_on` on."""
    total = sum(line.amount for line in invoice.lines.all())
    written = []
    for guardian in invoice.family.guardians.all():
        if not guardian.email:
            continue
        subject, body = compose(
            "invoice",
            {
                "invoice": invoice,
                "guardian": guardian,
                "establishment": invoice.establishment,
                "total": total,
                "instalments": instalments,
                "url": settings.SITE_URL + reverse("billing:invoice", args=[invoice.pk]),
            },
        )
        written.append((f"{invoice.pk}:{guardian.pk}", guardian.email, subject, body))
    if written:
        mails.queue_many(MailKind.INVOICE, written, _leaves_at(invoice.published_on))


def take_back(invoice: Invoice) -> None:
    """What has not left yet of the mails that announce it will not leave."""
    begins = f"{MailKind.INVOICE}:{invoice.pk}:"
    for mail in Mail.objects.filter(key__startswith=begins, sent_at=None).order_by("pk"):
        mails.give_up(mail, CANCELLED)


def tell_bounced(undone: Sequence[Payment], *, left: Mapping[Invoice, Decimal]) -> None:
    """To each responsable: what bounced, or was typed in error, is due again.

    `undone`: the parts of one cheque, of one household; `left`: of each invoice, in euros.
    """
    first, invoices = undone[0], [payment.invoice for payment in undone]
    page = "billing:cotisations" if len(invoices) > 1 else "billing:invoice"
    url = reverse(page, args=[] if len(invoices) > 1 else [invoices[0].pk])
    for guardian in first.invoice.family.guardians.exclude(email="").order_by("pk"):
        subject, body = compose(
            "payment_bounced",
            {
                "guardian": guardian,
                "what": WHAT[first.means],
                "amount": -sum(payment.amount for payment in undone),
                "payment": first,
                "invoices": [(invoice, left[invoice]) for invoice in invoices],
                "establishment": first.invoice.establishment,
                "url": settings.SITE_URL + url,
            },
        )
        mails.queue(
            MailKind.PAYMENT_BOUNCED,
            key=f"{first.pk}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
            due_at=_leaves_at(max(invoice.published_on for invoice in invoices)),
        )


def remind_payment(
    establishment: Establishment, household: OverdueHousehold, guardian: Guardian, word: str = ""
) -> tuple[str, str]:
    """What this household owes late, subject and body, in the tone of its level.

    `word`: the régie's own. One link: the only invoice's page, else the list.
    """
    kinds = {each.invoice.kind for each in household.invoices}
    page = reverse(
        "billing:locations" if kinds == {InvoiceKind.LOCATION} else "billing:cotisations"
    )
    if len(household.invoices) == 1:
        page = reverse("billing:invoice", args=[household.invoices[0].invoice.pk])
    return compose(
        "payment_reminder",
        {
            "establishment": establishment,
            "guardian": guardian,
            "household": household,
            "word": word,
            "url": settings.SITE_URL + page,
        },
    )


def _leaves_at(day):
    if day <= timezone.localdate():
        return None
    return timezone.make_aware(dt.datetime.combine(day, MORNING))
