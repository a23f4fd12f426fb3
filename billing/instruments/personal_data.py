"""What is held about a household's rentals: the copy of « Mes données », the erasure."""

from django.db.models import Prefetch, Q

from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from billing.instruments.enums import LIVE_RENTALS, DepositState
from billing.models import Rental, RentalMove
from families.enums import Fate
from families.holdings import Holding, Part

EXPORTED = {
    Rental: [
        *["instrument", "student", "school_year", "state", "starts_on", "ends_on"],
        *["rent", "months", "deposit", "deposit_state", "deposit_reference"],
        *["deposit_received_on", "deposit_settled_on", "deposit_kept", "deposit_reason"],
        *["insurer", "policy_number", "insured_until"],
        *["handed_over_on", "condition_out", "returned_on", "condition_back"],
    ],
    RentalMove: ["at", "actor", "event", "condition", "details"],
}
NESTED = "dit où la ligne est rangée"
OURS = "un bien du conservatoire"
FORGOTTEN = "effacé"
MOVES = RentalMove.objects.select_related("actor").order_by("pk")


class RentalsPart(Part):
    exported = EXPORTED
    not_exported = {
        "billing.InstrumentKind": "une liste publique",
        "billing.Instrument": OURS,
        "billing.Repair": OURS,
        "billing.Rental.family": NESTED,
        "billing.Rental.terms": "les clauses du contrat, qui se lit dans «\u00a0locations\u00a0»",
        "billing.RentalTerms": "les mêmes pour tous ceux qui louent",
        "billing.RentalMove.rental": NESTED,
        "billing.RentalCharge": "les lignes des factures le disent",
    }
    sections = {
        "locations": "les instruments que vous louez ou avez loués, avec ce qui en a été noté"
    }

    def export(self, copy):
        rentals = Rental.objects.visible_to(copy.user).for_list()
        rentals = rentals.prefetch_related(Prefetch("moves", MOVES))
        return {"locations": [_rental(rental, copy) for rental in rentals]}

    def holdings(self, family):
        return [
            Holding(
                "Locations d'instruments\u00a0: assurance et motifs",
                family.rentals.count(),
                Fate.EMPTIED,
                "Elles disent où chaque instrument a été, sans dire chez qui.",
            )
        ]

    def obstacles(self, family):
        """Nobody else would answer for the instrument, nor be given the deposit back."""
        open_ones = Q(state__in=LIVE_RENTALS) | Q(deposit_state=DepositState.HELD)
        return [
            f"{rental}\u00a0: cette location n'est pas terminée."
            if rental.state in LIVE_RENTALS
            else f"{rental}\u00a0: le dépôt de garantie n'est pas rendu."
            for rental in family.rentals.for_list().filter(open_ones).order_by("pk")
        ]

    def erase(self, family):
        """What was signed for is over; the dates and amounts stay, for the accounts."""
        rentals = Rental.objects.filter(family=family)
        RentalMove.objects.filter(rental__in=rentals).update(details="")
        rentals.exclude(insurer="").update(insurer=FORGOTTEN, policy_number=FORGOTTEN)
        rentals.exclude(deposit_reason="").update(deposit_reason=FORGOTTEN)
        rentals.update(deposit_reference="")
        forget_in_admin_log(Rental, list(rentals.values_list("pk", flat=True)))


def _rental(rental, copy):
    return {
        **record(rental, EXPORTED[Rental]),
        "mouvements": [
            record(move, EXPORTED[RentalMove], actor=copy.signature(move.actor))
            for move in rental.moves.all()
        ],
    }
