"""The truth is PayFiP's, asked about our own idOp; whoever tells us something proves nothing."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Mail
from billing import services
from billing.enums import AskedBy, AttemptState, PaymentMeans, Settlement
from billing.models import Invoice, Payment
from billing.payfip import client
from billing.payfip.settling import dismiss, settle
from tests.billing.payfip.orders import choose, choose_late, later, money_of


def settlement_of(invoice):
    invoice = Invoice.objects.with_amounts().get(pk=invoice.pk)
    return invoice.left, invoice.settlement


def receipts():
    return Mail.objects.filter(kind="payment_receipt")


@pytest.mark.parametrize(
    ("choice", "state", "means", "result"),
    [
        ("carte", AttemptState.PAID, PaymentMeans.ONLINE, "P"),
        ("prelevement", AttemptState.DEBITED, PaymentMeans.DEBIT, "V"),
    ],
)
def test_money_is_recorded_with_its_receipt(pay, invoice, choice, state, means, result):
    attempt = pay(invoice, choice)

    payment = Payment.objects.get()
    assert (payment.amount, payment.means, payment.reference) == (38, means, attempt.refdet)
    assert payment.paid_on == timezone.localdate()
    assert (attempt.state, attempt.payment, attempt.resultrans) == (state, payment, result)
    assert attempt.numauto
    assert attempt.ask_at is None
    assert settlement_of(invoice) == (0, Settlement.PAID)
    mail = receipts().get()
    assert "38,00\xa0€" in mail.subject
    assert attempt.refdet in mail.body
    assert ("présenté à votre banque" in mail.body) == (choice == "prelevement")
    assert [move.to_state for move in attempt.moves.all()] == [state]


@pytest.mark.parametrize(
    ("choice", "state"),
    [
        ("refus-carte", AttemptState.REFUSED),
        ("refus-prelevement", AttemptState.REFUSED),
        ("annuler", AttemptState.CANCELLED),
    ],
)
def test_no_money_and_one_may_begin_again(pay, invoice, choice, state):
    attempt = pay(invoice, choice)

    assert (attempt.state, attempt.payment) == (state, None)
    assert attempt.settled_at
    assert money_of(invoice) == []
    assert not receipts().exists()
    assert pay(invoice, "carte").number == 2
    assert settlement_of(invoice) == (0, Settlement.PAID)


def test_the_same_news_ten_times_is_one_payment(pay, invoice):
    attempt = pay(invoice, "carte")

    for asked_by in AskedBy:
        settle(attempt, asked_by)

    assert money_of(invoice) == [("38.00", "online")]
    assert receipts().count() == 1
    assert attempt.moves.count() == 1


def test_the_database_itself_keeps_one_receipt_by_attempt(pay, invoice):
    attempt = pay(invoice, "carte")

    with pytest.raises(IntegrityError), transaction.atomic():
        type(attempt).objects.filter(pk=attempt.pk).update(payment=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(
            invoice=invoice,
            amount=1,
            means=PaymentMeans.ONLINE,
            paid_on=timezone.localdate(),
            reference=attempt.refdet,
        )


def test_nothing_known_yet(start, invoice):
    attempt = start(invoice)

    assert settle(attempt, AskedBy.RETURN).is_open
    assert attempt.moves.count() == 0


def test_a_result_that_comes_late(start, invoice, payfip):
    payfip.operations.moods.late_answers = 2
    attempt = start(invoice)
    choose(payfip, attempt.idop, "carte")

    states = [settle(attempt, AskedBy.RETURN).state for _ in range(3)]

    assert states == [AttemptState.OPEN, AttemptState.OPEN, AttemptState.PAID]
    assert money_of(invoice) == [("38.00", "online")]


def test_an_idop_that_payfip_has_forgotten(start, invoice, payfip):
    attempt = start(invoice)
    payfip.operations.forget(attempt.idop)

    attempt = settle(attempt, AskedBy.POLL)

    assert (attempt.state, attempt.alert) == (AttemptState.LOST, "")


def test_an_idop_that_expired(start, invoice, payfip):
    attempt = start(invoice)
    payfip.operations.expire(attempt.idop)

    assert settle(attempt, AskedBy.POLL).state == AttemptState.LOST


def test_abandoned_on_the_page_is_given_up_after_two_hours(start, invoice, payfip):
    attempt = start(invoice)
    payfip.operations.open(attempt.idop)
    assert settle(later(attempt, minutes=119), AskedBy.POLL).is_open

    assert settle(later(attempt, minutes=121), AskedBy.POLL).state == AttemptState.LOST


@pytest.mark.parametrize("choice", ["carte", "annuler", "refus-carte"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("montant", "3801"),
        ("montant", "38.00"),
        ("refdet", "AUTREREFERENCE1"),
        ("numcli", "000001"),
        ("saisie", "X"),
        ("saisie", ""),
        ("idOp", "11111111-1111-1111-1111-111111111111"),
    ],
)
def test_an_answer_that_differs_is_an_anomaly(pay, invoice, payfip, choice, field, value):
    payfip.operations.moods.falsified = {field: value}

    attempt = pay(invoice, choice)

    assert attempt.state == AttemptState.ANOMALY
    assert "au lieu de" in attempt.alert
    assert money_of(invoice) == []
    assert not receipts().exists()


def test_after_an_anomaly_nobody_pays_twice_until_somebody_has_looked(
    pay, invoice, payfip, accountant
):
    payfip.operations.moods.falsified = {"montant": "3801"}
    attempt = pay(invoice, "carte")
    payfip.operations.moods.falsified = {}
    with pytest.raises(ValidationError) as refusal:
        pay(invoice, "carte")
    assert refusal.value.code == "in_doubt"

    dismiss(attempt, actor=accountant)

    assert pay(invoice, "carte").state == AttemptState.PAID


def test_an_anomaly_asked_about_again_is_paid_when_payfip_tells_the_truth(pay, invoice, payfip):
    payfip.operations.moods.falsified = {"montant": "3801"}
    attempt = pay(invoice, "carte")
    payfip.operations.moods.falsified = {}

    attempt = settle(attempt, AskedBy.STAFF)

    assert (attempt.state, attempt.alert) == (AttemptState.PAID, "")
    assert money_of(invoice) == [("38.00", "online")]


@pytest.mark.parametrize(
    ("result", "alert"),
    [
        ("Q", "Résultat inconnu («\u00a0Q\u00a0»)."),
        ("PP", "Résultat inconnu («\u00a0PP\u00a0»)."),
        ("p", "Résultat inconnu («\u00a0p\u00a0»)."),
        ("", "Résultat vide."),
    ],
)
def test_an_unknown_result_leaves_it_open_and_alerts(pay, invoice, payfip, caplog, result, alert):
    payfip.operations.moods.falsified = {"resultrans": result}

    attempt = pay(invoice, "carte")

    assert (attempt.state, money_of(invoice)) == (AttemptState.OPEN, [])
    assert attempt.alert == alert
    assert [record.levelname for record in caplog.records if "Résultat" in record.message] == [
        "ERROR"
    ]


def test_an_unknown_fault_leaves_it_open_and_alerts(start, invoice, monkeypatch):
    def fault(idop):
        raise client.FunctionalFault("Z9", "Nouveau")

    attempt = start(invoice)
    monkeypatch.setattr(client, "payment_detail", fault)

    attempt = settle(attempt, AskedBy.POLL)

    assert (attempt.state, attempt.alert) == (AttemptState.OPEN, "PayFiP répond\xa0: Z9 Nouveau")


def test_payfip_away_decides_nothing(start, invoice, payfip):
    attempt = start(invoice)
    choose(payfip, attempt.idop, "carte")
    payfip.operations.moods.service = "unavailable"
    with pytest.raises(client.TechnicalFault):
        settle(attempt, AskedBy.NOTIFICATION)
    attempt.refresh_from_db()
    assert attempt.is_open

    payfip.operations.moods.service = "up"
    assert settle(attempt, AskedBy.POLL).state == AttemptState.PAID


def test_recorded_by_hand_under_its_reference_is_not_recorded_twice(
    start, invoice, payfip, accountant
):
    """The régie had it from the treasury's own list."""
    attempt = start(invoice)
    choose(payfip, attempt.idop, "carte")
    services.record_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference=attempt.refdet,
        actor=accountant,
    )

    attempt = settle(attempt, AskedBy.POLL)

    assert (attempt.state, attempt.alert) == (
        AttemptState.ANOMALY,
        "Un encaissement porte déjà cette référence.",
    )
    assert money_of(invoice) == [("38.00", "card")]


class TestLateMoney:
    """Never dropped, however late it is told."""

    def test_on_a_lost_attempt(self, start, invoice, payfip):
        attempt = later(start(invoice), hours=3)
        attempt = settle(attempt, AskedBy.POLL)
        assert attempt.state == AttemptState.LOST
        choose_late(payfip, attempt)

        attempt = settle(attempt, AskedBy.POLL)

        assert attempt.state == AttemptState.PAID
        assert money_of(invoice) == [("38.00", "online")]

    def test_on_a_cancelled_attempt(self, pay, invoice, payfip):
        attempt = pay(invoice, "annuler")
        payfip.operations.rows[attempt.idop].result = "P"

        assert settle(attempt, AskedBy.POLL).state == AttemptState.PAID
        assert [move.to_state for move in attempt.moves.all()] == ["cancelled", "paid"]

    def test_a_second_payment_is_recorded_and_flagged(self, pay, invoice, payfip):
        """The first was cancelled, then paid after all; the family had begun again."""
        first = pay(invoice, "annuler")
        pay(invoice, "carte")
        payfip.operations.rows[first.idop].result = "P"

        first = settle(first, AskedBy.POLL)

        assert money_of(invoice) == [("38.00", "online")] * 2
        assert first.alert.startswith("Trop-perçu de 38,00\xa0€")
        assert settlement_of(invoice) == (-38, Settlement.OVERPAID)
        assert "38,00\xa0€ de trop" in receipts().order_by("-pk").first().body

    def test_after_a_cheque_at_the_counter(self, start, invoice, payfip, accountant):
        attempt = start(invoice)
        services.record_payment(
            invoice,
            amount=Decimal(38),
            means=PaymentMeans.CHEQUE,
            paid_on=timezone.localdate(),
            reference="CHQ 1",
            actor=accountant,
        )
        choose(payfip, attempt.idop, "carte")

        assert settle(attempt, AskedBy.NOTIFICATION).alert.startswith("Trop-perçu")

    def test_on_an_invoice_cancelled_meanwhile(self, start, invoice, payfip, accountant):
        attempt = start(invoice)
        services.cancel(invoice, reason="Erreur", actor=accountant)
        choose(payfip, attempt.idop, "carte")

        assert settle(attempt, AskedBy.NOTIFICATION).state == AttemptState.PAID
        assert settlement_of(invoice) == (-38, Settlement.OVERPAID)


def test_a_debit_that_bounces_makes_the_invoice_due_again(pay, invoice, accountant):
    attempt = pay(invoice, "prelevement")

    services.bounce(
        attempt.payment, paid_on=timezone.localdate(), reference="REJET 1", actor=accountant
    )

    assert settlement_of(invoice) == (38, Settlement.DUE)
    [told] = Mail.objects.filter(kind="payment_bounced")  # as its receipt had promised
    assert told.to == invoice.family.guardians.get().email
    assert "le prélèvement de 38,00\u00a0€" in told.body
    assert pay(invoice, "carte").state == AttemptState.PAID


def test_a_clock_ahead_of_ours(start, invoice, payfip):
    attempt = start(invoice)
    choose(payfip, attempt.idop, "carte")
    payfip.operations.rows[attempt.idop].ended_at += dt.timedelta(days=2)

    assert settle(attempt, AskedBy.POLL).payment.paid_on == timezone.localdate()


def test_one_instalment_is_paid_and_the_others_stay(pay, make_issued, family, account):
    invoice = make_issued(family=family, parts=3, amounts=["100.00"])

    pay(invoice, "carte", 1)
    pay(invoice, "prelevement", 2)

    assert money_of(invoice) == [("33.34", "online"), ("33.33", "debit")]
    assert settlement_of(invoice) == (Decimal("33.33"), Settlement.DUE)


class TestDismiss:
    def test_without_an_alert_there_is_nothing_to_dismiss(self, start, invoice, accountant):
        with pytest.raises(ValidationError) as refusal:
            dismiss(start(invoice), actor=accountant)

        assert refusal.value.code == "no_alert"

    def test_told_again_it_is_no_news(self, pay, invoice, payfip, accountant):
        """A notification that PayFiP repeats after the agent has looked."""
        payfip.operations.moods.falsified = {"montant": "3801"}
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)

        attempt = settle(attempt, AskedBy.NOTIFICATION)

        assert (attempt.state, attempt.alert) == (AttemptState.ANOMALY, "")
        assert attempt.is_checked
        assert attempt.moves.count() == 2

    def test_something_else_is(self, pay, invoice, payfip, accountant):
        payfip.operations.moods.falsified = {"montant": "3801"}
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)
        payfip.operations.moods.falsified = {"montant": "3802"}

        assert settle(attempt, AskedBy.NOTIFICATION).is_in_doubt

    def test_money_told_afterwards_is_recorded(self, pay, invoice, payfip, accountant):
        payfip.operations.moods.falsified = {"resultrans": "Q"}
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)
        payfip.operations.moods.falsified = {}

        assert settle(attempt, AskedBy.NOTIFICATION).state == AttemptState.PAID
        assert money_of(invoice) == [("38.00", "online")]

    def test_an_open_one_is_closed_and_its_log_says_by_whom(self, pay, invoice, payfip, accountant):
        payfip.operations.moods.falsified = {"resultrans": "Q"}
        attempt = dismiss(pay(invoice, "carte"), actor=accountant)

        assert (attempt.state, attempt.alert) == (AttemptState.LOST, "")
        assert str(accountant) in attempt.moves.last().told


def test_no_transaction_is_open_while_payfip_is_asked(start, invoice):
    attempt = start(invoice)

    with transaction.atomic(), transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        settle(attempt, AskedBy.POLL)
