"""« Accueil »: the lessons of the coming days that are not as planned, told to the household."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared
from students.enums import WITHOUT_SLOT
from students.models import Enrolment, Student
from teaching.enums import LessonState
from teaching.lessons import Attendees, Hours, Occurrence, occurrence
from teaching.models import Lesson
from teaching.timetable import words

DAYS = dt.timedelta(days=7)


@dataclass(frozen=True)
class Notice:
    """« Mercredi 14 octobre 2026 : Piano n'a pas lieu », and for whom, why."""

    title: str
    hint: str


def notices_of(user: User) -> list[Notice]:
    """In the order of time. One query, and two more when there is something to tell."""
    now = timezone.localtime()
    first, last = now.date(), now.date() + DAYS
    changed = [_lesson(row) for row in _changed(user.pk, first, last)]
    changed = [lesson for lesson in changed if _concerns(lesson, now, last)]
    return list(_notices(user, changed)) if changed else []


@prepared
def _changed(user: int, first: dt.date, last: dt.date) -> QuerySet[Lesson]:
    """The rows of the household's lessons that are not as planned, of these days or moved there."""
    students = Student.objects.visible_to(User(pk=user)).order_by().values("pk")
    enrolments = Enrolment.objects.confirmed().filter(student__in=students).order_by()
    without = enrolments.filter(course__scheduling__in=WITHOUT_SLOT)
    ours = (
        Q(slot__in=enrolments.filter(place__isnull=False).values("place__slot"))
        | Q(time__enrolment__in=without.values("pk"))
        | Q(time__isnull=False, time__enrolment=None, time__course__in=without.values("course"))
    )
    changed = Q(state__in=[LessonState.CANCELLED, LessonState.MOVED]) | Q(substitute__isnull=False)
    days = Q(planned_on__gte=first, planned_on__lte=last) | Q(
        moved_on__gte=first, moved_on__lte=last
    )
    return Lesson.objects.filter(ours, changed, days).select_related(
        "substitute",
        *[f"slot__{name}" for name in ("teacher", "course__teacher", "course__school_year")],
        *[f"time__course__{name}" for name in ("teacher", "school_year")],
        "time__enrolment__student",
    )


def _lesson(row) -> Occurrence:
    return occurrence(row.slot or row.time, row.planned_on, row)


def _concerns(lesson, now, last):
    """It is to come, or it has left one of the days to come."""
    today = now.date()
    return (
        lesson.ends > now
        and lesson.starts.date() <= last
        or (lesson.is_moved and today <= lesson.planned_on <= last and lesson.ends > now)
    )


def _notices(user, changed) -> Iterator[Notice]:
    students = list(Student.objects.visible_to(user))
    slots = [lesson.hour for lesson in changed if lesson.row.slot_id]
    times = [lesson.hour for lesson in changed if lesson.row.time_id]
    attendees = Attendees(Hours(slots, times), students)
    for lesson in sorted(changed, key=lambda lesson: (lesson.starts, lesson.key)):
        names = dict.fromkeys(each.student.first_name for each in attendees.of(lesson))
        if names:
            yield _notice(lesson, " et ".join(names))


def _notice(lesson, names):
    if lesson.is_cancelled:
        day, what = lesson.planned_on, "n'a pas lieu"
    elif lesson.is_moved:
        day = lesson.planned_on
        what = f"est déplacé au {words.weekday(lesson.starts.date())}"
    else:
        day, what = lesson.planned_on, f"est donné par {lesson.teacher}"
    said = [names, lesson.hours]
    if lesson.room and not lesson.is_cancelled:
        said.append(lesson.room)
    if lesson.reason:
        said.append(lesson.reason)
    title = f"{words.weekday(day)}\u00a0: {lesson.name} {what}"
    return Notice(title[0].upper() + title[1:], " · ".join(said))
