"""The rooms of a site on one day: what takes place in each, and which are free."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Establishment
from accounts.names import sort_key
from students.models import Slot
from teaching.lessons import Occurrence, hours_of_site, lessons
from teaching.models import Closure, LessonTime

NO_ROOM = "Sans salle"


@dataclass(frozen=True)
class Room:
    name: str
    lessons: list[Occurrence]

    def is_free(self, starts_at: dt.time, ends_at: dt.time) -> bool:
        return not any(
            lesson.starts.time() < ends_at and starts_at < lesson.ends.time()
            for lesson in self.lessons
            if not lesson.is_cancelled
        )


def rooms_of(site: Establishment, day: dt.date) -> list[Room]:
    """By name, those without a lesson that day too; then the lessons without a room. Six queries.

    A room is a word: the site's are those that its hours of the year name.
    """
    by_room, names = defaultdict(list), {}
    for name in _names(site, day):
        names.setdefault(sort_key(name), name.strip())
    for lesson in lessons(hours_of_site(site, day, day), day, day):
        key = sort_key(lesson.room)
        names.setdefault(key, lesson.room.strip())
        by_room[key].append(lesson)
    rooms = [Room(names[key], by_room[key]) for key in sorted(names) if key]
    return [*rooms, Room(NO_ROOM, by_room[""])] if by_room[""] else rooms


def free_rooms(rooms: list[Room], starts_at: dt.time, ends_at: dt.time) -> list[Room]:
    return [room for room in rooms if room.name != NO_ROOM and room.is_free(starts_at, ends_at)]


def closures_of(site: Establishment, day: dt.date) -> list[Closure]:
    """Why there is no lesson that day. One query."""
    ours = Q(establishment=None) | Q(establishment=site)
    return list(Closure.objects.filter(ours, first_on__lte=day, last_on__gte=day))


def _names(site, day):
    year = {"course__establishment": site} | {
        "course__school_year__starts_on__lte": day,
        "course__school_year__ends_on__gte": day,
    }
    for model in (Slot, LessonTime):
        rooms = model.objects.filter(**year).exclude(room="").order_by("room")
        yield from rooms.values_list("room", flat=True).distinct()
