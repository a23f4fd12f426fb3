"""Every case that a grid must price: category × zone × children or adults × rank × quotient."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from billing.money import euros
from billing.pricing import explaining
from billing.pricing.grids import ZERO, Category, Fault, Grid, Rate
from billing.pricing.rates import amount_of, is_for, rates_for
from families.enums import Zone

AUDIENCES = {False: "enfants", True: "adultes"}


def of_cases(grid: Grid, zones: tuple[str, ...]) -> Iterator[Fault]:
    """Each case is priced once, and a poorer family, a next child, a resident not dearer."""
    for category in grid.categories:
        yield from _nobody(grid, category)
        last = max((rate.rank or 1 for rate in grid.rates_of.get(category.code, ())), default=1)
        costs = {}
        for zone in zones:
            for is_adult in AUDIENCES:
                for rank in range(1, last + 1):
                    case = _Case(grid, category, zone, is_adult, rank)
                    yield from case.gaps_and_overlaps()
                    yield from case.dearer_when_poorer()
                    costs[zone, is_adult, rank] = case.costs
        yield from _dearer_for_next_child(category, costs)
        yield from _dearer_for_residents(category, costs)


class _Case:
    """A category, a zone, children or adults, a rank: its rates along the quotients.

    Between two of the `edges` everything is alike, or grows with the quotient.
    """

    def __init__(self, grid: Grid, category: Category, zone: str, is_adult: bool, rank: int):
        self.category = category
        self.is_taught = _is_taught(grid, category, is_adult)
        self.rates = rates_for(grid, category.code, zone, is_adult, rank)
        self.edges = _edges(grid.rates_of.get(category.code, ()))
        self.words = f"{category.label}, {explaining.zone(zone)}, {AUDIENCES[is_adult]}"
        if any(rate.rank is not None for rate in grid.rates_of.get(category.code, ())):
            self.words += f", rang {rank}"
        self.matching = [
            [rate for rate in self.rates if rate.band is None or rate.band.holds(edge)]
            for edge in self.edges
        ]
        self.costs = [
            amount_of(rates[0], edge) if len(rates) == 1 else None
            for edge, rates in zip(self.edges, self.matching, strict=True)
        ]

    def gaps_and_overlaps(self) -> Iterator[Fault]:
        """Neighbouring quotients in the same case are told together."""
        if not self.is_taught:
            return
        start = 0
        for index, rates in enumerate(self.matching):
            following = self.matching[index + 1] if index + 1 < len(self.matching) else None
            if rates == following:
                continue
            if len(rates) != 1:
                yield self._misfit(rates, start, index + 1)
            start = index + 1

    def dearer_when_poorer(self) -> Iterator[Fault]:
        edges = zip(self.edges, self.matching, strict=True)
        for (_, rates), (after, later) in pairwise(edges):
            if len(rates) != 1 or len(later) != 1 or rates == later:
                continue
            before = amount_of(rates[0], after)  # what it asks just below the edge
            if before > amount_of(later[0], after):
                yield Fault(
                    "dearer_when_poorer",
                    f"{self.words}\u00a0: un quotient juste au-dessous de {euros(after)} paie plus"
                    f" ({euros(before)}) qu'au-dessus ({euros(amount_of(later[0], after))}).",
                    forbids=False,
                    category=self.category.code,
                )

    def _misfit(self, rates, start, end):
        quotients = self._quotients(start, end)
        if rates:
            message = f"{self.words}{quotients}\u00a0: {len(rates)} tarifs conviennent à la fois."
            return Fault("several_rates", message, category=self.category.code)
        message = f"{self.words}{quotients}\u00a0: aucun tarif."
        return Fault("no_rate", message, category=self.category.code)

    def _quotients(self, start, end):
        low, high = self.edges[start], self.edges[end] if end < len(self.edges) else None
        if high is None:
            return f", QF de {euros(low)} et plus" if low else ""
        return f", QF de {euros(low)} à moins de {euros(high)}"


def _is_taught(grid, category, is_adult):
    """Éveil is not for adults: without any rate for them, there is no gap."""
    rates = grid.rates_of.get(category.code, ())
    return any(is_for(rate, is_adult) for rate in rates)


def _nobody(grid, category):
    for is_adult, whom in AUDIENCES.items():
        if not _is_taught(grid, category, is_adult):
            message = f"{category.label}\u00a0: aucun tarif pour les {whom}."
            yield Fault("not_priced", message, forbids=False, category=category.code)


def _edges(rates: Iterable[Rate]) -> list[Decimal]:
    """The quotients at which something may change, from zero up."""
    edges = {ZERO}
    for rate in rates:
        if rate.band:
            edges |= {edge for edge in (rate.band.low, rate.band.high) if edge is not None}
        if rate.effort and rate.effort.percent:
            limits = (rate.effort.floor, rate.effort.ceiling)
            edges |= {limit * 100 / rate.effort.percent for limit in limits}
    return sorted(edge for edge in edges if edge >= ZERO)


def _dearer_for_next_child(category, costs):
    for (zone, is_adult, rank), here in costs.items():
        if _some_dearer(costs.get((zone, is_adult, rank + 1)), here):
            yield Fault(
                "dearer_for_next_child",
                f"{category.label}, {explaining.zone(zone)}, {AUDIENCES[is_adult]}\u00a0: le rang"
                f" {rank + 1} paie plus que le rang {rank}.",
                forbids=False,
                category=category.code,
            )


def _dearer_for_residents(category, costs):
    told = set()
    for (zone, is_adult, rank), here in costs.items():
        outside = costs.get((Zone.OUTSIDE.value, is_adult, rank))
        if zone != Zone.RESIDENT or is_adult in told or not _some_dearer(here, outside):
            continue
        told.add(is_adult)
        yield Fault(
            "dearer_for_residents",
            f"{category.label}, {AUDIENCES[is_adult]}\u00a0: un résident peut payer plus qu'une"
            " famille hors territoire.",
            forbids=False,
            category=category.code,
        )


def _some_dearer(these, those):
    """At the same quotient, does one of `these` cost more?"""
    pairs = zip(these or (), those or (), strict=False)
    return any(None not in pair and pair[0] > pair[1] for pair in pairs)
