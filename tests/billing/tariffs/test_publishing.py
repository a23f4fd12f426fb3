import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError

from billing.models import CourseCategory, TariffCategory, TariffGrid, TariffRate
from billing.tariffs import drafting, publishing
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import (
    CourseFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)
from tests.races import run_together

ROUNDS = 20


def codes(caught):
    return [error.code for error in caught.value.error_list]


def test_a_grid_is_published_once_dated_signed_and_logged(director):
    draft = make_draft()

    grid = publishing.publish(draft, actor=director)

    grid.refresh_from_db()
    assert (grid.is_published, grid.published_by) == (True, director)
    assert grid.published_at
    assert LogEntry.objects.get().change_message == "Grille publiée."
    with pytest.raises(ValidationError) as caught:
        publishing.publish(draft, actor=director)  # the other tab's copy is still a draft
    assert codes(caught) == ["published"]


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("not_voted", {"deliberation_number": ""}),
        ("not_voted", {"deliberation_date": None}),
    ],
)
def test_what_was_not_voted_is_not_published(director, code, fields):
    draft = make_draft(**fields)

    with pytest.raises(ValidationError) as caught:
        publishing.publish(draft, actor=director)

    assert codes(caught) == [code]
    assert not TariffGrid.objects.get().is_published


def test_a_grid_without_rate_is_not_published(director):
    with pytest.raises(ValidationError) as caught:
        publishing.publish(TariffGridFactory(), actor=director)

    assert codes(caught) == ["no_rate"]


def test_a_case_without_price_stands_in_the_way(director):
    grid = TariffGridFactory()
    TariffRateFactory(grid=grid, band_high=600)

    with pytest.raises(ValidationError) as caught:
        publishing.publish(grid, actor=director)

    assert set(codes(caught)) == {"no_rate"}
    assert not TariffGrid.objects.get().is_published


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [(0, 364, True), (-30, 0, True), (364, 400, True), (365, 400, False), (-30, -1, False)],
)
def test_a_day_has_one_published_grid(director, first, last, overlaps):
    year = SchoolYearFactory()
    start = year.starts_on
    make_published(director, school_year=year, valid_until=start + dt.timedelta(364))
    draft = make_draft(
        school_year=year,
        valid_from=start + dt.timedelta(first),
        valid_until=start + dt.timedelta(last),
    )

    assert [each.code for each in publishing.inspect(draft).obstacles] == ["overlap"] * overlaps


def test_another_site_or_another_year_has_its_own(director):
    year = SchoolYearFactory()
    make_published(director, school_year=year)
    annexe = EstablishmentFactory(name="Annexe")

    make_published(director, school_year=year, establishment=annexe)
    make_published(director, school_year=SchoolYearFactory(offset=1))

    assert TariffGrid.objects.count() == 3


def test_a_published_grid_ends_earlier_and_nothing_else(director):
    grid = make_published(director)
    day = grid.valid_from + dt.timedelta(100)

    publishing.shorten(grid, valid_until=day, actor=director)

    assert TariffGrid.objects.get().valid_until == day
    assert "Fin de validité" in LogEntry.objects.order_by("pk").last().change_message
    for other in (grid.valid_from - dt.timedelta(1), day, day + dt.timedelta(1)):
        with pytest.raises(ValidationError) as caught:
            publishing.shorten(grid, valid_until=other, actor=director)
        assert codes(caught) == ["not_shorter"]


def test_a_draft_is_not_shortened(director):
    draft = make_draft()

    with pytest.raises(ValidationError) as caught:
        publishing.shorten(draft, valid_until=draft.valid_from, actor=director)

    assert codes(caught) == ["not_published"]


def test_a_published_grid_is_frozen(director):
    grid = make_published(director)
    stale = TariffGrid.objects.get()
    stale.status, stale.label = "draft", "Autre"  # what a page opened before still holds
    rate = grid.rates.get()
    rate.amount = Decimal(1)
    refused = [
        lambda: drafting.save_draft(stale, actor=director),
        lambda: drafting.delete_draft(stale, actor=director),
        lambda: drafting.save_rates(stale, saved=[rate], deleted=[], actor=director),
        lambda: drafting.save_rates(stale, saved=[], deleted=[rate], actor=director),
    ]

    for call in refused:
        with pytest.raises(ValidationError) as caught:
            call()
        assert codes(caught) == ["published"]

    assert TariffGrid.objects.get().label != "Autre"
    assert TariffRate.objects.get().amount == Decimal("603.00")


def test_what_a_published_grid_means_by_a_category_is_frozen(director):
    make_published(director)
    category = TariffCategory.objects.get()
    category.label = "Cursus complet"
    drafting.save_category(category, actor=director)  # a word is not a rule
    category.once = True

    with pytest.raises(ValidationError) as caught:
        drafting.save_category(category, actor=director)

    assert codes(caught) == ["published"]
    drafting.save_category(TariffCategoryFactory(code="libre", once=True), actor=director)


def test_so_is_a_category_that_it_gives_for_nothing(director):
    grid = make_published(director)
    chamber = TariffCategoryFactory(code="chambre", establishment=grid.establishment)
    TariffCategory.objects.exclude(pk=chamber.pk).get().includes.add(chamber)
    chamber.once = True

    with pytest.raises(ValidationError) as caught:
        drafting.save_category(chamber, actor=director)

    assert codes(caught) == ["published"]


def test_notes_tell_of_courses_that_cannot_be_billed(establishment):
    draft = make_draft(deliberation_url="https://example.org/deliberation.pdf")
    flute = CourseFactory(name="Flûte", school_year=draft.school_year)
    billed = CourseFactory(name="Chœur", school_year=draft.school_year)
    CourseCategory.objects.create(course=billed, category=TariffCategoryFactory())

    [note] = publishing.inspect(draft).notes

    assert note == f"1 cours de {draft.school_year} sans catégorie tarifaire\u00a0: {flute}."


def test_what_is_odd_is_told_and_does_not_forbid(director):
    draft = make_draft(deliberation_url="https://example.org/d.pdf")
    rate = draft.rates.get()
    rate.band_high = 600
    rate.save()
    TariffRateFactory(grid=draft, band_low=600, amount=100)  # dearer below

    inspection = publishing.inspect(draft)

    assert inspection.obstacles == []
    assert any("au-dessous de 600,00" in note for note in inspection.notes)
    assert publishing.publish(draft, actor=director).is_published


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_grids_of_one_day_are_never_published_together(director):
    year = SchoolYearFactory()
    for _ in range(ROUNDS):
        drafts = [make_draft(school_year=year) for _ in range(2)]

        run_together(lambda n, drafts=drafts: publishing.publish(drafts[n], actor=director), 2)

        assert TariffGrid.objects.filter(status="published").count() == 1
        TariffGrid.objects.all().delete()
