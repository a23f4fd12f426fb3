"""The rates of a grid as a délibération shows them: a table by category, quotients across."""

from dataclasses import dataclass

from billing.models.tariff_rows import TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid


@dataclass(frozen=True)
class Table:
    """`rows`: for whom, then the rate of each band of `bands` (empty: every quotient), or None."""

    category: TariffCategory
    bands: list[str]
    rows: list[tuple[str, list[TariffRate | None]]]

    @property
    def count(self) -> int:
        return sum(rate is not None for _, rates in self.rows for rate in rates)


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
    bands = {_band(rate): rate.band for rate in rates}
    columns = sorted(bands, key=lambda band: (band[0] or 0, band[1] or float("inf")))
    rows = {}
    for rate in rates:
        rows.setdefault(_case(rate), {})[_band(rate)] = rate
    return Table(
        category,
        [bands[column] for column in columns],
        [(case, [cells.get(column) for column in columns]) for case, cells in rows.items()],
    )


def _band(rate):
    return (rate.band_low or None, rate.band_high)


def _case(rate):
    return rate.for_whom
