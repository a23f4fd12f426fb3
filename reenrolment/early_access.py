"""When a campaign opens for a student: before everybody for the groups that it names.

Each student is judged by himself: of a brother and a sister, one may enter before the other.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from families.enums import Zone
from reenrolment.enums import EarlyGroup
from reenrolment.models import Campaign
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
    """`openings_of`, for one."""
    return openings_of(campaign, [student])[student.pk]


def openings_of(campaign: Campaign, students: Iterable[Student]) -> dict[int, Opening]:
    """By student's key.

    No query once the campaign is open to everybody; before, one, and one more if it lets a group
    in: never all the criteria in one, which PostgreSQL takes 30 ms to plan.
    """
    keys = [student.pk for student in students]
    for_all = Opening(campaign.opens_at, campaign.closes_at)
    early = _early_openings(campaign, keys) if campaign.is_to_come else {}
    return {pk: early.get(pk, for_all) for pk in keys}


def _early_openings(campaign, keys):
    accesses = list(campaign.early_accesses.filter(opens_at__lt=campaign.opens_at))
    if not accesses:
        return {}
    shown_by = _shown_by(campaign)
    meets = {a.criterion: Exists(shown_by[a.criterion]) for a in accesses}
    students = Student.objects.filter(pk__in=keys).order_by().annotate(**meets)
    openings = {}
    for pk, *met in students.values_list("pk", *meets):
        # In the order of their openings: the first met is the earliest.
        if access := next((a for a, is_met in zip(accesses, met, strict=True) if is_met), None):
            openings[pk] = Opening(access.opens_at, campaign.closes_at, str(access))
    return openings


def _shown_by(campaign):
    """By criterion, the rows that show that the student of the outer query meets it."""
    student = OuterRef("pk")
    followed = followed_courses(campaign)
    his = followed.filter(student=student)
    homes = Custody.objects.filter(student=student)
    return {
        EarlyGroup.SCHOOL_HOURS: his.filter(course__scheduling=Scheduling.SCHOOL),
        EarlyGroup.SECOND_CYCLE: his.filter(cycle=Cycle.SECOND),
        EarlyGroup.THIRD_CYCLE: his.filter(cycle=Cycle.THIRD),
        EarlyGroup.SIBLINGS: Custody.objects.filter(
            ~Q(student=student),
            Exists(followed.filter(student=OuterRef("student"))),
            family__custodies__student=student,
        ),
        EarlyGroup.RESIDENTS: homes.filter(family__commune__zone=Zone.RESIDENT),
    }
