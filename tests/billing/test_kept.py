"""Of what was received, what is still held: the money that an attestation may count."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from billing.enums import PaymentMeans, PaymentNature
from billing.kept import kept_by_invoice

JUNE, MAY = dt.date(2027, 6, 1), dt.date(2027, 5, 1)
LAST_YEAR = dt.date(2026, 12, 20)


@dataclass
class Row:
    pk: int
    invoice_id: int
    nature: PaymentNature
    amount: Decimal
    paid_on: dt.date = JUNE
    means: PaymentMeans = PaymentMeans.CARD
    reverses_id: int | None = None
    counterpart_id: int | None = None


class Till:
    def __init__(self):
        self.rows, self.keys = [], count(1)

    def add(self, nature, amount, invoice=1, **kwargs):
        row = Row(next(self.keys), invoice, nature, Decimal(amount), **kwargs)
        self.rows.append(row)
        return row

    def receive(self, amount, **kwargs):
        return self.add(PaymentNature.RECEIVED, amount, **kwargs)

    def bounce(self, row):
        return self.add(
            PaymentNature.BOUNCED, -row.amount, invoice=row.invoice_id, reverses_id=row.pk
        )

    def refund(self, amount, **kwargs):
        return self.add(PaymentNature.REFUNDED, -Decimal(amount), **kwargs)

    def carry(self, amount, source=1, target=2):
        taken = self.add(PaymentNature.CARRIED, -Decimal(amount), invoice=source)
        given = self.add(PaymentNature.CARRIED, amount, invoice=target, counterpart_id=taken.pk)
        taken.counterpart_id = given.pk

    def kept(self, invoice=1):
        found = kept_by_invoice(self.rows).get(invoice, [])
        return [(piece.received_on, str(piece.amount)) for piece in found]


def test_what_is_received_is_kept_by_day():
    till = Till()
    till.receive("10.00", paid_on=JUNE)
    till.receive("20.00", paid_on=MAY)

    assert till.kept() == [(MAY, "20.00"), (JUNE, "10.00")]


def test_a_bounce_takes_off_the_very_payment():
    till = Till()
    cheque = till.receive("10.00", paid_on=MAY, means=PaymentMeans.CHEQUE)
    till.receive("20.00", paid_on=JUNE)
    till.bounce(cheque)

    assert till.kept() == [(JUNE, "20.00")]


def test_a_bounce_of_the_next_year_counts_for_the_year_of_the_cheque():
    till = Till()
    till.bounce(till.receive("10.00", paid_on=LAST_YEAR))

    assert till.kept() == []


def test_a_refund_takes_off_what_came_last():
    till = Till()
    till.receive("20.00", paid_on=MAY)
    till.receive("30.00", paid_on=JUNE)
    till.refund("35.00")

    assert till.kept() == [(MAY, "15.00")]


def test_what_is_carried_keeps_its_day():
    till = Till()
    till.receive("50.00", paid_on=LAST_YEAR)
    till.carry("20.00")

    assert till.kept() == [(LAST_YEAR, "30.00")]
    assert till.kept(2) == [(LAST_YEAR, "20.00")]


def test_a_bounce_follows_what_was_carried():
    till = Till()
    cheque = till.receive("76.00", means=PaymentMeans.CHEQUE)
    till.carry("38.00")
    till.bounce(cheque)
    assert till.kept() == till.kept(2) == []

    till.receive("50.00", paid_on=MAY)

    assert till.kept(2) == [(MAY, "38.00")]
    assert till.kept() == [(MAY, "12.00")]


def test_what_the_first_one_holds_replaces_what_was_carried():
    till = Till()
    cheque = till.receive("38.00", means=PaymentMeans.CHEQUE)
    till.carry("38.00")
    till.receive("38.00", paid_on=MAY)
    till.bounce(cheque)

    assert till.kept() == []
    assert till.kept(2) == [(MAY, "38.00")]


def test_less_than_nothing_is_made_up_by_the_next_payment():
    till = Till()
    cheque = till.receive("48.00")
    till.refund("10.00")
    till.bounce(cheque)
    assert till.kept() == []

    till.receive("48.00")

    assert till.kept() == [(JUNE, "38.00")]


MOVES = st.lists(
    st.tuples(st.sampled_from(["receive", "refund", "bounce", "carry"]), st.integers(1, 9_999)),
    max_size=12,
)


@given(moves=MOVES)
def test_what_is_kept_is_what_is_paid(moves):
    """In cents, for each invoice; if more went out of the first than came in, the second has what
    was carried to it less what bounced of it."""
    till = Till()
    for move, cents in moves:
        amount = Decimal(cents) / 100
        if move == "receive":
            till.receive(amount)
        elif move == "bounce":
            gone = {row.reverses_id for row in till.rows}
            left = [
                row
                for row in till.rows
                if row.nature == PaymentNature.RECEIVED and row.pk not in gone
            ]
            if left:
                till.bounce(left[cents % len(left)])
        else:
            paid = sum(row.amount for row in till.rows if row.invoice_id == 1)
            if paid > 0:
                getattr(till, move)(min(amount, paid))

    kept = kept_by_invoice(till.rows)
    first, second = (
        sum(row.amount for row in till.rows if row.invoice_id == invoice) for invoice in (1, 2)
    )
    found = [sum(piece.amount for piece in kept.get(invoice, [])) for invoice in (1, 2)]
    if first >= 0:
        assert found == [first, second]
    else:
        assert found[0] == 0
        assert max(first + second, 0) <= found[1] <= second
        if "refund" not in [move for move, _ in moves]:
            assert found[1] == max(first + second, 0)
    assert all(piece.amount > 0 for pieces in kept.values() for piece in pieces)
