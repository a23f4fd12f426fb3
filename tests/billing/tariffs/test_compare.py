"""« Comparer avec… », over HTTP, on the households of a year's enrolments."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from accounts.models import ListExport
from billing.tariffs import households
from billing.tariffs.mapping import save_categories
from students.enums import EnrolmentStatus
from tests.billing.tariffs.making import make_draft, make_published
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    SchoolYearFactory,
    StudentFactory,
    TariffCategoryFactory,
)


@pytest.fixture
def year():
    return SchoolYearFactory(offset=1)


@pytest.fixture
def course(establishment, year, accountant):
    course = CourseFactory(name="Flûte", school_year=year)
    category = TariffCategoryFactory()
    save_categories(establishment, {course.pk: category.pk}, actor=accountant)
    return course


@pytest.fixture
def grids(director, course, year):
    """This year's, published, and the draft of the coming one, dearer."""
    before = make_published(director, amount="600", school_year=SchoolYearFactory(offset=0))
    return before, make_draft(amount="630", school_year=year)


def enrol(course, name, **fields):
    family = FamilyFactory(name=name)
    EnrolmentFactory(student=StudentFactory(family=family), course=course, **fields)
    return family


def compare(client, grids):
    before, draft = grids
    query = {"avec": before.pk, "annee": draft.school_year_id}
    return client.get(reverse("admin:billing_tariffgrid_compare", args=[draft.pk]), query)


def test_nothing_is_worked_out_before_it_is_asked(client, accountant, grids):
    client.force_login(accountant)

    page = client.get(reverse("admin:billing_tariffgrid_compare", args=[grids[1].pk]))

    assert "found" not in page.context
    assert page.context["form"].initial == {"avec": grids[0], "annee": grids[1].school_year}


def test_how_much_more_and_for_whom(client, accountant, grids, course):
    families = [enrol(course, name) for name in ("Martin", "Benali")]
    client.force_login(accountant)

    page = compare(client, grids)

    found = page.context["found"]
    assert (found.before, found.after, len(found.raised)) == (1200, 1260, 2)
    assert [told.family for told in page.context["rises"]] == families
    assert "+30,00\u00a0€, de 600,00\u00a0€ à 630,00\u00a0€" in page.text
    assert ("hausse de 20,00\u00a0€ à 50,00\u00a0€", 2) in page.context["ranges"]


def test_a_course_without_category_is_told(client, accountant, grids, year):
    enrol(CourseFactory(name="Harpe", school_year=year), "Dubois")
    client.force_login(accountant)

    page = compare(client, grids)

    [told] = page.context["unpriced"]
    assert told.family.name == "Dubois"
    assert page.context["found"].differences == []
    assert escape(told.about.message) in page.text


def test_a_released_enrolment_another_year_or_site_does_not_count(
    establishment, course, year, accountant
):
    wanted = [
        enrol(course, "A", status=EnrolmentStatus.REQUESTED),
        enrol(course, "B", status=EnrolmentStatus.CONFIRMED),
    ]
    enrol(course, "C", status=EnrolmentStatus.RELEASED)
    enrol(CourseFactory(school_year=SchoolYearFactory(offset=0)), "D")
    annexe = EstablishmentFactory(name="Annexe")
    enrol(CourseFactory(school_year=year, establishment=annexe), "E")

    assert list(households.families_enrolled(establishment, year)) == wanted


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_households_are_read_by_slices(grids, course, year, monkeypatch, size):
    families = [enrol(course, name) for name in "ABC"]
    monkeypatch.setattr(households, "SLICE", size)

    found = households.facts_of(*grids, year, most=2)

    assert [key for key, *_ in found] == [family.pk for family in families[:2]]


def test_each_grid_says_who_is_an_adult(grids, course, year):
    before, draft = grids
    draft.adult_age = 25
    family = FamilyFactory()
    born = f"{year.starts_on.year - 20}-03-01"
    EnrolmentFactory(student=StudentFactory(family=family, birth_date=born), course=course)

    [(_, old, new)] = households.facts_of(before, draft, year, most=10)

    assert (old.pupils[0].is_adult, new.pupils[0].is_adult) == (True, False)


def test_the_file_holds_every_household_and_is_logged(client, accountant, grids, course, year):
    enrol(course, "=Martin")
    enrol(CourseFactory(name="Harpe", school_year=year), "Dubois")
    client.force_login(accountant)
    before, draft = grids

    response = client.post(
        reverse("admin:billing_tariffgrid_compare_export", args=[draft.pk]),
        {"avec": before.pk, "annee": year.pk},
    )

    header, martin, dubois = response.content.decode("utf-8-sig").splitlines()
    assert header == "Référence;Famille;Avant;Après;Différence;Non calculé"
    assert martin.split(";")[1:] == ["'=Martin", "600,00", "630,00", "30,00", ""]
    assert dubois.split(";")[1:5] == ["Dubois", "", "", ""]
    log = ListExport.objects.get()
    assert (log.actor, log.list, log.rows) == (accountant, "comparaison", 2)


def test_a_grid_or_a_year_that_is_not_offered_is_refused(client, accountant, director, grids, year):
    annexe = EstablishmentFactory(name="Annexe")
    theirs = make_published(director, establishment=annexe, school_year=year)
    client.force_login(accountant)
    address = reverse("admin:billing_tariffgrid_compare", args=[grids[1].pk])
    export = reverse("admin:billing_tariffgrid_compare_export", args=[grids[1].pk])

    for key in (theirs.pk, 987_654, "abc"):
        page = client.get(address, {"avec": key, "annee": year.pk})
        assert "avec" in page.context["form"].errors
        assert client.post(export, {"avec": key, "annee": year.pk}).status_code == 404


@pytest.mark.parametrize("count", [1, 6])
def test_the_queries_do_not_grow_with_the_households(
    client, accountant, grids, course, count, django_assert_max_num_queries
):
    for number in range(count):
        enrol(course, f"Foyer {number}")
    client.force_login(accountant)

    with django_assert_max_num_queries(50):
        compare(client, grids)
