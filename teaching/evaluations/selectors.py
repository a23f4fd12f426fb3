"""What the pages of evaluations read, each in a constant number of queries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Establishment
from students.models import Course, Enrolment, Slot, Student, Teacher
from teaching.enums import EvaluationState
from teaching.models import Evaluation, Period

NEAR = dt.timedelta(days=31)  # « Ma semaine » recalls what is due from then on


@dataclass(frozen=True)
class SchoolClass:
    """The students of one slot, or of one course without slots, and what is said of each."""

    period: Period
    group: Slot | Course
    rows: list[tuple[Enrolment, Evaluation | None]]

    @property
    def done(self) -> int:
        return sum(
            evaluation is not None and evaluation.state != EvaluationState.DRAFT
            for _, evaluation in self.rows
        )

    @property
    def left(self) -> int:
        return len(self.rows) - self.done


def pupils_of(teacher: Teacher, sites: Collection[Establishment]) -> QuerySet[Enrolment]:
    """The confirmed enrolments in his own classes at these sites: of whom he may write.

    A substitute writes nothing: who follows a student for a period is his teacher.
    """
    return (
        Enrolment.objects.confirmed()
        .filter(
            Q(place__slot__in=Slot.objects.taught_by(teacher).order_by().values("pk"))
            | Q(course__in=Course.objects.taught_by(teacher).order_by().values("pk")),
            course__establishment__in=sites,
        )
        .select_related("student", "course__discipline", "course__school_year", "place__slot")
        .order_by("student__sort_name", "student_id", "pk")
    )


def periods_to_evaluate(site: Establishment) -> list[Period]:
    """Those under way at this site, the latest first."""
    return list(
        Period.objects.open()
        .filter(establishment=site)
        .select_related("school_year", "establishment")
    )


def classes_of(
    teacher: Teacher, sites: Collection[Establishment], periods: Iterable[Period]
) -> dict[Period, list[SchoolClass]]:
    """His classes of each period, in the order of the week, then by name. Two queries."""
    periods = list(periods)
    enrolments = list(
        pupils_of(teacher, sites).filter(
            course__school_year__in={period.school_year_id for period in periods}
        )
    )
    evaluations = Evaluation.objects.filter(
        enrolment__in=[each.pk for each in enrolments], period__in=periods
    ).order_by()
    said = {(each.period_id, each.enrolment_id): each for each in evaluations}
    return {
        period: [
            SchoolClass(period, group, [(each, said.get((period.pk, each.pk))) for each in rows])
            for group, rows in _groups(enrolments, period)
        ]
        for period in periods
    }


def class_of(
    teacher: Teacher, sites: Collection[Establishment], period: Period, group: Slot | Course
) -> SchoolClass | None:
    """One of them; None if it is not his, or if nobody is in it."""
    found = classes_of(teacher, sites, [period])[period]
    return next((each for each in found if each.group == group), None)


def teacher_due(
    teacher: Teacher, sites: Collection[Establishment], today: dt.date
) -> list[tuple[Period, int]]:
    """The periods to hand in within a month, or late, and of how many students. Three queries."""
    periods = list(
        Period.objects.open(today)
        .filter(establishment__in=sites, due_on__lte=today + NEAR)
        .select_related("school_year", "establishment")
    )
    if not periods:
        return []
    classes = classes_of(teacher, sites, periods)
    left = {period: sum(each.left for each in found) for period, found in classes.items()}
    return [(period, count) for period, count in left.items() if count]


def next_courses(course: Course) -> QuerySet[Course]:
    """What the jury may send a student to: the discipline's courses of the years to come."""
    return Course.objects.filter(
        establishment=course.establishment_id,
        discipline=course.discipline_id,
        school_year__starts_on__gt=course.school_year.starts_on,
        school_year__ends_on__gte=timezone.localdate(),
    ).order_by("sort_name", "pk")


def published_of(user, student: Student, site: Establishment) -> list[Evaluation]:
    """What the household reads of a student at a site, the latest period first. Two queries."""
    return list(
        Evaluation.objects.visible_to(user)
        .filter(enrolment__student=student, period__establishment=site)
        .for_list()
        .select_related("period__establishment", "next_course")
        .prefetch_related("marks")
        .order_by(
            *["-period__school_year__starts_on", "-period__starts_on", "period_id"],
            *["enrolment__course__sort_name", "pk"],
        )
    )


def _groups(enrolments, period):
    groups, rows = {}, defaultdict(list)
    for enrolment in enrolments:
        course = enrolment.course
        of_year = course.school_year_id == period.school_year_id
        if of_year and course.establishment_id == period.establishment_id:
            group = enrolment.slot or course
            if isinstance(group, Slot):
                group.course = course  # read already
            groups[type(group), group.pk] = group
            rows[type(group), group.pk].append(enrolment)
    return [(groups[key], rows[key]) for key in sorted(groups, key=lambda k: _order(groups[k]))]


def _order(group):
    if isinstance(group, Slot):
        return (0, group.weekday, group.starts_at.isoformat(), str(group))
    return (1, 0, "", group.sort_name)
