"""The households whose enrolments a grid would price, read by slices."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Establishment
from billing.facts import household_facts
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
    establishment: Establishment, school_year: SchoolYear, *, most: int
) -> Iterator[tuple[int, Household]]:
    """The key and the facts of each of the first `most` households."""
    keys = list(families_enrolled(establishment, school_year).values_list("pk", flat=True)[:most])
    for start in range(0, len(keys), SLICE):
        families = Family.objects.filter(pk__in=keys[start : start + SLICE])
        yield from household_facts(
            families, establishment=establishment, school_year=school_year, statuses=STATUSES
        ).items()
