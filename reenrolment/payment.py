"""In how many parts a household pays: asked before « Valider », kept by billing for its invoices.

The choice is the household's for the year, whichever of its students' dossiers it is made with.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from billing.plans import Offer, Way, offer_of, ways_of
from billing.services.plans import choose_parts
from families.models import Family
from reenrolment.costs import Cost
from reenrolment.models import Campaign


@dataclass(frozen=True)
class Payment:
    offer: Offer
    ways: list[Way]


def payment_of(campaign: Campaign, family: Family, cost: Cost) -> Payment | None:
    """None where there is nothing to choose: no amount, no plan, a delay over, only at once.

    One query, when there is an amount.
    """
    if cost.estimate is None:
        return None
    offer = _offer(campaign, family)
    if offer is None or not offer.is_open:
        return None
    ways = ways_of(offer.plan, cost.estimate.lowest, cost.estimate.highest)
    return Payment(offer, ways) if len(ways) > 1 else None


def choose(campaign: Campaign, family: Family, parts: int, *, actor: User) -> None:
    """Raises ValidationError, code `changed`, when the recap offered what no longer is."""
    offer = _offer(campaign, family)
    try:
        if offer is None:
            raise ValidationError("Le paiement en plusieurs fois n'est plus proposé.")
        choose_parts(offer.plan, family, parts=parts, actor=actor)
    except ValidationError as error:
        raise ValidationError(error.messages[0], code="changed") from error


def _offer(campaign, family):
    keys = campaign.establishment_id, campaign.school_year_id, family.pk
    return offer_of(*keys, timezone.localdate())
