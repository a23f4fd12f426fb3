"""The lessons of some days, made from the weekly hours: computed, not stored.

35 weeks of a thousand hours would be 35,000 rows to keep right whenever an hour or a holiday
changes; a Lesson row says only what is not as planned (docs/decisions.md).
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.dates import french_time
from accounts.models import Establishment
from students.enums import WITHOUT_SLOT, EnrolmentStatus
from students.models import Course, Enrolment, SchoolYear, Slot, Student, Teacher
from teaching.enums import LessonState
from teaching.models import Closure, Lesson, LessonTime
from teaching.models.calendar import FIXED, SLOT, lesson_key

Hour = Slot | LessonTime  # a weekly hour


@dataclass(frozen=True)
class Occurrence:
    """One lesson. `row` is None while it is as planned and its register was not called.

    `planned_on` names it for ever, even once it is moved; `starts`, `ends` (aware, Paris) and
    `room` are where it really is.
    """

    hour: Hour
    planned_on: dt.date
    starts: dt.datetime = field(compare=False)
    ends: dt.datetime = field(compare=False)
    room: str = field(compare=False)
    row: Lesson | None = field(compare=False)

    @property
    def key(self) -> str:
        """« c12-2026-10-14 »: in addresses, and the UID of a calendar."""
        kind = SLOT if isinstance(self.hour, Slot) else FIXED
        return lesson_key(kind, self.hour.pk, self.planned_on)

    @property
    def course(self) -> Course:
        return self.hour.course

    @property
    def name(self) -> str:
        """« Formation musicale A », « Piano »."""
        return f"{self.course.name} {getattr(self.hour, 'group', '')}".strip()

    @property
    def hours(self) -> str:
        """« 18 h 30 à 19 h 30 »."""
        return f"{french_time(self.starts.time())} à {french_time(self.ends.time())}"

    @property
    def teacher(self) -> Teacher | None:
        """Who gives it: the substitute, else the slot's, else the course's."""
        if self.row and self.row.substitute_id:
            return self.row.substitute
        return self.usual_teacher

    @property
    def usual_teacher(self) -> Teacher | None:
        return self.hour.teacher or self.course.teacher

    @property
    def is_cancelled(self) -> bool:
        return bool(self.row) and self.row.state == LessonState.CANCELLED

    @property
    def is_moved(self) -> bool:
        return bool(self.row) and self.row.state == LessonState.MOVED

    @property
    def is_substituted(self) -> bool:
        return bool(self.row) and self.row.substitute_id is not None

    @property
    def is_as_planned(self) -> bool:
        return not (self.is_cancelled or self.is_moved or self.is_substituted)

    @property
    def reason(self) -> str:
        return self.row.reason if self.row else ""

    @property
    def student(self) -> Student | None:
        """The one of an individual lesson."""
        enrolment = getattr(self.hour, "enrolment", None)
        return enrolment.student if enrolment else None


@dataclass(frozen=True)
class Hours:
    """Weekly hours, slots and fixed times, of some courses."""

    slots: list[Slot]
    times: list[LessonTime]

    def __iter__(self):
        return iter([*self.slots, *self.times])

    def __bool__(self):
        return bool(self.slots or self.times)


# --- Whose hours ------------------------------------------------------------------------------


def hours_of_teacher(
    teacher: Teacher, sites: QuerySet[Establishment], first: dt.date, last: dt.date
) -> Hours:
    """His own, and those where he replaces somebody between these days. Two queries."""
    replaces = _rows_between(first, last).filter(substitute=teacher).order_by()
    slots = Slot.objects.taught_by(teacher) | Slot.objects.filter(
        pk__in=replaces.filter(time=None).values("slot")
    )
    times = LessonTime.objects.filter(
        Q(course__teacher=teacher) | Q(pk__in=replaces.filter(slot=None).values("time"))
    )
    return _hours(slots, times, Q(course__establishment__in=sites), first, last)


def hours_of_students(students: Iterable[Student], first: dt.date, last: dt.date) -> Hours:
    """Of their confirmed enrolments, at every site. Two queries; see Attendees."""
    confirmed = Enrolment.objects.confirmed().filter(student__in=students).order_by()
    slots = Slot.objects.filter(pk__in=confirmed.filter(place__isnull=False).values("place__slot"))
    without = confirmed.filter(course__scheduling__in=WITHOUT_SLOT)
    times = LessonTime.objects.filter(
        Q(enrolment__in=without.values("pk"))
        | Q(enrolment=None, course__in=without.values("course"))
    )
    return _hours(slots, times, Q(), first, last)


def hours_of_site(site: Establishment, first: dt.date, last: dt.date) -> Hours:
    """All of an establishment's. Two queries."""
    return _hours(
        Slot.objects.all(), LessonTime.objects.all(), Q(course__establishment=site), first, last
    )


def hours_of_town(first: dt.date, last: dt.date) -> Hours:
    """Of every establishment: teachers and students go from one to another. Two queries."""
    return _hours(Slot.objects.all(), LessonTime.objects.all(), Q(), first, last)


def hours_of_year(year: SchoolYear) -> Hours:
    """All of a school year's. Two queries."""
    return hours_of_town(year.starts_on, year.ends_on)


def _hours(slots, times, scope, first, last):
    years = Q(course__school_year__starts_on__lte=last, course__school_year__ends_on__gte=first)
    course = ["course__school_year", "course__establishment", "course__teacher"]
    return Hours(
        list(slots.filter(scope & years).select_related(*course, "teacher")),
        list(times.filter(scope & years).select_related(*course, "enrolment__student")),
    )


# --- Their lessons ----------------------------------------------------------------------------


def lessons(
    hours: Hours,
    first: dt.date,
    last: dt.date,
    *,
    moved_away: bool = False,
    ignoring: Closure | None = None,
) -> list[Occurrence]:
    """Those that are between two days, both included, in the order of time. Two queries.

    A lesson moved out of these days is not among them, unless `moved_away`; one moved into them
    is; a cancelled one is, and says so. No lesson is made on a closed day, or out of the year's
    days of lessons; one that has a row stays (it was given, moved or cancelled: history is not
    rewritten by a new holiday), unless it was to come and its only student has left. `ignoring`: as
    if this closure were none.
    """
    rows = _rows_of(hours, first, last)
    closed = _closed_days(first, last, ignoring)
    found = [
        occurrence(hour, day, rows.pop((type(hour), hour.pk, day), None))
        for hour in hours
        for day in _days_of(hour, first, last)
        if (type(hour), hour.pk, day) in rows
        or not ({(None, day), (hour.course.establishment_id, day)} & closed)
    ]
    by_key = {(type(hour), hour.pk): hour for hour in hours}
    found += [occurrence(by_key[kind, pk], day, row) for (kind, pk, day), row in rows.items()]
    today = timezone.localdate()
    within = [
        o
        for o in found
        if (first <= o.starts.date() <= last or moved_away and first <= o.planned_on <= last)
        and not _is_left_behind(o, today)
    ]
    return sorted(within, key=lambda o: (o.starts, o.ends, o.name, o.key))


def find(hour: Hour, planned_on: dt.date) -> Occurrence | None:
    """The lesson of that hour planned on that day, wherever it is now; None if there is none."""
    hours = Hours([hour], []) if isinstance(hour, Slot) else Hours([], [hour])
    row = _rows_of(hours, planned_on, planned_on).get((type(hour), hour.pk, planned_on))
    if row is None:
        closed = _closed_days(planned_on, planned_on)
        is_closed = {(None, planned_on), (hour.course.establishment_id, planned_on)} & closed
        if is_closed or planned_on not in _days_of(hour, planned_on, planned_on):
            return None
    lesson = occurrence(hour, planned_on, row)
    return None if _is_left_behind(lesson, timezone.localdate()) else lesson


def read_key(key: str) -> tuple[type[Hour], int, dt.date] | None:
    """What the key of an Occurrence names; None for what is none."""
    match = re.fullmatch(rf"([{SLOT}{FIXED}])([0-9]{{1,18}})-(20[0-9]{{2}}-[0-9-]{{5}})", key)
    if match is None:
        return None
    try:
        day = dt.date.fromisoformat(match[3])
    except ValueError:
        return None
    return (Slot if match[1] == SLOT else LessonTime), int(match[2]), day


def lesson_named(key: str, sites: Iterable[Establishment]) -> Occurrence | None:
    """The lesson of that key (Occurrence.key), if it is at one of these sites. Three queries."""
    named = read_key(key)
    if named is None:
        return None
    model, pk, day = named
    related = ["course__school_year", "course__establishment", "course__teacher"]
    related += ["teacher"] if model is Slot else ["enrolment__student"]
    hours = model.objects.filter(course__establishment__in=sites).select_related(*related)
    hour = hours.filter(pk=pk).first()
    return hour and find(hour, day)


def lesson_of(teacher: Teacher, key: str, sites: Iterable[Establishment]) -> Occurrence:
    """The lesson of that key, if it is his or he replaces somebody there.

    Raises Http404 for a lesson that is nobody's, another's, or of another site. Three queries.
    """
    lesson = lesson_named(key, sites)
    if lesson is None or teacher not in (lesson.teacher, lesson.usual_teacher):
        raise Http404
    return lesson


def span_of(hour: Hour) -> tuple[dt.date, dt.date]:
    """Its first and its last day, both included; crossed if there is none.

    An individual lesson lasts as long as its student's enrolment.
    """
    opens, closes = getattr(hour, "lesson_days", hour.course.school_year.lesson_days)
    if enrolment := getattr(hour, "enrolment", None):
        if enrolment.status != EnrolmentStatus.CONFIRMED:
            return dt.date.max, dt.date.min
        opens, closes = (
            max(opens, enrolment.starts_on or opens),
            min(closes, enrolment.ends_on or closes),
        )
    return opens, closes


def _is_left_behind(lesson, today):
    """Changed beforehand, an individual lesson to come whose student has left meanwhile."""
    if lesson.student is None or lesson.starts.date() <= today:
        return False
    enrolment = lesson.hour.enrolment
    is_there = enrolment.status == EnrolmentStatus.CONFIRMED
    return not (is_there and _lasts(enrolment, lesson.planned_on))


def _days_of(hour, first, last):
    """Those of the hour's weekday, while it lasts, between two days."""
    opens, closes = span_of(hour)
    if opens > closes:
        return []
    first, last = max(first, opens), min(last, closes)
    day = first + dt.timedelta(days=(hour.weekday - first.isoweekday()) % 7)
    days = []
    while day <= last:
        days.append(day)
        day += dt.timedelta(days=7)
    return days


def occurrence(hour: Hour, planned_on: dt.date, row: Lesson | None) -> Occurrence:
    """The lesson of that hour planned on that day, as its row says."""
    moved = row is not None and row.state == LessonState.MOVED
    day, at = (row.moved_on, row) if moved else (planned_on, hour)
    return Occurrence(
        hour,
        planned_on,
        _paris(day, at.starts_at),
        _paris(day, at.ends_at),
        (row.room if row else "") or hour.room,
        row,
    )


def _paris(day, time):
    return dt.datetime.combine(day, time, timezone.get_default_timezone())


def _rows_between(first, last):
    """What was planned on these days, or moved to them."""
    return Lesson.objects.filter(
        Q(planned_on__range=(first, last)) | Q(moved_on__range=(first, last))
    )


def _rows_of(hours, first, last):
    if not hours:
        return {}
    rows = _rows_between(first, last).filter(
        Q(slot__in=[s.pk for s in hours.slots]) | Q(time__in=[t.pk for t in hours.times])
    )
    return {
        (Slot if row.slot_id else LessonTime, row.slot_id or row.time_id, row.planned_on): row
        for row in rows.select_related("substitute").order_by()
    }


def _closed_days(first, last, ignoring=None):
    """(establishment or None for all, day) of each day without lessons."""
    closures = Closure.objects.filter(first_on__lte=last, last_on__gte=first).order_by()
    if ignoring is not None:
        closures = closures.exclude(pk=ignoring.pk)
    return {
        (closure.establishment_id, max(closure.first_on, first) + dt.timedelta(days=n))
        for closure in closures
        for n in range((min(closure.last_on, last) - max(closure.first_on, first)).days + 1)
    }


# --- Who is there -----------------------------------------------------------------------------


class Attendees:
    """Who is expected at the lessons of some hours. Two queries, whatever the number of lessons.

    `among`: these students only.
    """

    def __init__(self, hours: Hours, among: Iterable[Student] | None = None):
        self._of_slot, self._of_course = defaultdict(list), defaultdict(list)
        confirmed = Enrolment.objects.confirmed().select_related("student", "place")
        if among is not None:
            confirmed = confirmed.filter(student__in=among)
        confirmed = confirmed.order_by("student__sort_name", "student_id")
        for enrolment in confirmed.filter(place__slot__in=[slot.pk for slot in hours.slots]):
            self._of_slot[enrolment.place.slot_id].append(enrolment)
        courses = {time.course_id for time in hours.times}
        for enrolment in confirmed.filter(course__in=courses):
            self._of_course[enrolment.course_id].append(enrolment)

    def of(self, lesson: Occurrence) -> list[Enrolment]:
        """Sorted by name; without whoever begins after the planned day, or has stopped before."""
        return [e for e in self._all(lesson.hour) if _lasts(e, lesson.planned_on)]

    def _all(self, hour):
        if isinstance(hour, Slot):
            return self._of_slot[hour.pk]
        everybody = self._of_course[hour.course_id]
        if hour.enrolment_id is None:
            return everybody
        return [enrolment for enrolment in everybody if enrolment.pk == hour.enrolment_id]


def _lasts(enrolment, day):
    begins, ends = enrolment.starts_on, enrolment.ends_on
    return (begins is None or begins <= day) and (ends is None or day <= ends)
