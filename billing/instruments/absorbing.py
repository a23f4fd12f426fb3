"""What becomes of the rentals of a household that turns out to be another's double."""

from billing.models import Rental
from families.absorbing import Follower, Line


class Rentals(Follower):
    """They follow: the household answers for the instruments that its double rents."""

    relations = ["billing.Rental.family"]

    def lines(self, kept, absorbed):
        return [
            Line(f"Location {rental}, {rental.period}\u00a0: rejoint le foyer.")
            for rental in absorbed.rentals.for_list().order_by("pk")
        ]

    def absorb(self, kept, absorbed):
        Rental.objects.filter(family=absorbed).update(family=kept)
