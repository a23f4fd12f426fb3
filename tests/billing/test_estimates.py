"""What a household would pay: with its pieces, without, whatever its quotient may be."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.estimates import estimate, tariff_of, tariffs_to_come, turning_points
from billing.pricing.bills import PricingError
from billing.pricing.facts import Household, Lesson, Pupil, Quotient
from billing.pricing.grids import Band, Category, Effort, Fee, FeePer, Grid, Rate
from tests.billing.asking import make_tariff
from tests.factories import EstablishmentFactory, SchoolYearFactory, TariffGridFactory

BANDS = Grid(
    label="Tranches",
    categories=(Category("cursus", "Cursus"), Category("chorale", "Chorale")),
    rates=(
        Rate("cursus", zone="resident", band=Band(None, Decimal(600)), amount=Decimal(75)),
        Rate("cursus", zone="resident", band=Band(Decimal(600), None), amount=Decimal(105)),
        Rate("cursus", zone="outside", amount=Decimal(140)),
        Rate("chorale", amount=Decimal(20)),
    ),
    fees=(Fee("Adhésion", Decimal(20)),),
)
EFFORT = Grid(
    label="Taux d'effort",
    categories=(Category("cursus", "Cursus"),),
    rates=(Rate("cursus", effort=Effort(Decimal("9.6"), Decimal(114), Decimal(440))),),
)


def household(*codes, quotient=None, zone="resident", **fields):
    lessons = tuple(Lesson(n, code.capitalize(), code) for n, code in enumerate(codes, start=1))
    pupil = Pupil("e1", "Élève 1", dt.date(2018, 1, 1), is_adult=False, lessons=lessons, **fields)
    return Household(zone, None if quotient is None else Quotient(Decimal(quotient)), (pupil,))


def totals(found):
    bills = [found.bill, found.without_quotient, found.top]
    return [bill.total for bill in bills] + [found.lowest, found.highest]


def test_with_a_known_quotient_there_is_one_amount():
    found = estimate(BANDS, household("cursus", quotient=743))

    assert totals(found) == [125, 160, 160, 125, 125]
    assert (found.is_range, found.depends_on_quotient) == (False, True)


def test_without_a_quotient_the_amount_goes_from_the_lowest_to_the_highest():
    found = estimate(BANDS, household("cursus"))

    assert totals(found) == [160, 160, 160, 95, 125]
    assert found.is_range


def test_where_no_amount_depends_on_the_quotient_nobody_is_told_of_it():
    found = estimate(BANDS, household("cursus", zone="outside"))

    assert totals(found) == [160, 160, 160, 160, 160]
    assert (found.is_range, found.depends_on_quotient) == (False, False)


def test_the_taux_d_effort_goes_from_its_floor_to_its_ceiling():
    found = estimate(EFFORT, household("cursus"))

    assert (found.lowest, found.highest, found.top.total) == (114, 440, 440)


def test_the_turning_points_stand_on_both_sides_of_each_edge():
    assert turning_points(BANDS) == [Decimal(0), Decimal("599.99"), Decimal(600)]
    floor, ceiling = [Decimal("1187.51"), Decimal("4583.34")]
    assert {floor, ceiling} < set(turning_points(EFFORT))


def test_a_band_that_costs_more_than_the_next_one_widens_the_range():
    """Allowed to a délibération: the highest amount is then in the middle."""
    rates = (
        Rate("cursus", band=Band(None, Decimal(600)), effort=Effort(*map(Decimal, (50, 0, 300)))),
        Rate("cursus", band=Band(Decimal(600), None), amount=Decimal(100)),
    )
    found = estimate(Grid("Drôle", (Category("cursus", "Cursus"),), rates), household("cursus"))

    assert (found.lowest, found.highest) == (0, Decimal("300.00"))


def test_the_pieces_that_lack_change_nothing_of_the_estimate_with_them():
    asked = household("cursus", quotient=743, lacking=("la photo",))
    found = estimate(BANDS, asked)

    assert (found.bill.total, found.top.total) == (125, 160)
    assert "il manque une pièce demandée" in found.top.lines[1].explanation


def test_the_lines_by_student_are_named_once():
    fees = (Fee("Adhésion", Decimal(20)), Fee("Badge", Decimal(5), FeePer.STUDENT))
    grid = Grid("Tarifs", BANDS.categories, BANDS.rates, fees=fees)

    student, own = estimate(grid, household("cursus", "chorale", quotient=743)).parts

    assert (student.name, student.total) == ("Élève 1", 130)
    assert [line.label for line in student.lines] == ["Badge", "Cursus", "Chorale"]
    assert (own.name, [line.label for line in own.lines]) == ("Pour le foyer", ["Adhésion"])


def test_a_course_that_the_grid_does_not_price_is_an_error():
    with pytest.raises(PricingError) as error:
        estimate(BANDS, household("théâtre"))

    assert error.value.code == "no_category"


@pytest.mark.django_db
def test_the_tariffs_to_come_are_those_published_and_not_over(director):
    today = timezone.localdate()
    year = SchoolYearFactory()
    past = SchoolYearFactory(offset=-1)
    TariffGridFactory(school_year=year)  # a draft
    make_tariff(director, school_year=past)
    now = make_tariff(director, school_year=year)
    annexe = make_tariff(director, establishment=EstablishmentFactory(name="Annexe"))
    coming = make_tariff(director)

    assert tariffs_to_come(today) == [annexe, coming, now]


@pytest.mark.django_db
def test_of_two_grids_of_a_year_the_one_valid_that_day_is_asked(director):
    year = SchoolYearFactory()
    day = year.starts_on + dt.timedelta(days=90)
    first = make_tariff(director, school_year=year, valid_until=day)
    then = make_tariff(director, school_year=year, valid_from=day + dt.timedelta(days=1))

    assert tariffs_to_come(day) == [first]
    assert tariffs_to_come(day + dt.timedelta(days=1)) == [then]
    assert tariff_of(first.establishment, year, day) == first


@pytest.mark.django_db
def test_the_tariff_of_a_year_to_come_is_the_one_of_its_first_day(director):
    coming = make_tariff(director)
    today = timezone.localdate()

    assert tariff_of(coming.establishment, coming.school_year, today) == coming
    assert tariff_of(coming.establishment, SchoolYearFactory(), today) is None
