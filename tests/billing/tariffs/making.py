"""Grids as tests need them."""

from billing.models import TariffGrid
from billing.tariffs import publishing
from tests.factories import TariffGridFactory, TariffRateFactory


def make_draft(amount="603.00", **fields) -> TariffGrid:
    """A draft of one rate for every case, ready to be published."""
    grid = TariffGridFactory(**fields)
    TariffRateFactory(grid=grid, amount=amount)
    return grid


def make_published(actor, amount="603.00", **fields) -> TariffGrid:
    return publishing.publish(make_draft(amount, **fields), actor=actor)
