"""Grids as tests need them."""

from dataclasses import replace

from billing.models import TariffFee, TariffGrid, TariffModifier
from billing.pricing import grids
from billing.tariffs import publishing
from tests.factories import TariffCategoryFactory, TariffGridFactory, TariffRateFactory


def make_draft(amount="603.00", **fields) -> TariffGrid:
    """A draft of one rate for every case, ready to be published."""
    grid = TariffGridFactory(**fields)
    TariffRateFactory(grid=grid, amount=amount)
    return grid


def make_published(actor, amount="603.00", **fields) -> TariffGrid:
    return publishing.publish(make_draft(amount, **fields), actor=actor)


def make_of(shape: grids.Grid, **fields) -> TariffGrid:
    """A draft whose rows are those of a grid of the engine; see `slugs` for its codes."""
    grid = TariffGridFactory(
        label=shape.label,
        order=shape.order.value,
        terms=shape.terms,
        months=shape.months,
        top_within_zone=shape.top_within_zone,
        **fields,
    )
    categories = {
        each.code: TariffCategoryFactory(
            establishment=grid.establishment,
            code=each.code,
            label=each.label,
            once=each.once,
            position=position,
        )
        for position, each in enumerate(shape.categories, start=1)
    }
    for each in shape.categories:
        categories[each.code].includes.set([categories[code] for code in each.includes])
    for rate in shape.rates:
        effort, band = rate.effort, rate.band or grids.Band()
        TariffRateFactory(
            grid=grid,
            category=categories[rate.category],
            zone=rate.zone or "",
            audience=rate.audience.value,
            band_low=band.low,
            band_high=band.high,
            rank=rate.rank,
            amount=rate.amount,
            effort_percent=effort and effort.percent,
            effort_floor=effort and effort.floor,
            effort_ceiling=effort and effort.ceiling,
        )
    for position, each in enumerate(shape.modifiers, start=1):
        modifier = TariffModifier.objects.create(
            grid=grid,
            position=position,
            reason=each.reason.value,
            label=each.label,
            percent=each.percent,
            amount=each.amount,
            from_rank=each.from_rank,
            to_rank=each.to_rank,
            codes=", ".join(sorted(each.codes)),
            keeps_floor=each.keeps_floor,
        )
        modifier.categories.set([categories[code] for code in each.categories])
    for fee in shape.fees:
        TariffFee.objects.create(grid=grid, label=fee.label, amount=fee.amount, per=fee.per.value)
    return grid


def slugs(shape: grids.Grid) -> grids.Grid:
    """The same one, whose codes are those that a table may hold: « 6.4 » is « c6-4 »."""

    def slug(code):
        return f"c{code.replace('.', '-')}"

    return replace(
        shape,
        categories=tuple(
            replace(each, code=slug(each.code), includes=frozenset(map(slug, each.includes)))
            for each in shape.categories
        ),
        rates=tuple(replace(each, category=slug(each.category)) for each in shape.rates),
        modifiers=tuple(
            replace(each, categories=frozenset(map(slug, each.categories)))
            for each in shape.modifiers
        ),
    )
