"""« Salles de l'année »: the weekly hours of each room of a site, and when it is free.

A room is a word of the hours (Slot.room, LessonTime.room), the same in capitals or without accents.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from accounts.dates import NBSP, french_time
from accounts.models import Establishment
from accounts.names import sort_key
from students.enums import EnrolmentStatus, Weekday
from students.models import SchoolYear, Slot
from teaching.lessons import Hour, Hours, hours_of_year
from teaching.models import TimetableSettings
from teaching.timetable.conflicts import Clash, Overlap, overlaps_among


@dataclass(frozen=True)
class Use:
    """One weekly hour of a room; `is_clashing`: the room or its teacher is taken then."""

    hour: Hour
    is_clashing: bool

    @property
    def is_slot(self) -> bool:
        return isinstance(self.hour, Slot)

    @property
    def name(self) -> str:
        return f"{self.hour.course.name} {getattr(self.hour, 'group', '')}".strip()

    @property
    def who(self) -> str:
        """The teacher; and the student of an individual lesson."""
        enrolment = getattr(self.hour, "enrolment", None)
        teacher = self.hour.teacher or self.hour.course.teacher
        return ", ".join(str(each) for each in [teacher, enrolment and enrolment.student] if each)


@dataclass(frozen=True)
class Range:
    starts_at: dt.time
    ends_at: dt.time

    def __str__(self):
        return f"{french_time(self.starts_at)} à {french_time(self.ends_at)}"


@dataclass(frozen=True)
class Day:
    """A room on one day of the week; `free`: what is left of the opening hours."""

    weekday: Weekday
    uses: list[Use]
    free: list[Range]


@dataclass(frozen=True)
class RoomWeek:
    name: str
    days: list[Day]

    @property
    def hours(self) -> str:
        """How long it serves in a week: « 12 h 30 »."""
        return duration(sum(_minutes_of([use.hour for use in day.uses]) for day in self.days))


@dataclass(frozen=True)
class RoomsOfYear:
    opening: Range
    weekdays: list[Weekday]
    rooms: list[RoomWeek]
    without_room: list[Use]
    overlaps: list[Overlap]  # of rooms and of teachers

    def free_rooms(self, weekday: Weekday, starts_at: dt.time, ends_at: dt.time) -> list[str]:
        """Those that nobody has at that time."""
        return [
            room.name
            for room in self.rooms
            if not any(
                use.hour.starts_at < ends_at and starts_at < use.hour.ends_at
                for day in room.days
                if day.weekday == weekday
                for use in day.uses
            )
        ]


def rooms_of_year(site: Establishment, year: SchoolYear) -> RoomsOfYear:
    """Three queries, whatever the number of hours."""
    hours = lasting(hours_of_year(year), year)
    overlaps = overlaps_among(hours, site)
    clashing = {_key(hour) for overlap in overlaps for hour in (overlap.one, overlap.other)}
    ours = [hour for hour in hours if hour.course.establishment_id == site.pk]
    opening = _opening_of(site)
    weekdays = _weekdays(ours)
    by_room, names = defaultdict(list), {}
    for hour in sorted(ours, key=_when):
        key = sort_key(hour.room)
        names.setdefault(key, hour.room.strip())
        by_room[key].append(Use(hour, _key(hour) in clashing))
    return RoomsOfYear(
        opening=opening,
        weekdays=weekdays,
        rooms=[
            RoomWeek(names[key], [_day(weekday, by_room[key], opening) for weekday in weekdays])
            for key in sorted(names)
            if key
        ],
        without_room=by_room[""],
        overlaps=overlaps,
    )


def lasting(hours: Hours, year: SchoolYear) -> Hours:
    """Without the fixed hours that are over, nor those of a student who is not in the course.

    Over today, or on the first or the last day of lessons, before and after them. An hour to come
    stands beside the one that it will replace.
    """
    opens, closes = year.lesson_days
    today = min(max(timezone.localdate(), opens), closes)
    return Hours(hours.slots, [time for time in hours.times if _lasts(time, today)])


def duration(minutes: int) -> str:
    """« 12 h 30 », « 45 min », « 0 h »."""
    hours, rest = divmod(minutes, 60)
    if not hours and rest:
        return f"{rest}{NBSP}min"
    return f"{hours}{NBSP}h{NBSP}{rest:02}" if rest else f"{hours}{NBSP}h"


def minutes_of_week(hours: Iterable[Hour]) -> int:
    """Those during which there is one of these hours at least: a lesson for two is one lesson."""
    by_day = defaultdict(list)
    for hour in hours:
        by_day[hour.weekday].append(hour)
    return sum(map(_minutes_of, by_day.values()))


def _lasts(time, day):
    _, last = time.lesson_days
    enrolment = time.enrolment
    if enrolment is not None and enrolment.status != EnrolmentStatus.CONFIRMED:
        return False
    stops = enrolment.ends_on if enrolment is not None else None
    return last >= day and (stops is None or stops >= day)


def _opening_of(site):
    found = TimetableSettings.objects.filter(establishment=site).first() or TimetableSettings()
    return Range(found.opens_at, found.closes_at)


def _weekdays(hours):
    """From Monday to Saturday; and Sunday, if something is taught then."""
    taught = {hour.weekday for hour in hours}
    return [day for day in Weekday if day != Weekday.SUNDAY or day in taught]


def _day(weekday, uses, opening):
    of_day = [use for use in uses if use.hour.weekday == weekday]
    return Day(weekday, of_day, _free([use.hour for use in of_day], opening))


def _free(hours, opening):
    free, start = [], opening.starts_at
    for busy in _merged(hours):
        if busy.starts_at > start:
            free.append(Range(start, min(busy.starts_at, opening.ends_at)))
        start = max(start, busy.ends_at)
        if start >= opening.ends_at:
            break
    if start < opening.ends_at:
        free.append(Range(start, opening.ends_at))
    return free


def _merged(hours):
    """Ranges that do not touch, of hours of one day."""
    merged = []
    for hour in sorted(hours, key=lambda hour: (hour.starts_at, hour.ends_at)):
        if merged and hour.starts_at <= merged[-1].ends_at:
            merged[-1] = Range(merged[-1].starts_at, max(merged[-1].ends_at, hour.ends_at))
        else:
            merged.append(Range(hour.starts_at, hour.ends_at))
    return merged


def _minutes_of(hours):
    return sum(_minute(busy.ends_at) - _minute(busy.starts_at) for busy in _merged(hours))


def _minute(time):
    return time.hour * 60 + time.minute


def _key(hour):
    return type(hour), hour.pk


def _when(hour):
    return hour.weekday, hour.starts_at, hour.ends_at, type(hour).__name__, hour.pk


def said_of(overlap: Overlap) -> str:
    """« Cécile Vasseur : Solfège A – LUNDI – 18 h à 19 h (Conservatoire) et … »."""
    what = f"Salle «{NBSP}{overlap.who}{NBSP}»" if overlap.kind == Clash.ROOM else overlap.who
    return f"{what}{NBSP}: {_place(overlap.one)} et {_place(overlap.other)}"


def _place(hour):
    return f"{hour} ({hour.course.establishment})"
