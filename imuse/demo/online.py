"""Payments online of the last weeks, as PayFiP would have told them; and one that is in doubt."""

import datetime as dt

from django.utils import timezone

from billing import services
from billing.enums import AskedBy, AttemptState, Saisie
from billing.models import Invoice, PaymentAttempt
from billing.money import euros
from billing.payfip import emails
from billing.payfip.attempts import refdet
from billing.payfip.settling import MEANS
from imuse.demo.clock import Clock

NUMCLI = "090909"
RESULTS = {AttemptState.PAID: "P", AttemptState.DEBITED: "V", AttemptState.ANOMALY: "P"}
LASTS = dt.timedelta(minutes=4)  # on PayFiP's page


def pay_online(invoice: Invoice, clock: Clock, *, day: int, state=AttemptState.PAID) -> None:
    """All that is owed, one evening; `day` from today."""
    with clock.at(clock.moment(day, 20, 12)):
        attempt = _attempt(invoice, state)
        attempt.payment = services.record_online_payment(
            invoice,
            amount=attempt.euros,
            means=MEANS[state],
            paid_on=clock.day(day),
            reference=attempt.refdet,
        )
        _save(attempt)


def leave_in_doubt(invoice: Invoice, clock: Clock, *, day: int) -> None:
    """PayFiP speaks of another amount: no money is recorded, somebody must look."""
    with clock.at(clock.moment(day, 20, 12)):
        attempt = _attempt(invoice, AttemptState.ANOMALY)
        attempt.alert = (
            "PayFiP répond autre chose que ce qui lui était demandé\u00a0: le montant,"
            f" {euros(attempt.euros + 1)} au lieu de {attempt.amount_words}."
            f" {attempt.result_words}."
        )
        _save(attempt)


def _attempt(invoice, state):
    now = timezone.now()
    total = sum(line.amount for line in invoice.lines.all())
    return PaymentAttempt(
        invoice=invoice,
        number=1,
        refdet=refdet(invoice, 1),
        idop=f"demo-{refdet(invoice, 1)}",
        amount=int(total * 100),
        numcli=NUMCLI,
        saisie=Saisie.TEST,
        state=state,
        resultrans=RESULTS[state],
        created_at=now - LASTS,
        asked_at=now,
        settled_at=now,
        paid_at=now,
    )


def _save(attempt):
    attempt.full_clean()
    attempt.save()
    move = attempt.moves.create(
        asked_by=AskedBy.NOTIFICATION,
        told=attempt.result_words,
        from_state=AttemptState.OPEN,
        to_state=attempt.state,
    )
    if attempt.alert:
        emails.alert_regie(attempt, once_for=f"{attempt.pk}:{move.pk}")
