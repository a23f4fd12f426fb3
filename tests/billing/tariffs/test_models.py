"""What the database itself refuses, and the words of a rate."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing.models import TariffModifier
from billing.pricing import grids
from billing.tariffs import enums
from tests.factories import TariffGridFactory, TariffRateFactory

EFFORT = {"amount": None, "effort_percent": 6.4, "effort_floor": 76, "effort_ceiling": 285}


def refused(make, **fields):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        make(**fields)
    return str(caught.value)


@pytest.mark.django_db
class TestTheDatabase:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("amount_or_effort", {"amount": None}),
            ("amount_or_effort", EFFORT | {"amount": 100}),
            ("amount_or_effort", EFFORT | {"effort_floor": None}),
            ("floor_under_ceiling", EFFORT | {"effort_floor": 286}),
            ("not_negative", {"amount": -1}),
            ("not_negative", EFFORT | {"effort_percent": 101}),
            ("band_in_order", {"band_low": 600, "band_high": 600}),
            ("zone_and_audience_known", {"zone": "lune"}),
            ("zone_and_audience_known", {"audience": "chats"}),
        ],
    )
    def test_refuses_a_rate(self, constraint, fields):
        assert f"tariff_rate_{constraint}" in refused(TariffRateFactory, **fields)

    @pytest.mark.parametrize(
        "case",
        [
            {},
            {"band_high": 600},
            {"band_low": 600, "rank": 2, "zone": "resident"},
        ],
    )
    def test_refuses_a_second_rate_of_one_case(self, case):
        """What is empty counts as a value: SQL alone would let two « every case » pass."""
        rate = TariffRateFactory(**case)

        refused(TariffRateFactory, grid=rate.grid, category=rate.category, **case)
        TariffRateFactory(grid=rate.grid, category=rate.category, **case | {"rank": 7})

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("percent_or_amount", {}),
            ("percent_or_amount", {"percent": 10, "amount": 10}),
            ("within_bounds", {"percent": 101}),
            ("ranks_in_order", {"percent": 10, "from_rank": 3, "to_rank": 2}),
            ("codes_iff_situation", {"percent": 10, "codes": "rsa"}),
            ("codes_iff_situation", {"percent": 10, "reason": "situation"}),
            ("reason_known", {"percent": 10, "reason": "gentil"}),
        ],
    )
    def test_refuses_a_modifier(self, constraint, fields):
        fields = {"grid": TariffGridFactory(), "label": "Remise", "reason": "rank"} | fields

        assert f"tariff_modifier_{constraint}" in refused(TariffModifier.objects.create, **fields)

    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("ends_after_start", {"valid_until": "2000-01-01"}),
            ("dated_and_voted_iff_published", {"status": "published"}),
            ("dated_and_voted_iff_published", {"published_at": "2026-01-01T00:00Z"}),
            ("order_known", {"order": "hasard"}),
            ("terms_and_months_of_a_year", {"months": 13}),
        ],
    )
    def test_refuses_a_grid(self, constraint, fields):
        assert f"tariff_grid_{constraint}" in refused(TariffGridFactory, **fields)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"amount": None}, "amount", "no_price"),
        (EFFORT | {"amount": 100}, "amount", "both"),
        (EFFORT | {"effort_floor": None}, "effort_floor", "effort"),
        (EFFORT | {"effort_floor": 286}, "effort_ceiling", "ceiling"),
        ({"band_low": 600, "band_high": 600}, "band_high", "band"),
    ],
)
def test_a_form_says_it_beside_the_field(fields, field, code):
    rate = TariffRateFactory.build(**fields)

    with pytest.raises(ValidationError) as caught:
        rate.clean()

    assert [error.code for error in caught.value.error_dict[field]] == [code]


@pytest.mark.parametrize(
    ("fields", "case", "price"),
    [
        ({}, "tous", "603,00\u00a0€"),
        (
            {"zone": "outside", "audience": "adult", "rank": 2},
            "hors territoire, adultes, 2e élève",
            "603,00\u00a0€",
        ),
        ({"band_high": Decimal(600)}, "tous, QF de moins de 600", "603,00\u00a0€"),
        ({"band_low": Decimal("1000.00")}, "tous, QF de 1\u202f000 et plus", "603,00\u00a0€"),
        (
            {
                "band_low": Decimal(600),
                "band_high": Decimal("1000"),
                "amount": None,
                "effort_percent": Decimal("6.40"),
                "effort_floor": Decimal(76),
                "effort_ceiling": Decimal(285),
            },
            "tous, QF de 600 à moins de 1\u202f000",
            "6,4\u00a0% du QF, de 76,00\u00a0€ à 285,00\u00a0€",
        ),
    ],
)
def test_a_rate_in_words(fields, case, price):
    rate = TariffRateFactory.build(**fields)

    assert (rate.case, rate.price) == (case, price)


@pytest.mark.parametrize(
    ("ours", "engine"),
    [
        (enums.RateAudience, grids.Audience),
        (enums.StudentsOrder, grids.Order),
        (enums.FeePer, grids.FeePer),
        (enums.ModifierReason, grids.Reason),
    ],
)
def test_the_choices_are_the_engine_s(ours, engine):
    assert ours.values == [each.value for each in engine]
