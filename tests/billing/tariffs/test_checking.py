from decimal import Decimal

import pytest

from billing.pricing.grids import Audience, Band, Category, Grid, Rate
from billing.tariffs.checking import faults

ZONES = ["commune du conservatoire", "commune conventionnée", "hors territoire"]


def grid(*rates):
    return Grid("Tarifs", (Category("a", "Cursus"), Category("b", "Danse")), rates)


def rate(low=None, high=None, **fields):
    bounds = [None if bound is None else Decimal(bound) for bound in (low, high)]
    band = None if bounds == [None, None] else Band(*bounds)
    return Rate("a", band=band, amount=Decimal(1), **fields)


@pytest.mark.parametrize(
    "rates",
    [
        [rate()],
        [rate(None, 600), rate(600, 1000), rate(1000)],
        [rate(0, 600), rate(600)],
        [rate(zone="resident"), rate(zone="conventioned"), rate(zone="outside")],
        [rate(audience=Audience.CHILD)],  # not for adults
        [rate(rank=1), rate(rank=2)],
        [rate(audience=Audience.CHILD, rank=1), rate(audience=Audience.ADULT)],
    ],
)
def test_each_case_is_priced_once(rates):
    assert faults(grid(*rates)) == []


@pytest.mark.parametrize(
    ("rates", "fault"),
    [
        ([rate(None, 600)], "QF de 600 et plus\u00a0: aucun tarif."),
        ([rate(None, 600), rate(700)], "QF de 600 à moins de 700\u00a0: aucun tarif."),
        ([rate(None, 700), rate(600)], "QF de 600 à moins de 700\u00a0: plusieurs tarifs."),
        ([rate(), rate(600)], "QF de 600 et plus\u00a0: plusieurs tarifs."),
        ([rate(rank=1), rate(rank=3)], "tous les quotients\u00a0: il manque le tarif d'un rang."),
        ([rate(rank=1), rate()], "tous les quotients\u00a0: plusieurs tarifs."),
    ],
)
def test_a_hole_and_an_overlap_are_told_for_each_zone_and_audience(rates, fault):
    assert faults(grid(*rates)) == [
        f"Cursus, {zone}, {audience}, {fault}"
        for zone in ZONES
        for audience in ("enfants", "adultes")
    ]


def test_a_zone_without_any_rate_is_told():
    assert faults(grid(rate(zone="resident", audience=Audience.CHILD))) == [
        f"Cursus, {zone}, enfants\u00a0: aucun tarif." for zone in ZONES[1:]
    ]
