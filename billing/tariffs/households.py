"""The households whose enrolments a grid would price, read by slices."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import Establishment
from billing.facts import household_facts
from billing.models.tariffs import TariffGrid
from billing.pricing.facts import Household
from families.models import Family
from students.enums import EnrolmentStatus
from students.models import Custody, SchoolYear

STATUSES = [EnrolmentStatus.REQUESTED, EnrolmentStatus.CONFIRMED]
SLICE = 1000  # households whose facts are in memory at once


def families_enrolled(establishment: Establishment, school_year: SchoolYear) -> QuerySet[Family]:
    """Those of which a student asks for, or has, a course that year; by key."""
    enrolled = Custody.objects.filter(
        family=OuterRef("pk"),
        student__enrolments__course__establishment=establishment,
        student__enrolments__course__school_year=school_year,
        student__enrolments__status__in=STATUSES,
    )
    return Family.objects.filter(Exists(enrolled)).order_by("pk")


def facts_of(
    before: TariffGrid, after: TariffGrid, school_year: SchoolYear, *, most: int
) -> Iterator[tuple[int, Household, Household]]:
    """The key of each of the first `most` households of the grids' establishment, and its facts
    for each grid: who is an adult, how many months make a year, are the grid's.

    The pieces count as they stand today.
    """
    families = families_enrolled(after.establishment, school_year)
    keys = list(families.values_list("pk", flat=True)[:most])
    for start in range(0, len(keys), SLICE):
        homes = Family.objects.filter(pk__in=keys[start : start + SLICE])
        new = old = _facts(homes, after, school_year)
        if (before.adult_age, before.months) != (after.adult_age, after.months):
            old = _facts(homes, before, school_year)
        for key in sorted(new):
            yield key, old[key], new[key]


def _facts(families, grid, school_year):
    return household_facts(
        families,
        establishment=grid.establishment,
        school_year=school_year,
        statuses=STATUSES,
        on=timezone.localdate(),
        adult_age=grid.adult_age,
        months=grid.months,
    )
