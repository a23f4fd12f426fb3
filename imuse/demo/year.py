"""The calendar of the year under way and of the coming one: holidays, hours that teachers fixed."""

import datetime as dt
from itertools import pairwise

from imuse.demo.town import Town
from students.enums import Scheduling, Weekday
from students.models import Course, Enrolment, Slot
from teaching.enums import ClosureKind
from teaching.models import Closure, LessonTime

HOLIDAYS = [  # zone B, near enough: first and last days without lessons, in the year that begins
    ("Vacances de la Toussaint", (0, 10, 17), (0, 11, 1)),
    ("Vacances de Noël", (0, 12, 19), (1, 1, 3)),
    ("Vacances d'hiver", (1, 2, 20), (1, 3, 7)),
    ("Vacances de printemps", (1, 4, 17), (1, 5, 2)),
]
PUBLIC_HOLIDAYS = [("Armistice 1918", (0, 11, 11)), ("Victoire 1945", (1, 5, 8))]
INDIVIDUAL_MINUTES = 30
# When individual lessons begin, one after the other, and when they end.
EVENINGS = [
    (Weekday.TUESDAY, dt.time(16, 30), dt.time(19, 30)),
    (Weekday.THURSDAY, dt.time(16, 30), dt.time(19, 30)),
    (Weekday.WEDNESDAY, dt.time(13, 30), dt.time(18)),
    (Weekday.FRIDAY, dt.time(16, 30), dt.time(20)),
]
CHAM_DAY = Weekday.MONDAY
CHAM_HOURS = [dt.time(14), dt.time(15), dt.time(16)]  # one course after the other


def close_for_the_holidays(town: Town) -> None:
    closures = []
    for year in (town.current, town.coming):
        closures += [
            Closure(
                kind=ClosureKind.HOLIDAYS,
                name=name,
                first_on=_day(year, first),
                last_on=_day(year, last),
            )
            for name, first, last in HOLIDAYS
        ]
        closures += [
            Closure(
                kind=ClosureKind.PUBLIC_HOLIDAY,
                name=name,
                first_on=_day(year, day),
                last_on=_day(year, day),
            )
            for name, day in PUBLIC_HOLIDAYS
        ]
    Closure.objects.bulk_create(closures)


def fix_hours(town: Town) -> None:
    """This year's individual lessons, one student after the other; the CHAM's on school time."""
    times = [
        LessonTime(course=course, weekday=CHAM_DAY, starts_at=starts, ends_at=ends, room="A1")
        for course, (starts, ends) in zip(
            Course.objects.filter(school_year=town.current, scheduling=Scheduling.SCHOOL).order_by(
                "pk"
            ),
            pairwise(CHAM_HOURS),
            strict=True,
        )
    ]
    enrolments = Enrolment.objects.confirmed().filter(
        course__school_year=town.current, course__scheduling=Scheduling.TEACHER
    )
    free = {}  # by teacher: the hours that are left
    for enrolment in enrolments.select_related("course").order_by("course_id", "pk"):
        teacher = enrolment.course.teacher_id
        if teacher not in free:
            free[teacher] = _free_hours(teacher, town.current)
        hour = next(free[teacher], None)
        if hour is None:
            continue  # the teacher has no evening left: still to be fixed
        weekday, starts_at, ends_at = hour
        times.append(
            LessonTime(
                course=enrolment.course,
                enrolment=enrolment,
                weekday=weekday,
                starts_at=starts_at,
                ends_at=ends_at,
                room=f"Studio {enrolment.course.teacher_id}",
            )
        )
    LessonTime.objects.bulk_create(times)


def _free_hours(teacher, year):
    slots = Slot.objects.filter(teacher=teacher, course__school_year=year)
    busy = list(slots.values_list("weekday", "starts_at", "ends_at"))
    return (
        (weekday, starts_at, ends_at)
        for weekday, starts_at, ends_at in _hours()
        if not any(
            weekday == day and starts_at < end and ends_at > start for day, start, end in busy
        )
    )


def _hours():
    length = dt.timedelta(minutes=INDIVIDUAL_MINUTES)
    for weekday, first, last in EVENINGS:
        starts = dt.datetime.combine(dt.date.min, first)
        while (starts + length).time() <= last:
            yield weekday, starts.time(), (starts + length).time()
            starts += length


def _day(year, day):
    return dt.date(year.starts_on.year + day[0], day[1], day[2])
