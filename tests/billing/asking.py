"""A tariff voted for the coming year, and the address that asks the simulator."""

from urllib.parse import urlencode

from django.urls import reverse

from billing.models import TariffFee, TariffGrid, TariffModifier
from billing.pricing.grids import Reason
from billing.tariffs import publishing
from families.enums import Zone
from tests.factories import (
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)

BANDS = [(None, 600, "300"), (600, 1000, "450"), (1000, None, "603")]


def make_tariff(actor, *, by_quotient=True, **fields) -> TariffGrid:
    """Published: the « cursus » by quotient for residents, else 909 €; the choir, 108 €; 38 € once.

    The second student pays 10 % less, one of the « minima sociaux » half. `by_quotient=False`:
    603 € for every resident.
    """
    draft = TariffGridFactory(**{"school_year": SchoolYearFactory.coming()} | fields)
    site = draft.establishment
    cursus = TariffCategoryFactory(
        establishment=site, code="cursus", label="Cursus complet", position=1
    )
    choir = TariffCategoryFactory(
        establishment=site, code="chorale", label="Pratique collective seule", position=2
    )
    for low, high, amount in BANDS if by_quotient else [(None, None, "603")]:
        TariffRateFactory(
            grid=draft,
            category=cursus,
            zone=Zone.RESIDENT,
            band_low=low,
            band_high=high,
            amount=amount,
        )
    for zone in (Zone.CONVENTIONED, Zone.OUTSIDE):
        TariffRateFactory(grid=draft, category=cursus, zone=zone, amount="909")
    TariffRateFactory(grid=draft, category=choir, amount="108")
    TariffFee.objects.create(grid=draft, label="Frais de dossier", amount=38)
    TariffModifier.objects.create(
        grid=draft, reason=Reason.RANK.value, label="2e enfant", percent=10
    )
    TariffModifier.objects.create(
        grid=draft,
        position=2,
        reason=Reason.SITUATION.value,
        label="Minima sociaux",
        codes="minima",
        percent=50,
    )
    return publishing.publish(draft, actor=actor)


def ask(**typed) -> str:
    """The address of the simulator that holds the question: `ask(commune=…, e1_age=8)`."""
    query = {name.replace("_", "-"): value for name, value in typed.items()}
    return f"{reverse('billing:simulator')}?{urlencode(query, doseq=True)}"
