"""The rates of a grid as a délibération shows them: a table by category, quotients across."""

from dataclasses import dataclass
from decimal import Decimal

from billing.models.tariff_rows import TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid

EVERY = (None, None)


@dataclass(frozen=True)
class Cell:
    """A rate, or None; `span` columns wide: one of no band holds for them all."""

    rate: TariffRate | None
    span: int = 1


@dataclass(frozen=True)
class Table:
    """`rows`: for whom, then a cell by band of `bands`, in words; « tous les quotients » alone."""

    category: TariffCategory
    bands: list[str]
    rows: list[tuple[str, list[Cell]]]


def tables_of(grid: TariffGrid, *, with_empty: bool = False) -> list[Table]:
    """One for each category that the grid prices, `with_empty` for the others too. Two queries."""
    by_category = {}
    for rate in grid.rates.select_related("category"):
        by_category.setdefault(rate.category_id, []).append(rate)
    categories = TariffCategory.objects.filter(establishment=grid.establishment_id)
    return [
        _table(category, by_category.get(category.pk, []))
        for category in categories
        if with_empty or category.pk in by_category
    ]


def _table(category, rates):
    bands = {_bounds(rate): rate.band for rate in rates if rate.band}
    columns = sorted(bands, key=lambda bounds: (bounds[0] or 0, bounds[1] or Decimal("inf")))
    rows = {}
    for rate in rates:
        rows.setdefault(rate.for_whom, {})[_bounds(rate)] = rate
    return Table(
        category,
        [bands[column] for column in columns] or ["Tous les quotients"],
        [(for_whom, _cells(found, columns)) for for_whom, found in rows.items()],
    )


def _cells(found, columns):
    """A row that has both kinds, which can't be published, shows all the same what it holds."""
    every = found.get(EVERY)
    if every and len(found) == 1:
        return [Cell(every, max(len(columns), 1))]
    cells = [Cell(found.get(column)) for column in columns]
    return [*cells, Cell(every)] if every else cells


def _bounds(rate):
    return (rate.band_low or None, rate.band_high)
