"""What a household may pay online of an invoice today, or the sentence that says why not."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.dates import day
from billing.enums import Saisie
from billing.models import Invoice, PayFiPAccount, PaymentAttempt
from billing.payfip.rules import LEAST, MOST, OUT_OF_BOUNDS
from billing.schedule import parts_of


@dataclass(frozen=True)
class Choice:
    """An amount that PayFiP can be asked for: of one instalment, or all that is left (None)."""

    instalment: int | None
    amount: Decimal


@dataclass(frozen=True)
class Offer:
    """The choices, or `why_not`; `current` is the attempt under way, which comes first."""

    choices: list[Choice]
    why_not: str = ""
    current: PaymentAttempt | None = None


def offer_for(invoice: Invoice) -> Offer:
    """For the page of one invoice (`with_amounts`, its instalments prefetched): two queries."""
    without_end = list(invoice.attempts.without_end())
    current = next((attempt for attempt in without_end if attempt.is_open), None)
    try:
        account_of(invoice)
        if any(attempt.is_in_doubt for attempt in without_end):
            raise in_doubt()
        return Offer(choices_of(invoice), current=current)
    except ValidationError as refusal:
        return Offer([], why_not=refusal.messages[0], current=current)


def choices_of(invoice: Invoice, today: dt.date | None = None) -> list[Choice]:
    """The next instalment, when it is not all, then all that is left.

    Raises ValidationError when nothing can be paid online today.
    """
    today = today or timezone.localdate()
    if not invoice.is_issued or invoice.is_credit_note:
        raise ValidationError("Il n'y a rien à payer.", code="nothing_left")
    if invoice.left <= 0:
        raise ValidationError("Il ne reste rien à payer.", code="nothing_left")
    if today > invoice.online_until:
        raise ValidationError(
            f"Le paiement en ligne de cette facture s'est terminé le {day(invoice.online_until)}"
            "\u00a0: adressez-vous au conservatoire.",
            code="online_over",
        )
    amounts = [Choice(None, invoice.left)]
    parts = parts_of(
        invoice.instalments.all(), credited=invoice.credited, paid=invoice.paid, today=today
    )
    following = next((part for part in parts if part.left > 0), None)
    if following and following.left < invoice.left:
        amounts.insert(0, Choice(following.number, following.left))
    payable = [choice for choice in amounts if LEAST <= choice.amount <= MOST]
    if not payable:
        raise ValidationError(
            f"{OUT_OF_BOUNDS}\u00a0: adressez-vous au conservatoire.", code="amount"
        )
    return payable


def account_of(invoice: Invoice) -> PayFiPAccount:
    """Through which the invoice is paid. Raises ValidationError when nobody pays online there."""
    account = PayFiPAccount.objects.filter(
        establishment=invoice.establishment_id, is_active=True
    ).first()
    if account is None or not settings.PAYFIP_URL or not is_allowed(account.saisie):
        raise ValidationError("Le paiement en ligne n'est pas ouvert.", code="not_open")
    return account


def in_doubt() -> ValidationError:
    """Somebody must look first: paying twice is worse than waiting."""
    return ValidationError(
        "Un paiement de cette facture est en cours de vérification par le conservatoire. Ne payez"
        " pas une seconde fois\u00a0: vous serez prévenu.",
        code="in_doubt",
    )


def is_allowed(saisie: str) -> bool:
    """Never the test mode in production: what it says paid, nobody has paid."""
    return saisie != Saisie.TEST or settings.PAYFIP_TEST_ALLOWED
