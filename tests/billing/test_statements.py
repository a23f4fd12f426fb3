"""Where an invoice stands, in the words of the family's pages."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from billing import services
from billing.enums import PartState, PaymentMeans
from billing.models import Instalment, Invoice
from billing.statements import balance_of, statement_of, statements_of
from tests.billing.due_dates import fall_due


@pytest.fixture
def stand():
    """The statement of an invoice, read again."""

    def stand(invoice, **kwargs):
        today = kwargs.get("today", timezone.localdate())
        row = Invoice.objects.for_list(today).get(pk=invoice.pk)
        return statement_of(row, row.instalments.all(), [], today)

    return stand


@pytest.fixture
def pay(accountant):
    def pay(invoice, amount, number=1):
        return services.record_payment(
            invoice,
            amount=Decimal(amount),
            means=PaymentMeans.CHEQUE,
            paid_on=timezone.localdate(),
            reference=f"CHQ {number}",
            actor=accountant,
            overpaid=True,
        )

    return pay


def days(number):
    return timezone.localdate() + dt.timedelta(days=number)


def set_days(invoice, *offsets):
    for number, offset in enumerate(offsets, start=1):
        Instalment.objects.filter(invoice=invoice, number=number).update(due_on=days(offset))


def test_the_first_is_paid_the_second_is_late_the_third_will_come(make_issued, stand, pay):
    invoice = make_issued(amounts=["150"], parts=3)
    set_days(invoice, -40, -10, 20)
    pay(invoice, "70")

    statement = stand(invoice)

    assert [part.state for part in statement.parts] == [
        *[PartState.PAID, PartState.OVERDUE, PartState.COMING]
    ]
    assert (statement.due_now, statement.due_since) == (Decimal(30), days(-10))
    assert (statement.next_part.due_on, statement.next_part.left) == (days(20), Decimal(50))
    assert statement.is_overdue


def test_what_is_due_today_is_due_now_and_not_overdue(make_issued, stand):
    invoice = make_issued(amounts=["100"], parts=2)
    set_days(invoice, 0, 30)

    statement = stand(invoice)

    assert (statement.due_now, statement.is_overdue) == (Decimal(50), False)
    assert statement.next_part.due_on == days(30)


def test_nothing_is_due_now_of_what_will_come(make_issued, stand):
    statement = stand(make_issued(amounts=["100"], parts=2))

    assert (statement.due_now, statement.due_since) == (Decimal(0), None)


def test_a_credit_note_cancels_the_last_instalment(make_issued, stand, accountant):
    invoice = make_issued(amounts=["90"], parts=3)
    lines = [{"label": "Atelier", "amount": Decimal(40)}]
    services.credit(invoice, lines=lines, reason="Fermé", actor=accountant)

    statement = stand(invoice)

    assert [part.state for part in statement.parts] == [
        *[PartState.COMING, PartState.COMING, PartState.CREDITED]
    ]
    assert statement.credit == Decimal(-40)


def test_a_cheque_that_bounces_after_a_refund_makes_more_due(make_issued, stand, pay, accountant):
    invoice = make_issued()
    cheque = pay(invoice, "48")
    today = timezone.localdate()
    about = {"paid_on": today, "actor": accountant}
    services.refund(
        invoice, amount=Decimal(10), means=PaymentMeans.CASH, reference="REMB 1", **about
    )
    services.bounce(cheque, reference="REJET 1", **about)
    fall_due(today, invoice)

    assert stand(invoice).due_now == Decimal(48)


def test_too_much(make_issued, stand, pay):
    invoice = make_issued()
    pay(invoice, "48")

    statement = stand(invoice)

    assert (statement.excess, statement.due_now) == (Decimal(10), Decimal(0))
    assert not statement.is_unpaid


@pytest.mark.parametrize(
    ("online", "counter", "sentences"),
    [
        (0, 0, []),
        (10, 0, ["Payable en ligne jusqu'au {}."]),
        (0, 10, ["Payable au guichet jusqu'au {}."]),
        (10, 10, ["Payable, en ligne et au guichet, jusqu'au {}."]),
    ],
)
def test_dates_are_said_where_they_differ(make_issued, stand, online, counter, sentences):
    due_on = dt.date(timezone.localdate().year + 1, 5, 1)
    invoice = make_issued(
        due_on=due_on,
        online_until=due_on + dt.timedelta(days=online),
        counter_until=due_on + dt.timedelta(days=counter),
    )

    later = f"11\u00a0mai {due_on.year}"
    assert stand(invoice).deadlines == [sentence.format(later) for sentence in sentences]


def test_dates_are_not_said_of_what_is_paid(make_issued, stand, pay):
    invoice = make_issued(online_until=days(90))
    pay(invoice, "38")

    assert stand(invoice).deadlines == []


def test_the_counter_closes_the_day_after(make_issued, stand):
    invoice = make_issued()

    assert stand(invoice, today=invoice.counter_until).is_open_at_the_counter
    tomorrow = invoice.counter_until + dt.timedelta(days=1)
    assert not stand(invoice, today=tomorrow).is_open_at_the_counter


def test_many_lines_are_folded(make_issued, stand):
    assert stand(make_issued(amounts=["1"] * 8)).is_read_at_once
    assert not stand(make_issued(amounts=["1"] * 9)).is_read_at_once


def test_nil_and_cancelled_have_no_deadline(make_issued, stand, accountant):
    cancelled = make_issued()
    services.cancel(cancelled, reason="Doublon", actor=accountant)

    assert not stand(cancelled).has_deadline
    assert not stand(make_issued(amounts=["0"])).has_deadline
    assert stand(make_issued()).has_deadline


def test_credit_notes_go_with_their_invoice(make_issued, family, accountant):
    invoice, other = make_issued(family=family), make_issued(family=family)
    lines = [{"label": "Remise", "amount": Decimal(1)}]
    notes = [
        services.credit(invoice, lines=lines, reason="Erreur", actor=accountant) for _ in range(2)
    ]

    found = statements_of(Invoice.objects.for_list(), timezone.localdate())

    assert [(each.invoice, each.credit_notes) for each in found] == [(other, []), (invoice, notes)]


def test_balance_of_several(make_issued, stand, pay):
    late = make_issued(amounts=["150"], parts=3)
    set_days(late, -40, 20, 50)
    coming = make_issued(amounts=["30"])
    set_days(coming, 20)
    excess = make_issued()
    pay(excess, "40")

    balance = balance_of(map(stand, [late, coming, excess]))

    assert (balance.left, balance.due_now, balance.is_overdue) == (Decimal(180), Decimal(50), True)
    assert (balance.next_on, balance.next_amount) == (days(20), Decimal(80))
    assert balance.excess == Decimal(2)


def test_balance_of_nothing():
    balance = balance_of([])

    assert (balance.left, balance.due_now, balance.next_on) == (0, 0, None)


def test_the_overdue_first_then_by_day_then_the_settled(make_issued, stand, pay):
    paid, later, late = make_issued(), make_issued(due_on=days(40)), make_issued()
    today = make_issued(due_on=days(0))
    pay(paid, "38")
    set_days(late, -1)

    statements = sorted(map(stand, [paid, later, today, late]), key=lambda each: each.urgency)

    assert [each.invoice for each in statements] == [late, today, later, paid]
