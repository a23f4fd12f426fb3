"""The grid voted for the coming year: the recap of a dossier says what the year will cost."""

from accounts.models import Establishment, User
from billing.models import CourseCategory, TariffFee
from billing.tariffs import publishing
from billing.tariffs.enums import FeePer
from students.models import Course, SchoolYear
from tests.factories import TariffCategoryFactory, TariffGridFactory, TariffRateFactory

BANDS = [(None, 500, 186), (500, 800, 312), (800, 1100, 456), (1100, None, 603)]  # by the quotient
FILE_FEE = 38


def vote(establishment: Establishment, school_year: SchoolYear, *, actor: User) -> None:
    """Every course of that year, and of the others, is billed as « cursus »."""
    category = TariffCategoryFactory(establishment=establishment)
    grid = TariffGridFactory(establishment=establishment, school_year=school_year)
    for low, high, amount in BANDS:
        TariffRateFactory(grid=grid, category=category, band_low=low, band_high=high, amount=amount)
    TariffFee.objects.create(
        grid=grid, label="Frais de dossier", amount=FILE_FEE, per=FeePer.HOUSEHOLD
    )
    publishing.publish(grid, actor=actor)
    CourseCategory.objects.bulk_create(
        CourseCategory(course=course, category=category)
        for course in Course.objects.filter(establishment=establishment)
    )
