"""What must stay true of the rentals (`manage.py check_invariants`)."""

from collections.abc import Iterator
from itertools import pairwise

from django.db.models import Exists, OuterRef

from billing.instruments.enums import RentalEvent, RentalState
from billing.models import Rental, RentalMove

TOLD_BY = {
    RentalState.ONGOING: RentalEvent.HANDED_OVER,
    RentalState.RETURNED: RentalEvent.RETURNED,
    RentalState.CANCELLED: RentalEvent.CANCELLED,
}


def rentals() -> Iterator[str]:
    """Nobody was promised another's days, and the log tells where each rental stands."""
    live = Rental.objects.live().for_list().order_by("instrument", "starts_on", "pk")
    for before, after in pairwise(live):
        if before.instrument_id == after.instrument_id and after.starts_on <= before.ends_on:
            yield (
                f"{before.instrument} est promis deux fois le même jour\u00a0: à {before.student}"
                f" {before.period}, à {after.student} {after.period}."
            )
    for state, event in TOLD_BY.items():
        told = RentalMove.objects.filter(rental=OuterRef("pk"), event=event)
        untold = Rental.objects.for_list().filter(~Exists(told), state=state)
        for rental in untold.order_by("pk"):
            yield f"{rental}\u00a0: location {rental.state_label}, et son journal ne le dit pas."
