"""The week of the coming year, as the household sees it: its students side by side."""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from reenrolment.models import Campaign
from students.enums import EnrolmentStatus, Weekday
from students.models import Enrolment, Hold, Place, Slot, Student

SEATED = [EnrolmentStatus.REQUESTED, EnrolmentStatus.CONFIRMED]


@dataclass(frozen=True)
class Lesson:
    student_id: int
    slot: Slot
    state: str  # « proposé », « réservé », « demandé », « confirmé »


@dataclass(frozen=True)
class Day:
    """`columns`: the lessons of each student, in the order of `Week.students`."""

    name: str
    columns: list[tuple[Student, list[Lesson]]]


@dataclass(frozen=True)
class Week:
    students: list[Student]  # those who have a lesson
    days: list[Day]
    warnings: list[str]


def week_of(students: list[Student], campaign: Campaign) -> Week:
    """What each student holds, asked for or has, at every site of the town. One query."""
    lessons = _lessons(students, campaign)
    shown = [s for s in students if any(lesson.student_id == s.pk for lesson in lessons)]
    days = []
    for weekday in Weekday:
        of_day = [lesson for lesson in lessons if lesson.slot.weekday == weekday]
        if of_day:
            columns = [(s, [each for each in of_day if each.student_id == s.pk]) for s in shown]
            days.append(Day(weekday.label, columns))
    return Week(shown, days, _short_ways(days, campaign.travel_minutes))


def _lessons(students, campaign):
    keys = [student.pk for student in students]
    places = _places_of(keys, campaign.school_year_id, timezone.now())
    in_order = sorted(places, key=lambda p: (p.slot.weekday, p.slot.starts_at, p.pk))
    return [_lesson(place) for place in in_order]


@prepared
def _places_of(students: list[int], school_year: int, now: dt.datetime) -> QuerySet[Place]:
    held = Hold.objects.filter(student__in=students, until__gt=now)
    seated = Enrolment.objects.filter(student__in=students, status__in=SEATED)
    # A union, each half by its index: an OR over two tables reads every place of the town.
    ours = held.order_by().values("place").union(seated.order_by().values("place"))
    return (
        Place.objects.filter(pk__in=ours, slot__course__school_year=school_year)
        .select_related("slot__course__establishment", "enrolment", "hold")
        .order_by()
    )


def _lesson(place):
    enrolment = getattr(place, "enrolment", None)
    if enrolment is None:
        state = "proposé" if place.hold.entry_id else "réservé"
        return Lesson(place.hold.student_id, place.slot, state)
    confirmed = enrolment.status == EnrolmentStatus.CONFIRMED
    return Lesson(enrolment.student_id, place.slot, "confirmé" if confirmed else "demandé")


def _short_ways(days, minutes):
    """Two sites with less than `minutes` between them: possible for some, so it is only said."""
    return [
        f"{day.name.capitalize()}, {student.first_name} n'a que {gap}\u00a0minutes pour aller de"
        f" «\u00a0{before.slot.course}\u00a0» ({before.slot.course.establishment}) à"
        f" «\u00a0{after.slot.course}\u00a0» ({after.slot.course.establishment})."
        for day in days
        for student, lessons in day.columns
        for before, after in pairwise(lessons)
        if before.slot.course.establishment_id != after.slot.course.establishment_id
        and (gap := _minutes_between(before.slot, after.slot)) < minutes
    ]


def _minutes_between(before, after):
    starts, ends = (dt.datetime.combine(dt.date.min, t) for t in (after.starts_at, before.ends_at))
    return max(0, int((starts - ends).total_seconds() // 60))
