"""A rental is proposed at what the published grid says of its kind."""

from decimal import Decimal

import pytest
from django.utils import timezone

from billing.instruments.prices import Price, proposed_price
from billing.tariffs.enums import GridStatus
from tests.factories import InstrumentKindFactory, SchoolYearFactory, TariffGridFactory


@pytest.fixture
def grid(establishment, accountant):
    return TariffGridFactory(
        establishment=establishment,
        status=GridStatus.PUBLISHED,
        published_at=timezone.now(),
        published_by=accountant,
        months=9,
    )


def proposed(grid, name="Violon"):
    return proposed_price(InstrumentKindFactory(name=name), grid.establishment, grid.school_year)


def test_by_the_name_of_the_kind(grid):
    grid.rentals.create(instrument="VIOLON", amount=Decimal(150), deposit=Decimal(200))
    grid.rentals.create(instrument="Violoncelle", amount=Decimal(180))

    assert proposed(grid) == Price(Decimal("150.00"), Decimal("200.00"), months=9)
    assert proposed(grid, "Cor") is None


def test_next_year_is_at_the_tariffs_voted_for_it(establishment, accountant):
    year = SchoolYearFactory(offset=1)
    grid = TariffGridFactory(
        establishment=establishment,
        school_year=year,
        valid_from=year.starts_on,
        valid_until=year.ends_on,
        status=GridStatus.PUBLISHED,
        published_at=timezone.now(),
        published_by=accountant,
    )
    grid.rentals.create(instrument="Violon", amount=Decimal(160))

    assert proposed(grid).rent == Decimal("160.00")


def test_without_pro_rata_the_year_is_one_part(grid):
    grid.rentals.create(instrument="Violon", amount=Decimal(150), pro_rata=False)

    assert proposed(grid).months == 1


def test_a_draft_proposes_nothing(establishment):
    grid = TariffGridFactory(establishment=establishment)
    grid.rentals.create(instrument="Violon", amount=Decimal(150))

    assert proposed(grid) is None
    assert proposed_price(InstrumentKindFactory(), establishment, None) is None
