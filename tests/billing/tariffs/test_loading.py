import datetime as dt
from decimal import Decimal

import pytest

from billing.models import TariffFee, TariffModifier
from billing.pricing import grids
from billing.tariffs.loading import load, published_grid
from tests.billing.tariffs.making import make_published
from tests.factories import (
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)


@pytest.fixture
def grid(establishment):
    grid = TariffGridFactory(label="Tarifs", order="eldest", terms=3, months=9)
    cursus = TariffCategoryFactory(code="cursus", once=True, position=1)
    choir = TariffCategoryFactory(code="choeur", position=2)
    cursus.includes.add(choir)
    TariffCategoryFactory(establishment=EstablishmentFactory(name="Annexe"), code="danse")
    TariffRateFactory(grid=grid, category=cursus, zone="resident", band_high=600, rank=1)
    TariffRateFactory(
        grid=grid,
        category=choir,
        audience="adult",
        amount=None,
        effort_percent="6.4",
        effort_floor=76,
        effort_ceiling=285,
    )
    grid.fees.add(TariffFee(label="Frais de dossier", amount=38, per="student"), bulk=False)
    remise = TariffModifier.objects.create(
        grid=grid, reason="situation", label="Étudiant", percent=20, codes="etudiant, rsa"
    )
    remise.categories.add(choir)
    return grid


def test_the_rows_become_the_engine_s_grid(grid):
    assert load(grid) == grids.Grid(
        label="Tarifs",
        categories=(
            grids.Category("cursus", "Cursus", frozenset({"choeur"}), once=True),
            grids.Category("choeur", "Choeur"),
        ),
        rates=(
            grids.Rate(
                "cursus",
                zone="resident",
                band=grids.Band(None, Decimal(600)),
                rank=1,
                amount=Decimal(603),
            ),
            grids.Rate(
                "choeur",
                audience=grids.Audience.ADULT,
                effort=grids.Effort(Decimal("6.4"), Decimal(76), Decimal(285)),
            ),
        ),
        modifiers=(
            grids.Modifier(
                reason=grids.Reason.SITUATION,
                label="Étudiant",
                percent=Decimal(20),
                codes=frozenset({"etudiant", "rsa"}),
                categories=frozenset({"choeur"}),
            ),
        ),
        fees=(grids.Fee("Frais de dossier", Decimal(38), grids.FeePer.STUDENT),),
        order=grids.Order.ELDEST,
        terms=3,
        months=9,
    )


@pytest.mark.parametrize("more", [0, 20])
def test_six_queries_whatever_the_size(grid, django_assert_num_queries, more):
    for number in range(more):
        category = TariffCategoryFactory(code=f"c{number}")
        TariffRateFactory(grid=grid, category=category)
        TariffModifier.objects.create(
            grid=grid, reason="rank", label=f"Remise {number}", percent=1
        ).categories.add(category)

    with django_assert_num_queries(6):
        load(grid)


def test_the_grid_of_a_day_is_the_published_one_of_the_year(establishment, director):
    year = SchoolYearFactory()
    autumn = make_published(
        director, school_year=year, valid_until=dt.date(year.starts_on.year, 12, 31)
    )
    spring = make_published(
        director, school_year=year, valid_from=dt.date(year.starts_on.year + 1, 1, 1)
    )
    TariffGridFactory(school_year=year)  # a draft
    first_day = year.starts_on

    assert published_grid(establishment, year, first_day) == autumn
    assert published_grid(establishment, year, autumn.valid_until) == autumn
    assert published_grid(establishment, year, spring.valid_from) == spring
    assert published_grid(establishment, year, first_day - dt.timedelta(1)) is None
    assert published_grid(EstablishmentFactory(name="Annexe"), year, first_day) is None
    assert published_grid(establishment, SchoolYearFactory(offset=1), first_day) is None
