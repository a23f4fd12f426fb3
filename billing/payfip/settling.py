"""The one function that settles an attempt, whoever calls it, and the poll that calls it.

The notification, the return and the family's browser prove nothing: PayFiP is asked about our
stored idOp, outside any transaction; then the answer is written under the locks, once.
"""

import datetime as dt
import logging
from collections import Counter
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from billing.enums import (
    MONEY_CAME,
    NEXT_ATTEMPT,
    AskedBy,
    AttemptState,
    PayFiPResult,
    PaymentMeans,
)
from billing.models import Invoice, Payment, PaymentAttempt
from billing.money import euros
from billing.payfip import client, emails
from billing.services.payments import record_online_payment

logger = logging.getLogger(__name__)

FIRST_QUESTION = dt.timedelta(minutes=5)
ONE_MINUTE = dt.timedelta(minutes=1)
FAILURES = 3
NO_ANSWER = "sans réponse"
# How long after the demand, how often PayFiP is asked; after the last, never more.
QUESTIONS = [
    (dt.timedelta(hours=2), dt.timedelta(minutes=5)),
    (dt.timedelta(days=1), dt.timedelta(hours=1)),
    (dt.timedelta(days=8), dt.timedelta(days=1)),
]
GIVEN_UP_AFTER = dt.timedelta(hours=2)  # of « not known yet »: nobody has paid (and is asked again)
RESULTS = {
    PayFiPResult.CARD: AttemptState.PAID,
    PayFiPResult.DEBIT: AttemptState.DEBITED,
    PayFiPResult.CARD_REFUSED: AttemptState.REFUSED,
    PayFiPResult.DEBIT_REFUSED: AttemptState.REFUSED,
    PayFiPResult.CANCELLED: AttemptState.CANCELLED,
}
MEANS = {AttemptState.PAID: PaymentMeans.ONLINE, AttemptState.DEBITED: PaymentMeans.DEBIT}
UNKNOWN_YET, NO_SUCH, TOO_LATE = "P5", "P1", "P4"
COMPARED = {
    "idop": "l'identifiant",
    "refdet": "la référence",
    "numcli": "le client",
    "saisie": "la saisie",
}


def settle(attempt: PaymentAttempt, asked_by: AskedBy) -> PaymentAttempt:
    """Asks PayFiP what became of the attempt, writes it, and gives the row as it now stands.

    Money is recorded once, with its receipt, even on an attempt given up; an answer that differs
    from what we asked for is an anomaly, which records none. Raises TechnicalFault when PayFiP is
    away: nothing has then changed.
    """
    if attempt.idop is None:
        return attempt
    try:
        told = client.payment_detail(attempt.idop)
    except client.FunctionalFault as fault:
        told = fault
    except client.TechnicalFault as fault:
        logger.warning("PayFiP does not answer about %s: %s", attempt.refdet, fault)
        raise
    return _write(attempt, told, asked_by)


def settle_next(now: dt.datetime | None = None) -> bool:
    """One attempt whose time has come, for `send_mails`; False if there is none.

    When PayFiP is away the others wait a minute: it is not asked again and again, nor does an
    attempt about which it always fails hold up the others.
    """
    if not settings.PAYFIP_URL:
        return False
    now = now or timezone.now()
    attempt = due(now).first()
    if attempt is None:
        return False
    # Of two that ask, one has it; whatever happens, it comes again.
    if due(now).filter(pk=attempt.pk).update(ask_at=now + FIRST_QUESTION):
        try:
            settle(attempt, AskedBy.POLL)
        except client.TechnicalFault:
            due(now).update(ask_at=now + ONE_MINUTE)
    return True


def poll() -> Counter:
    """Each attempt whose time has come, once; gives how many stand in each state, in French.

    Raises TechnicalFault when PayFiP is away: three failures in a row, or nothing else.
    """
    outcomes, in_a_row = Counter(), 0
    for attempt in due(timezone.now()):
        try:
            outcomes[settle(attempt, AskedBy.POLL).get_state_display()] += 1
            in_a_row = 0
        except client.TechnicalFault:
            in_a_row += 1
            outcomes[NO_ANSWER] += 1
            if in_a_row == FAILURES:
                raise
    if set(outcomes) == {NO_ANSWER}:
        raise client.TechnicalFault(f"{outcomes[NO_ANSWER]} without an answer")
    return outcomes


def due(now: dt.datetime) -> QuerySet[PaymentAttempt]:
    """The attempts that PayFiP is to be asked about."""
    return PaymentAttempt.objects.filter(ask_at__lte=now).order_by("ask_at", "pk")


@transaction.atomic(durable=True)
def dismiss(attempt: PaymentAttempt, *, actor: User) -> PaymentAttempt:
    """Somebody has looked: the alert goes; an attempt still open is closed, without money.

    What was received otherwise, the régie records first. The household, which was asked to wait, is
    told that it need not any more. Raises ValidationError without an alert.
    """
    attempt = locked_attempt(attempt)
    if not attempt.alert:
        raise ValidationError("Il n'y a rien à vérifier.", code="no_alert")
    before, was_waiting = attempt.state, attempt.is_in_doubt
    if attempt.is_open:
        attempt.state, attempt.settled_at = AttemptState.LOST, timezone.now()
    attempt.dismissed, attempt.alert = attempt.alert, ""
    attempt.ask_at = None
    attempt.save(update_fields=["state", "settled_at", "alert", "dismissed", "ask_at"])
    move = attempt.moves.create(
        asked_by=AskedBy.STAFF,
        told=f"Classé par {actor}\u00a0: {attempt.dismissed}"[:300],
        from_state=before,
        to_state=attempt.state,
    )
    if was_waiting:
        emails.tell_checked(move, left=_left(attempt))
    return attempt


def outcome(
    attempt: PaymentAttempt, told: client.Detail | client.FunctionalFault, now: dt.datetime
) -> tuple[AttemptState, str]:
    """The state that the attempt goes to (or stays in), and what somebody must look at."""
    stays = AttemptState(attempt.state)
    if isinstance(told, client.FunctionalFault):
        is_over = told.code in (NO_SUCH, TOO_LATE) or (
            told.code == UNKNOWN_YET and now - attempt.created_at >= GIVEN_UP_AFTER
        )
        if is_over:
            return AttemptState.LOST if attempt.is_open and not attempt.alert else stays, ""
        return stays, "" if told.code == UNKNOWN_YET else f"PayFiP répond\u00a0: {told}"
    if differences := _differences(attempt, told):
        return AttemptState.ANOMALY, differences
    if told.resultrans not in RESULTS:
        return stays, f"{PayFiPResult.words(told.resultrans[:10])}."
    return RESULTS[told.resultrans], ""


@transaction.atomic(durable=True)
def _write(attempt, told, asked_by):
    now = timezone.now()
    attempt = locked_attempt(attempt)
    if attempt.state in MONEY_CAME:  # somebody else has heard of it meanwhile
        return attempt
    before, alert_before = attempt.state, attempt.alert
    state, alert = outcome(attempt, told, now)
    if state in MONEY_CAME and Payment.objects.filter(reference=attempt.refdet).exists():
        state, alert = AttemptState.ANOMALY, "Un encaissement porte déjà cette référence."
    attempt.asked_at = now
    if alert[:300] == attempt.dismissed:
        alert = ""
    attempt.alert = alert[:300] or (attempt.alert if state == before else "")
    if isinstance(told, client.Detail):
        attempt.resultrans = told.resultrans[:10]
        attempt.numauto = told.numauto
        attempt.paid_at = told.paid_at
    if state in NEXT_ATTEMPT[before]:
        attempt.state = state
        attempt.settled_at = now
    if attempt.state in MONEY_CAME:
        _record(attempt)
    attempt.ask_at = _next_question(attempt, now)
    attempt.save(
        update_fields=[
            *["state", "alert", "asked_at", "ask_at", "settled_at"],
            *["resultrans", "numauto", "paid_at", "payment"],
        ]
    )
    if (attempt.state, attempt.alert) != (before, alert_before):
        move = attempt.moves.create(
            asked_by=asked_by, told=_words(told), from_state=before, to_state=attempt.state
        )
        log = logger.error if attempt.alert else logger.info
        log("%s: %s -> %s %s", attempt.refdet, before, attempt.state, attempt.alert)
        if attempt.alert:
            emails.alert_regie(attempt, once_for=f"{attempt.pk}:{move.pk}")
    return attempt


def _record(attempt):
    """The money, its receipt and, if it is too much, the alert."""
    today = timezone.localdate()
    paid_on = timezone.localdate(attempt.paid_at) if attempt.paid_at else today
    attempt.payment = record_online_payment(
        attempt.invoice,
        amount=attempt.euros,
        means=MEANS[attempt.state],
        paid_on=min(paid_on, today),  # its clock may be ahead of ours
        reference=attempt.refdet,
    )
    left = _left(attempt)
    if left < 0:
        attempt.alert = f"Trop-perçu de {euros(-left)}\u00a0: à rembourser ou à reporter."
    emails.tell_paid(attempt, left=left)


def _left(attempt):
    return Invoice.objects.with_amounts().get(pk=attempt.invoice_id).left


def locked_attempt(attempt: PaymentAttempt) -> PaymentAttempt:
    """A fresh row, locked until the transaction ends, after its invoice."""
    Invoice.objects.select_for_update().get(pk=attempt.invoice_id)
    return PaymentAttempt.objects.select_for_update().get(pk=attempt.pk)


def _differences(attempt, told):
    """« le montant, 39,00 € au lieu de 38,00 € »; empty when PayFiP speaks of our attempt."""
    wrong = [
        f"{label}, {(getattr(told, name) or 'rien')[:40]} au lieu de {getattr(attempt, name)}"
        for name, label in COMPARED.items()
        if getattr(told, name) != getattr(attempt, name)
    ]
    if told.montant != attempt.amount:
        amount = "rien de lisible" if told.montant is None else euros(Decimal(told.montant) / 100)
        wrong.append(f"le montant, {amount} au lieu de {attempt.amount_words}")
    if not wrong:
        return ""
    what = "\u00a0; ".join(wrong)
    result = PayFiPResult.words(told.resultrans[:10])
    return f"PayFiP répond autre chose que ce qui lui était demandé\u00a0: {what}. {result}."


def _next_question(attempt, now):
    if attempt.state in (*MONEY_CAME, AttemptState.ANOMALY):
        return None
    age = now - attempt.created_at
    for until, pause in QUESTIONS:
        if age < until:
            return now + pause
    return None


def _words(told):
    if isinstance(told, client.Detail):
        number = f", autorisation {told.numauto}" if told.numauto else ""
        return f"{PayFiPResult.words(told.resultrans[:10])}{number}"
    return str(told)[:300]
