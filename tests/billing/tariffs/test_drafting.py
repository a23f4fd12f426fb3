from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from billing.models import TariffFee, TariffGrid, TariffModifier, TariffRate, TariffRental
from billing.tariffs import drafting
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import (
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)


def code(caught):
    [error] = caught.value.error_list if hasattr(caught.value, "error_list") else []
    return error.code


def test_a_draft_is_written_and_written_again(establishment, accountant):
    draft = TariffGridFactory.build(
        establishment=establishment, school_year=SchoolYearFactory(), label="Tarifs"
    )
    drafting.save_draft(draft, actor=accountant)
    draft.label, draft.status = "Autres tarifs", "published"  # the state moves by services alone
    with pytest.raises(ValidationError):
        drafting.save_draft(draft, actor=accountant)
    draft.status = "draft"

    drafting.save_draft(draft, actor=accountant)

    assert TariffGrid.objects.get().label == "Autres tarifs"


def test_a_draft_with_rates_stays_at_its_site(accountant):
    draft = make_draft()
    draft.establishment = EstablishmentFactory(name="Annexe")

    with pytest.raises(ValidationError) as caught:
        drafting.save_draft(draft, actor=accountant)

    assert [each.code for each in caught.value.error_dict["establishment"]] == ["has_rates"]


def test_a_draft_goes_with_its_rows(accountant):
    draft = make_draft()

    drafting.delete_draft(draft, actor=accountant)

    assert (TariffGrid.objects.count(), TariffRate.objects.count()) == (0, 0)


def test_rates_are_replaced_in_one_go(accountant):
    draft = make_draft()
    old = draft.rates.get()
    new = TariffRate(grid=draft, category=old.category, amount=700)  # of the same case

    drafting.save_rates(draft, saved=[new], deleted=[old], actor=accountant)

    assert TariffRate.objects.get().amount == 700
    assert LogEntry.objects.get().change_message == "Tarifs\u00a0: 1 écrits, 1 ôtés."


def test_a_rate_of_another_grid_or_site_is_refused(accountant):
    draft, other = make_draft(), make_draft()
    elsewhere = TariffCategoryFactory(establishment=EstablishmentFactory(name="Annexe"))
    strangers = [other.rates.get(), TariffRate(grid=draft, category=elsewhere, amount=1)]

    for rate in strangers:
        with pytest.raises(ValidationError) as caught:
            drafting.save_rates(draft, saved=[rate], deleted=[], actor=accountant)
        assert code(caught) == "elsewhere"
    drafting.save_rates(draft, saved=[], deleted=[other.rates.get()], actor=accountant)
    assert TariffRate.objects.count() == 2  # that of the other grid is not touched


def test_a_copy_for_the_next_year_is_a_draft_raised_as_told(director):
    grid = make_published(director, amount="603.00", order="eldest", terms=3)
    category = grid.rates.get().category
    TariffRateFactory(
        grid=grid,
        category=TariffCategoryFactory(code="choeur"),
        amount=None,
        effort_percent="6.4",
        effort_floor=76,
        effort_ceiling=285,
        band_high=600,
    )
    TariffFee.objects.create(grid=grid, label="Frais de dossier", amount=38)
    TariffRental.objects.create(grid=grid, instrument="Violon", amount=150, deposit=300)
    TariffModifier.objects.create(
        grid=grid, reason="rank", label="Second enfant", percent=10
    ).categories.add(category)
    following = SchoolYearFactory(offset=1)

    copy = drafting.duplicate(
        grid,
        school_year=following,
        label="Tarifs suivants",
        percent=Decimal(2),
        rounding=Decimal("0.50"),
        actor=director,
    )

    assert (copy.status, copy.deliberation_number, copy.order, copy.terms) == (
        *("draft", "", "eldest", 3),
    )
    assert (copy.valid_from, copy.valid_until) == (following.starts_on, following.ends_on)
    effort, plain = copy.rates.all()
    assert (plain.amount, plain.category) == (Decimal("615.00"), category)  # 615.06
    assert (effort.effort_percent, effort.effort_floor, effort.effort_ceiling) == (
        *(Decimal("6.40"), Decimal("77.50"), Decimal("290.50")),  # 77.52, 290.70
    )
    assert effort.band_high == 600
    assert copy.fees.get().amount == Decimal("39.00")  # 38.76
    rental = copy.rentals.get()
    assert (rental.amount, rental.deposit) == (153, 300)
    modifier = copy.modifiers.get()
    assert (modifier.percent, list(modifier.categories.all())) == (10, [category])
    assert grid.rates.order_by("pk").first().amount == Decimal("603.00")
    assert grid.modifiers.get().categories.get() == category


@pytest.mark.parametrize(
    ("amount", "percent", "rounding", "raised"),
    [
        ("603", "1.5", "0.01", "612.05"),  # 612.045
        ("603", "1.5", "0.10", "612.00"),
        ("603", "1.5", "0.50", "612.00"),
        ("602.50", "0", "1.00", "603.00"),  # half up
        ("603", "-10", "1.00", "543.00"),  # 542.7
        ("0", "5", "1.00", "0.00"),
    ],
)
def test_an_increase_is_rounded_half_up(amount, percent, rounding, raised):
    found = drafting.raise_amount(Decimal(amount), Decimal(percent), Decimal(rounding))

    assert str(found) == raised
