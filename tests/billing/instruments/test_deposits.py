"""A deposit is the household's: it comes back, or is kept for a reason."""

import datetime as dt
from decimal import Decimal

import pytest

from billing.instruments import deposits, rentals
from billing.instruments.enums import Condition, DepositState
from billing.models import InvoiceLine
from tests.billing.instruments.refusals import refusal_of

DAY = dt.timedelta(days=1)


@pytest.fixture
def returned(make_rental, accountant, today):
    """The instrument is back, the deposit is still here."""
    rental = make_rental(handed_over=True, deposit_held=True, starts_on=today - DAY)
    return rentals.take_back(rental, on=today, condition=Condition.DAMAGED, actor=accountant)


def test_receives_it_with_its_reference(make_rental, accountant, today):
    rental = deposits.receive(make_rental(), on=today, reference="Chèque 12", actor=accountant)

    rental.refresh_from_db()
    assert (rental.deposit_state, rental.deposit_received_on) == (DepositState.HELD, today)
    assert rental.deposit_reference == "Chèque 12"
    assert rental.moves.last().details.startswith("200,00\u00a0€, Chèque 12, le ")


def test_receives_it_once(make_rental, accountant, today):
    rental = make_rental(deposit_held=True)

    refusal = refusal_of(deposits.receive, rental, on=today, reference="C", actor=accountant)

    assert refusal == ("bad_transition", "Action déjà faite ou impossible\u00a0: dépôt reçu.")


def test_receives_none_for_a_cancelled_rental_nor_on_a_day_to_come(make_rental, accountant, today):
    rental = make_rental()

    def receive(on):
        return refusal_of(deposits.receive, rental, on=on, reference="C", actor=accountant)[0]

    assert receive(today + DAY) == "in_future"
    rentals.cancel(rental, reason="x", actor=accountant)
    assert receive(today) == "bad_transition"


def test_gives_it_back(returned, accountant, today):
    rental = deposits.give_back(returned, on=today, actor=accountant)

    rental.refresh_from_db()
    assert (rental.deposit_state, rental.deposit_settled_on) == (DepositState.GIVEN_BACK, today)
    assert rental.deposit_given_back == Decimal("200.00")


def test_keeps_a_part_with_the_reason(returned, accountant, today):
    rental = deposits.keep(
        returned, on=today, amount=Decimal(80), reason="Chevalet cassé.", actor=accountant
    )

    rental.refresh_from_db()
    assert (rental.deposit_state, rental.deposit_kept) == (DepositState.KEPT, Decimal("80.00"))
    assert rental.deposit_given_back == Decimal("120.00")
    assert rental.moves.last().details == (
        "80,00\u00a0€ gardés, 120,00\u00a0€ rendus\u00a0: Chevalet cassé."
    )
    assert not InvoiceLine.objects.exists()  # no income by itself


@pytest.mark.parametrize("amount", ["0", "-1", "200.01"])
def test_keeps_no_more_than_was_received(returned, accountant, today, amount):
    refusal = refusal_of(
        deposits.keep, returned, on=today, amount=Decimal(amount), reason="x", actor=accountant
    )

    assert refusal == ("amount_kept", "Gardez un montant de 0,01\u00a0€ à 200,00\u00a0€.")


def test_settles_nothing_while_the_instrument_is_out(make_rental, accountant, today):
    rental = make_rental(handed_over=True, deposit_held=True)

    refusal = refusal_of(deposits.give_back, rental, on=today, actor=accountant)

    assert refusal[0] == "not_returned"


def test_settles_it_after_it_was_received(returned, accountant, today):
    refusal = refusal_of(deposits.give_back, returned, on=today - DAY, actor=accountant)

    assert refusal[0] == "before_received"


def test_a_reservation_that_ends_gives_it_back(make_rental, accountant, today):
    rental = deposits.give_back(make_rental(deposit_held=True), on=today, actor=accountant)

    assert rentals.cancel(rental, reason="x", actor=accountant).state == "cancelled"
