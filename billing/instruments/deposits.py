"""The deposit of a rental: received, then given back or kept.

It is the household's money, not the town's income: no line of an invoice bears it, so neither the
totals nor what is paid online hold it. What is kept of it pays for a damage, with its reason.
"""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day
from accounts.models import User
from billing.instruments.enums import NEXT_DEPOSIT, DepositState, RentalEvent, RentalState
from billing.instruments.rentals import lock, log
from billing.models import Rental
from billing.money import euros, round_cents
from billing.services.closings import lock_open_day


@transaction.atomic
def receive(rental: Rental, *, on: dt.date, reference: str, actor: User) -> Rental:
    """The whole deposit is there; `reference` is that of the cheque or of the transfer."""
    rental = _move(rental, DepositState.HELD)
    if rental.state == RentalState.CANCELLED:
        raise ValidationError("Cette location est annulée.", code="bad_transition")
    _check_day(on)
    rental.deposit_received_on, rental.deposit_reference = on, reference
    rental.full_clean()
    rental.save(update_fields=["deposit_state", "deposit_received_on", "deposit_reference"])
    details = f"{euros(rental.deposit)}, {reference}, le {day(on)}."
    log(rental, RentalEvent.DEPOSIT_RECEIVED, actor=actor, details=details)
    return rental


@transaction.atomic
def give_back(rental: Rental, *, on: dt.date, actor: User) -> Rental:
    """All of it. Refuses while the instrument is out (code "not_returned")."""
    rental = _move(rental, DepositState.GIVEN_BACK)
    _check_settles(rental, on)
    rental.deposit_settled_on = on
    rental.full_clean()
    rental.save(update_fields=["deposit_state", "deposit_settled_on"])
    details = f"{euros(rental.deposit)}, le {day(on)}."
    log(rental, RentalEvent.DEPOSIT_GIVEN_BACK, actor=actor, details=details)
    return rental


@transaction.atomic
def keep(rental: Rental, *, on: dt.date, amount: Decimal, reason: str, actor: User) -> Rental:
    """Keeps `amount` (euros) of it, with the reason that the household reads; the rest goes back.

    Refuses while the instrument is out, more than was received, and a day of the till that is
    closed (code "day_closed"): what is kept is in its journal.
    """
    rental = _move(rental, DepositState.KEPT)
    _check_settles(rental, on)
    lock_open_day(rental.instrument.establishment, on)
    amount = round_cents(amount)
    if not 0 < amount <= rental.deposit:
        raise ValidationError(
            {
                "amount": ValidationError(
                    f"Gardez un montant de 0,01\u00a0€ à {euros(rental.deposit)}.",
                    code="amount_kept",
                )
            }
        )
    rental.deposit_settled_on = on
    rental.deposit_kept, rental.deposit_reason = amount, reason
    rental.full_clean()
    rental.save(
        update_fields=["deposit_state", "deposit_settled_on", "deposit_kept", "deposit_reason"]
    )
    rest = rental.deposit - amount
    details = f"{euros(amount)} gardés, {euros(rest)} rendus\u00a0: {reason}"
    log(rental, RentalEvent.DEPOSIT_KEPT, actor=actor, details=details)
    return rental


def _move(rental, state):
    rental = lock(rental)
    if state not in NEXT_DEPOSIT[rental.deposit_state]:
        raise ValidationError(
            f"Action déjà faite ou impossible\u00a0: dépôt {rental.get_deposit_state_display()}.",
            code="bad_transition",
        )
    rental.deposit_state = state
    return rental


def _check_settles(rental, on):
    if rental.state == RentalState.ONGOING:
        raise ValidationError(
            "L'instrument n'est pas rendu\u00a0: enregistrez d'abord son retour.",
            code="not_returned",
        )
    _check_day(on)
    if on < rental.deposit_received_on:
        raise ValidationError(
            {
                "on": ValidationError(
                    f"Le dépôt a été reçu le {day(rental.deposit_received_on)}.",
                    code="before_received",
                )
            }
        )


def _check_day(on):
    if on > timezone.localdate():
        raise ValidationError({"on": ValidationError("Cette date est à venir.", code="in_future")})
