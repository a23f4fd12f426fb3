"""From the rows of a grid to the grid that the pricing engine reads."""

import datetime as dt

from django.db.models import QuerySet

from accounts.models import Establishment
from accounts.prepared import prepared
from billing.models.tariff_rows import TariffModifier, TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.pricing import grids
from billing.tariffs.enums import GridStatus
from students.models import SchoolYear


def published_grid(
    establishment: Establishment, school_year: SchoolYear, on: dt.date
) -> TariffGrid | None:
    """The published grid of the year that is valid that day: one at most (`publishing.publish`)."""
    found = _published(establishment.pk, school_year.pk, on)
    return found[0] if found else None


@prepared
def _published(establishment: int, school_year: int, on: dt.date) -> QuerySet[TariffGrid]:
    return TariffGrid.objects.filter(
        establishment=establishment,
        school_year=school_year,
        status=GridStatus.PUBLISHED,
        valid_from__lte=on,
        valid_until__gte=on,
    )


def grid_in_force(
    establishment: Establishment, school_year: SchoolYear, today: dt.date
) -> TariffGrid | None:
    """The published grid by which the year is billed today: before the year begins, that of its
    first day; once it is over, that of its last one."""
    day = min(max(today, school_year.starts_on), school_year.ends_on)
    return published_grid(establishment, school_year, day)


def load(tariff_grid: TariffGrid) -> grids.Grid:
    """The grid, published or not, in six queries whatever its size.

    Its categories are those that it prices, and those that these include: the establishment may
    have others, of other years.
    """
    rates = tuple(map(_rate, tariff_grid.rates.select_related("category")))
    return grids.Grid(
        label=tariff_grid.label,
        categories=_categories(tariff_grid, {rate.category for rate in rates}),
        rates=rates,
        modifiers=tuple(map(_modifier, tariff_grid.modifiers.prefetch_related("categories"))),
        fees=tuple(
            grids.Fee(fee.label, fee.amount, grids.FeePer(fee.per))
            for fee in tariff_grid.fees.all()
        ),
        order=grids.Order(tariff_grid.order),
        terms=tariff_grid.terms,
        months=tariff_grid.months,
        top_within_zone=tariff_grid.top_within_zone,
    )


def _categories(tariff_grid, codes):
    ours = TariffCategory.objects.filter(establishment=tariff_grid.establishment_id)
    categories = {row.code: _category(row) for row in ours.prefetch_related("includes")}
    kept, waiting = set(), set(codes)
    while waiting:
        code = waiting.pop()
        kept.add(code)
        waiting |= categories[code].includes - kept
    return tuple(category for code, category in categories.items() if code in kept)


def _category(category: TariffCategory) -> grids.Category:
    return grids.Category(
        category.code,
        category.label,
        includes=frozenset(each.code for each in category.includes.all()),
        once=category.once,
    )


def _rate(rate: TariffRate) -> grids.Rate:
    has_band = rate.band_low is not None or rate.band_high is not None
    effort = None
    if rate.amount is None:
        effort = grids.Effort(rate.effort_percent, rate.effort_floor, rate.effort_ceiling)
    return grids.Rate(
        category=rate.category.code,
        zone=rate.zone or None,
        audience=grids.Audience(rate.audience),
        band=grids.Band(rate.band_low, rate.band_high) if has_band else None,
        rank=rate.rank,
        amount=rate.amount,
        effort=effort,
    )


def _modifier(modifier: TariffModifier) -> grids.Modifier:
    return grids.Modifier(
        reason=grids.Reason(modifier.reason),
        label=modifier.label,
        percent=modifier.percent,
        amount=modifier.amount,
        from_rank=modifier.from_rank,
        to_rank=modifier.to_rank,
        codes=frozenset(code.strip() for code in modifier.codes.split(",") if code.strip()),
        categories=frozenset(each.code for each in modifier.categories.all()),
        keeps_floor=modifier.keeps_floor,
    )
