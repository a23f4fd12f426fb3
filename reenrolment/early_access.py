"""When a campaign opens for a student: before everybody for the groups that it names.

Each student is judged by himself: of a brother and a sister, one may enter before the other.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from families.enums import Zone
from reenrolment.enums import Criterion
from reenrolment.models import Campaign, EarlyAccess
from reenrolment.pieces import followed_courses
from students.enums import Cycle, Scheduling
from students.models import Custody, Student


@dataclass(frozen=True)
class Opening:
    """From `at` on, until the campaign closes, the family fills in; `why` before the others."""

    at: dt.datetime
    closes_at: dt.datetime
    why: str = ""  # « élèves en horaires aménagés (CHAM) »; empty when it opens for everybody

    @property
    def is_open(self) -> bool:
        return self.at <= timezone.now() < self.closes_at

    @property
    def is_to_come(self) -> bool:
        return timezone.now() < self.at


def opening_of(campaign: Campaign, student: Student) -> Opening:
    """One query while the campaign has not opened for everybody, none from then on."""
    return openings_of(campaign, [student])[student.pk]


def openings_of(campaign: Campaign, students: Iterable[Student]) -> dict[int, Opening]:
    """By student's key. One query while the campaign is to come, none from then on."""
    keys = [student.pk for student in students]
    for_all = Opening(campaign.opens_at, campaign.closes_at)
    early = _early_openings(campaign, keys) if campaign.is_to_come else {}
    return {pk: early.get(pk, for_all) for pk in keys}


def _early_openings(campaign, keys):
    meets = Q(pk=None)  # nobody
    for criterion, rows in _shown_by(campaign).items():
        meets |= Q(Exists(rows), criterion=criterion)
    first = (
        EarlyAccess.objects.filter(meets, campaign=campaign, opens_at__lt=campaign.opens_at)
        .order_by("opens_at", "pk")
        .values("opens_at", "criterion")
    )
    students = Student.objects.filter(pk__in=keys).annotate(
        at=Subquery(first.values("opens_at")[:1]), criterion=Subquery(first.values("criterion")[:1])
    )
    return {
        pk: Opening(at, campaign.closes_at, Criterion(criterion).label)
        for pk, at, criterion in students.values_list("pk", "at", "criterion")
        if at is not None
    }


def _shown_by(campaign):
    """By criterion, the rows that show that the student of the outermost query meets it."""
    student = OuterRef(OuterRef("pk"))
    followed = followed_courses(campaign)
    his = followed.filter(student=student)
    homes = Custody.objects.filter(student=student)
    return {
        Criterion.SCHOOL_HOURS: his.filter(course__scheduling=Scheduling.SCHOOL),
        Criterion.SECOND_CYCLE: his.filter(cycle=Cycle.SECOND),
        Criterion.THIRD_CYCLE: his.filter(cycle=Cycle.THIRD),
        Criterion.SIBLINGS: Custody.objects.filter(
            ~Q(student=student),
            family__custodies__student=student,
            student__in=followed.values("student"),
        ),
        Criterion.RESIDENTS: homes.filter(family__commune__zone=Zone.RESIDENT),
    }
