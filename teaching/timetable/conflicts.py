"""Two lessons at once for one teacher, one room or one student: said when staff plan.

A room is one of its own site; teachers and students go from one site to another.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.dates import NBSP
from accounts.models import Establishment
from accounts.names import sort_key
from students.enums import WITHOUT_SLOT
from students.models import Enrolment, SchoolYear, Slot
from teaching.lessons import (
    Attendees,
    Hour,
    Hours,
    Occurrence,
    hours_of_town,
    hours_of_year,
    lessons,
    span_of,
)
from teaching.models import Closure, LessonTime


class Clash(models.TextChoices):
    """What two lessons ask for at once, or a day without lessons."""

    TEACHER = "teacher", "enseignant"
    ROOM = "room", "salle"
    STUDENT = "student", "élève"
    CLOSED = "closed", "jour sans cours"


@dataclass(frozen=True)
class Conflict:
    """`text` names students: for agents only. `kind` alone is kept in a log."""

    kind: Clash
    text: str


class Agenda:
    """All that takes place on some days, at every site. Six queries, then none."""

    def __init__(self, first: dt.date, last: dt.date):
        hours = hours_of_town(first, last)
        self._by_day = defaultdict(list)
        for lesson in lessons(hours, first, last):
            if not lesson.is_cancelled:
                self._by_day[lesson.starts.date()].append(lesson)
        self._attendees = Attendees(hours)

    def conflicts(self, lesson: Occurrence) -> list[Conflict]:
        """Of a lesson as it would be, with those that are there already; itself is left out."""
        found = []
        students = self._students(lesson)
        for other in self._by_day[lesson.starts.date()]:
            if other == lesson or not _overlap(lesson, other):
                continue
            what = f"{other.name} ({other.hours}, {other.course.establishment})"
            if lesson.teacher and lesson.teacher == other.teacher:
                found.append(Conflict(Clash.TEACHER, f"{lesson.teacher} donne {what}."))
            if _room(lesson) and _room(lesson) == _room(other):
                found.append(Conflict(Clash.ROOM, f"{lesson.room} est prise par {what}."))
            both = students.keys() & self._students(other).keys()
            if both:
                names = ", ".join(sorted(str(students[key]) for key in both))
                found.append(Conflict(Clash.STUDENT, f"{names}{NBSP}: {what}."))
        return found

    def _students(self, lesson):
        return {each.student_id: each.student for each in self._attendees.of(lesson)}


def closed_on(lesson: Occurrence) -> list[Conflict]:
    """Where a lesson is moved to a day without lessons. One query."""
    day = lesson.starts.date()
    closures = Closure.objects.filter(
        Q(establishment=None) | Q(establishment=lesson.course.establishment_id),
        first_on__lte=day,
        last_on__gte=day,
    )
    return [
        Conflict(Clash.CLOSED, f"{closure}{NBSP}: pas de cours ce jour-là.") for closure in closures
    ]


def _overlap(one, other):
    return one.starts < other.ends and other.starts < one.ends


def _room(lesson):
    return lesson.room and (lesson.course.establishment_id, sort_key(lesson.room))


# --- The weekly hours of a year ---------------------------------------------------------------


@dataclass(frozen=True)
class Overlap:
    """Two weekly hours of a year that share a minute, and who or what they share."""

    kind: Clash
    who: str
    one: Hour
    other: Hour

    @property
    def sort(self):
        return (
            list(Clash).index(self.kind),
            sort_key(self.who),
            *_when(self.one),
            *_when(self.other),
        )


def overlaps_of(site: Establishment, year: SchoolYear) -> list[Overlap]:
    """Those of which one hour at least is the site's, whatever their number. Four queries."""
    hours = hours_of_year(year)
    return overlaps_among(hours, site, _students_of(hours))


def overlaps_among(hours: Hours, site: Establishment, of_students=()) -> list[Overlap]:
    """Of a teacher or a room; and of a student, for each (student, hour) given. No query."""
    shared, names = defaultdict(list), {}

    def share(kind, key, name, hour):
        names.setdefault((kind, key), name)  # a room is written in more than one way
        shared[kind, key].append(hour)

    for hour in hours:
        if teacher := hour.teacher or hour.course.teacher:
            share(Clash.TEACHER, teacher.pk, str(teacher), hour)
        if room := sort_key(hour.room):
            share(Clash.ROOM, (hour.course.establishment_id, room), hour.room.strip(), hour)
    for student, hour in of_students:
        share(Clash.STUDENT, student.pk, str(student), hour)
    found = [
        Overlap(kind, names[kind, key], one, other)
        for (kind, key), theirs in shared.items()
        for one, other in _overlapping(theirs)
        if site.pk in {one.course.establishment_id, other.course.establishment_id}
    ]
    return sorted(found, key=lambda overlap: overlap.sort)


def warnings_of(slot: Slot) -> list[str]:
    """What an agent is told once he saved a slot: it is saved all the same. Three queries.

    Of its teacher and its room; the students' stand on « Conflits ».
    """
    slot = Slot.objects.select_related("teacher", *_COURSE).get(pk=slot.pk)
    teacher, room = slot.teacher or slot.course.teacher, sort_key(slot.room)
    found = []
    for other in _at_the_time_of(slot):
        if teacher and teacher == (other.teacher or other.course.teacher):
            found.append(f"{teacher} a déjà {other} ({other.course.establishment}).")
        same_site = slot.course.establishment_id == other.course.establishment_id
        if room and same_site and room == sort_key(other.room):
            found.append(f"La salle {slot.room} est déjà prise par {other}.")
    return found


_COURSE = ["course__establishment", "course__teacher", "course__school_year"]


def _at_the_time_of(slot) -> list[Hour]:
    """The other hours of the year that share a minute with it."""
    at = {
        "course__school_year": slot.course.school_year_id,
        "weekday": slot.weekday,
        "starts_at__lt": slot.ends_at,
        "ends_at__gt": slot.starts_at,
    }
    slots = Slot.objects.filter(**at).exclude(pk=slot.pk).select_related("teacher", *_COURSE)
    not_over = Q(ends_on=None) | Q(ends_on__gte=timezone.localdate())
    times = LessonTime.objects.filter(not_over, **at).select_related("enrolment", *_COURSE)
    return [other for other in [*slots, *times] if _last_together(slot, other)]


def _students_of(hours: Hours) -> Iterator[tuple]:
    """Each student with each of his hours."""
    slots = {slot.pk: slot for slot in hours.slots}
    own, of_course = defaultdict(list), defaultdict(list)
    for time in hours.times:
        if time.enrolment_id:
            own[time.enrolment_id].append(time)
        else:
            of_course[time.course_id].append(time)
    enrolments = Enrolment.objects.confirmed().select_related("student", "place", "course")
    courses = {hour.course.school_year_id for hour in hours}
    for enrolment in enrolments.filter(course__school_year__in=courses).order_by("pk"):
        if enrolment.place_id and enrolment.place.slot_id in slots:
            yield enrolment.student, slots[enrolment.place.slot_id]
        elif enrolment.course.scheduling in WITHOUT_SLOT:
            for time in [*own[enrolment.pk], *of_course[enrolment.course_id]]:
                yield enrolment.student, time


def _overlapping(hours: Iterable[Hour]) -> Iterator[tuple[Hour, Hour]]:
    """Each pair once: the hours by their beginning, each compared with those not over yet."""
    going_on = []
    for hour in sorted(hours, key=_when):
        going_on = [o for o in going_on if o.weekday == hour.weekday and o.ends_at > hour.starts_at]
        yield from ((other, hour) for other in going_on if _last_together(other, hour))
        going_on.append(hour)


def _last_together(one, other):
    """An hour that a teacher fixed may begin, or end, within the year, or with its student."""
    (one_from, one_to), (other_from, other_to) = span_of(one), span_of(other)
    return max(one_from, other_from) <= min(one_to, other_to)


def _when(hour):
    return hour.weekday, hour.starts_at, hour.ends_at, type(hour).__name__, hour.pk
