"""How a household leaves for PayFiP: one attempt at a time for an invoice, whoever clicks.

PayFiP is asked outside any transaction. Lock order: the invoice, then its attempts.
"""

import datetime as dt
import logging
import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from accounts.dates import clock
from accounts.models import User
from billing.enums import AskedBy, AttemptState
from billing.models import Invoice, PaymentAttempt
from billing.money import euros
from billing.payfip import client, emails, rules
from billing.payfip.offers import account_of, choices_of, in_doubt
from billing.payfip.settling import FIRST_QUESTION, locked_attempt, settle
from billing.services.invoices import locked

logger = logging.getLogger(__name__)

# Longer than any call (client.SECONDS): past it, whoever was asking for the idOp is dead.
ASKING = dt.timedelta(seconds=30)
WAIT_SECONDS = 8.0
PAUSE_SECONDS = 0.2
DOWN = (
    "PayFiP, le service de paiement des Finances publiques, ne répond pas. Rien n'est débité\u00a0:"
    " recommencez dans quelques minutes."
)


def start(invoice: Invoice, *, instalment: int | None, user: User) -> PaymentAttempt:
    """The attempt with which to leave for PayFiP, its idOp known: a new one, or the one under way.

    `instalment`: the number of the next one, None for all that is left. The amount is the server's.
    Raises ValidationError: nothing to pay so ("instalment", "nothing_left"…), another amount under
    way ("other_open"), somebody must look first ("in_doubt"), PayFiP away ("payfip_down") or
    refusing ("payfip_refused", "mel"…).
    """
    account_of(invoice)  # nothing is locked where nobody pays online
    end = time.monotonic() + WAIT_SECONDS
    while True:
        attempt, is_mine = _reserve(invoice, instalment)
        if is_mine:
            return _ask_for_idop(attempt, user)
        if attempt.idop is None:  # the other click is asking for it
            if time.monotonic() > end:
                raise ValidationError(DOWN, code="payfip_down")
            time.sleep(PAUSE_SECONDS)
        elif timezone.now() < attempt.opens_until:
            return attempt
        else:
            _close_old(attempt)


def _reserve(invoice, instalment):
    """The open attempt, or a new one without an idOp, and whether it is ours to get it."""
    with transaction.atomic(durable=True):
        invoice = locked(invoice)
        attempt = invoice.attempts.select_for_update().open().first()
        if attempt and attempt.idop and timezone.now() >= attempt.opens_until:
            return attempt, False
        account = account_of(invoice)
        amount = _amount(invoice, instalment)
        if attempt and attempt.idop is None and timezone.now() - attempt.created_at > ASKING:
            _close(attempt, "Aucune réponse à la demande.")
            attempt = None
        if attempt:
            if attempt.alert:
                raise in_doubt()
            if (attempt.amount, attempt.instalment) != (amount, instalment):
                raise _other_open(attempt)
            return attempt, False
        if invoice.attempts.without_end().exists():  # closed, with an alert
            raise in_doubt()
        number = (invoice.attempts.aggregate(last=Max("number"))["last"] or 0) + 1
        attempt = PaymentAttempt(
            invoice=invoice,
            instalment=instalment,
            number=number,
            refdet=refdet(invoice, number),
            amount=amount,
            numcli=account.numcli,
            saisie=account.saisie,
            created_at=timezone.now(),
        )
        attempt.full_clean()
        attempt.save()
        return attempt, True


def refdet(invoice: Invoice, number: int) -> str:
    """Establishment, invoice, attempt: « E1F202600042N1 », unique and readable by the régie."""
    return f"E{invoice.establishment_id}F{invoice.year}{invoice.number:05}N{number}"


def _amount(invoice, instalment):
    """In cents."""
    for choice in choices_of(invoice):
        if choice.instalment == instalment:
            return rules.cents(choice.amount)
    raise ValidationError(
        "Cette échéance n'est pas la prochaine à payer\u00a0: relisez la facture.",
        code="instalment",
    )


def _ask_for_idop(attempt, user):
    try:
        idop = client.create_payment(_order(attempt, user))
    except ValidationError as error:
        _give_up(attempt, error.messages[0])
        raise
    except client.FunctionalFault as fault:
        logger.error("PayFiP refuses %s: %s", attempt.refdet, fault)
        alert = f"PayFiP refuse la demande\u00a0: {fault}"
        _give_up(attempt, str(fault), alert=alert)
        raise ValidationError(
            "Le paiement en ligne est impossible pour l'instant\u00a0; le conservatoire est"
            " prévenu. Rien n'est débité.",
            code="payfip_refused",
        ) from fault
    except client.TechnicalFault as fault:
        logger.warning("PayFiP does not answer for %s: %s", attempt.refdet, fault)
        _give_up(attempt, "PayFiP ne répond pas.")
        raise ValidationError(DOWN, code="payfip_down") from fault
    if not _keep(attempt, idop):
        raise ValidationError(DOWN, code="payfip_down")
    attempt.refresh_from_db()
    return attempt


def _keep(attempt, idop):
    """False if the attempt was taken for dead meanwhile, or if the idOp is not a new one."""
    ours = PaymentAttempt.objects.open().filter(pk=attempt.pk, idop=None)
    try:
        with transaction.atomic():
            return ours.update(idop=idop, ask_at=timezone.now() + FIRST_QUESTION) == 1
    except IntegrityError:
        logger.error("PayFiP gives %s an idOp that it gave before", attempt.refdet)
        told = "PayFiP a donné un identifiant déjà servi."
        _give_up(attempt, told, alert=told)
        return False


def _order(attempt, user):
    invoice = attempt.invoice
    return rules.Order(
        numcli=attempt.numcli,
        saisie=attempt.saisie,
        refdet=attempt.refdet,
        montant=attempt.amount,
        objet=rules.subject(f"Facture {invoice.reference} {invoice.establishment.name}"),
        mel=user.email,
        exer=timezone.localdate().year,
        urlnotif=settings.SITE_URL + reverse("billing:notified"),
        urlredirect=settings.SITE_URL + reverse("billing:returned"),
    )


def _close_old(attempt):
    """PayFiP's page opens no more: what it says is the end, unless it knows nothing yet."""
    try:
        attempt = settle(attempt, AskedBy.START)
    except client.TechnicalFault as fault:
        raise ValidationError(DOWN, code="payfip_down") from fault
    if not attempt.is_open:
        return
    if attempt.alert:
        raise in_doubt()
    with transaction.atomic(durable=True):
        attempt = locked_attempt(attempt)
        if attempt.is_open:  # and it goes on being asked about
            _close(attempt, "Délai dépassé.", ask_at=attempt.ask_at)


def _give_up(attempt, told, alert=""):
    with transaction.atomic(durable=True):
        attempt = locked_attempt(attempt)
        if attempt.is_open and attempt.idop is None:
            _close(attempt, told, alert=alert)


def _close(attempt, told, *, alert="", ask_at=None):
    """Without money; the attempt is locked."""
    attempt.moves.create(
        asked_by=AskedBy.START,
        told=told[:300],
        from_state=attempt.state,
        to_state=AttemptState.LOST,
    )
    attempt.state = AttemptState.LOST
    attempt.settled_at = timezone.now()
    attempt.alert = alert[:300]
    attempt.ask_at = ask_at
    attempt.save(update_fields=["state", "settled_at", "alert", "ask_at"])
    if alert:  # the next family's demand will be refused too: one mail says it for the day
        emails.alert_regie(attempt, once_for=f"{attempt.numcli}:{timezone.localdate()}")


def _other_open(attempt):
    return ValidationError(
        f"Un paiement de {euros(attempt.euros)} est déjà ouvert pour cette facture\u00a0:"
        f" terminez-le, ou attendez {clock(attempt.opens_until)} pour en"
        " commencer un autre.",
        code="other_open",
    )
