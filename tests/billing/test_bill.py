"""From the rows of a grid and of a household to its bill."""

import datetime as dt
from decimal import Decimal

import pytest

from billing.facts import household_facts
from billing.models import CourseCategory
from billing.pricing.engine import PricingError, price
from billing.services import situations
from billing.tariffs import loading
from students.enrolment_dates import set_dates
from students.enums import EnrolmentStatus
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    SchoolYearFactory,
    SituationFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)


@pytest.fixture
def year(db):
    return SchoolYearFactory()


@pytest.fixture
def grid(establishment, year):
    """603 € for everybody, half for students of a school or a university."""
    grid = TariffGridFactory(establishment=establishment, school_year=year)
    category = TariffCategoryFactory(establishment=establishment, code="cursus")
    TariffRateFactory(grid=grid, category=category, amount=Decimal("603.00"))
    grid.modifiers.create(reason="situation", label="Étudiant", percent=50, codes="student")
    grid.fees.create(label="Frais de dossier", amount=38, per="household")
    return grid


@pytest.fixture
def enrolment(establishment, year, grid, student):
    course = CourseFactory(establishment=establishment, school_year=year, name="Piano")
    CourseCategory.objects.create(course=course, category=grid.rates.get().category)
    return EnrolmentFactory(student=student, course=course)


@pytest.fixture
def bill_of(grid, establishment, year):
    def bill(family):
        facts = household_facts(
            [family],
            establishment=establishment,
            school_year=year,
            statuses=[EnrolmentStatus.CONFIRMED],
            adult_age=grid.adult_age,
            months=grid.months,
        )
        return price(loading.load(grid), facts[family.pk])

    return bill


def test_a_bill_says_all_that_was_noted(bill_of, family, student, enrolment, year):
    other = CustodyFactory(student=student, rank=2)
    situations.set_shares(student, {student.custodies.get(rank=1).pk: 50, other.pk: 50})
    SituationFactory(student=student, code="student")
    set_dates(enrolment, dt.date(year.ends_on.year, 3, 10), None)

    fee, tuition = bill_of(family).lines

    assert (fee.label, fee.amount) == ("Frais de dossier", Decimal("19.00"))
    assert (tuition.label, tuition.whose) == ("Piano", "Louise")
    assert tuition.lesson == enrolment.pk
    assert tuition.explanation == (
        "Tarif général, Étudiant\u00a0: 603,00\u00a0€ \u2212 50\u00a0% = 301,50\u00a0€, puis 4 mois"
        " commencés sur 10 = 120,60\u00a0€, puis part de votre foyer\u00a0: 50\u00a0%"
        " = 60,30\u00a0€"
    )
    assert bill_of(family).total + bill_of(other.family).total == Decimal("158.60")


def test_a_household_without_a_lesson_owes_nothing(bill_of, family):
    assert bill_of(family).lines == ()


def test_a_course_that_nobody_classified_is_told(bill_of, family, enrolment):
    CourseCategory.objects.all().delete()

    with pytest.raises(
        PricingError, match="Le cours «\u00a0Piano\u00a0» n'a pas de catégorie tarifaire"
    ):
        bill_of(family)
