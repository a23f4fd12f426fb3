"""Is each case of a grid priced exactly once?"""

from decimal import Decimal
from itertools import pairwise, product

from billing.pricing.grids import Audience, Category, Grid, Rate
from families.enums import Zone

AUDIENCES = [Audience.CHILD, Audience.ADULT]
IN_FRENCH = {Audience.CHILD: "enfants", Audience.ADULT: "adultes"}


def faults(grid: Grid) -> list[str]:
    """The cases priced never, or several times, in French.

    A category without any rate is not taught; without one for adults, not to them.
    """
    told = []
    for category in grid.categories:
        rates = [rate for rate in grid.rates if rate.category == category.code]
        if rates:
            for zone, audience in product(Zone.values, AUDIENCES):
                told += _faults_of(category, rates, zone, audience)
    return told


def _faults_of(category: Category, rates: list[Rate], zone: str, audience: Audience) -> list[str]:
    of_audience = [rate for rate in rates if rate.audience in (Audience.ALL, audience)]
    if not of_audience:
        return []
    here = [rate for rate in of_audience if rate.zone in (None, zone)]
    where = f"{category.label}, {Zone(zone).label}, {IN_FRENCH[audience]}"
    if not here:
        return [f"{where}\u00a0: aucun tarif."]
    told = []
    for low, high in pairwise(_edges(here)):
        probed = [r for r in here if r.band is None or r.band.holds(low)]
        if problem := _problem(probed):
            told.append(f"{where}, {_band(low, high)}\u00a0: {problem}.")
    return told


def _edges(rates):
    """The quotients at which something may change, from 0; the last one is infinite."""
    bounds = {Decimal(0)}
    for rate in rates:
        if rate.band:
            bounds |= {bound for bound in (rate.band.low, rate.band.high) if bound is not None}
    return [*sorted(bounds), None]


def _problem(rates):
    if not rates:
        return "aucun tarif"
    ranks = sorted(rate.rank or 0 for rate in rates)
    if ranks == [0] or ranks == list(range(1, len(ranks) + 1)):
        return ""
    if ranks[0] and len(set(ranks)) == len(ranks):
        return "il manque le tarif d'un rang"
    return "plusieurs tarifs"


def _band(low, high):
    if not low and high is None:
        return "tous les quotients"
    return f"QF de {low:f} à moins de {high:f}" if high is not None else f"QF de {low:f} et plus"
