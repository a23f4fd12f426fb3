"""Lessons and concerts as an iCalendar file (RFC 5545), as Google, Apple and Outlook read it.

One event for each, under a name that never changes: moved, it moves; cancelled, it says so.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import (
    Calendar,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vDuration,
)
from icalendar import Event as CalendarEvent

from students.models import Slot
from teaching.models import ConcertMove, LessonChange
from teaching.timetable import words
from teaching.timetable.feeds import Agenda

VERSION = 2  # of the shape: another one makes every calendar anew
EVERY = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Entry:
    """What a calendar says of a lesson or a concert."""

    key: str  # never changes, and is nobody else's
    starts: dt.datetime
    ends: dt.datetime
    summary: str
    location: str
    description: str
    is_cancelled: bool
    sequence: int  # how many times it was changed
    made_at: dt.datetime  # when last


class Publication:
    """A calendar, with what tells whether it has changed. Two queries: the logs of its events."""

    def __init__(self, name: str, agenda: Agenda):
        self.name = name
        self.entries = [*_of_lessons(agenda.lessons), *_of_concerts(agenda)]

    @property
    def etag(self) -> str:
        """Changes when anything that is published does."""
        facts = [VERSION, settings.SITE_URL, self.name, *map(astuple, self.entries)]
        return f'"{sha256(repr(facts).encode()).hexdigest()[:32]}"'

    def write(self) -> bytes:
        calendar = Calendar()
        calendar.add("prodid", "-//iMuse//Emploi du temps//FR")
        calendar.add("version", "2.0")
        calendar.add("calscale", "GREGORIAN")
        calendar.add("method", "PUBLISH")
        calendar.add("x-wr-calname", self.name)
        calendar.add("x-wr-timezone", settings.TIME_ZONE)
        calendar.add("refresh-interval", EVERY, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", vDuration(EVERY))
        calendar.add_component(_paris())
        for entry in self.entries:
            calendar.add_component(_write(entry))
        return calendar.to_ical()


def _write(entry):
    found = CalendarEvent()
    found.add("uid", f"{entry.key}@{urlsplit(settings.SITE_URL).hostname}")
    found.add("dtstamp", entry.made_at)
    found.add("last-modified", entry.made_at)
    found.add("sequence", entry.sequence)
    found.add("dtstart", entry.starts)
    found.add("dtend", entry.ends)
    found.add("summary", entry.summary)
    found.add("location", entry.location)
    found.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    found.add("transp", "TRANSPARENT" if entry.is_cancelled else "OPAQUE")
    if entry.description:
        found.add("description", entry.description)
    return found


def _of_lessons(events) -> Iterator[Entry]:
    rows = [event.lesson.row.pk for event in events if event.lesson.row]
    changes = _logged(LessonChange.objects.filter(lesson__in=rows), "lesson_id")
    for event in events:
        lesson = event.lesson
        row = lesson.row.pk if lesson.row else None
        times, changed_at = changes.get(row, (0, _beginning(lesson)))
        yield Entry(
            key=lesson.key,
            starts=lesson.starts,
            ends=lesson.ends,
            # Outlook shows the status nowhere.
            summary=_said("Annulé" if lesson.is_cancelled else "", event.whose, lesson.name),
            location=_location(lesson),
            description=_description(lesson),
            is_cancelled=lesson.is_cancelled,
            sequence=times + _revisions(lesson),
            made_at=changed_at,
        )


def _of_concerts(agenda) -> Iterator[Entry]:
    keys = [each.concert.pk for each in agenda.concerts]
    moves = _logged(ConcertMove.objects.filter(concert__in=keys), "concert_id")
    for each in agenda.concerts:
        concert = each.concert
        names = [student.first_name for student in each.students]
        times, changed_at = moves.get(concert.pk, (0, concert.published_at))
        reason = f"Motif\u00a0: {concert.cancel_reason}." if concert.cancel_reason else ""
        pupils = f"Vos élèves\u00a0: {', '.join(names)}." if agenda.is_teacher else ""
        yield Entry(
            key=f"concert-{concert.pk}",
            starts=each.starts,
            ends=each.ends,
            summary=_said(
                "Annulée" if concert.is_cancelled else "",
                "" if agenda.is_teacher else " et ".join(names),
                concert.title,
            ),
            location=f"{concert.place}, {concert.establishment.name}",
            description="\n".join(filter(None, [pupils, reason])),
            is_cancelled=concert.is_cancelled,
            sequence=times,
            made_at=changed_at,
        )


def _said(*parts):
    return "\u00a0: ".join(filter(None, parts))


def _logged(log, name):
    """{key: how many times it was changed, when last}, by its log, which has lines `at`."""
    found = {}
    for line in log.order_by("pk"):
        key = getattr(line, name)
        found[key] = found.get(key, (0, None))[0] + 1, line.at
    return found


def _paris() -> Timezone:
    """The Union's rule, since 1996: the last Sundays of March and October, at 1 h UTC.

    As a rule, which Outlook reads; icalendar itself would list the days of seventy years.
    """
    zone = Timezone()
    zone.add("tzid", settings.TIME_ZONE)
    for part, name, first, before, after in [
        (TimezoneDaylight(), "CEST", dt.datetime(1996, 3, 31, 2), 1, 2),  # noqa: DTZ001
        (TimezoneStandard(), "CET", dt.datetime(1996, 10, 27, 3), 2, 1),  # noqa: DTZ001
    ]:
        part.add("tzname", name)
        part.add("dtstart", first)  # by the clock of before
        part.add("tzoffsetfrom", dt.timedelta(hours=before))
        part.add("tzoffsetto", dt.timedelta(hours=after))
        part.add("rrule", {"freq": "yearly", "bymonth": first.month, "byday": "-1su"})
        zone.add_component(part)
    return zone


def _revisions(lesson):
    """How many times its weekly hour and its course were changed, each since it was made."""
    hour = lesson.hour
    of_hour = hour.revision if isinstance(hour, Slot) else hour.revision - 1
    return of_hour + lesson.course.revision


def _beginning(lesson):
    """A lesson that nobody touched is as old as its school year: the file stays the same."""
    return dt.datetime.combine(lesson.course.school_year.starts_on, dt.time(), dt.UTC)


def _location(lesson):
    site = lesson.course.establishment
    address = ", ".join(site.address.split("\n"))
    return ", ".join(filter(None, [lesson.room, site.name, address.replace("\r", "")]))


def _description(lesson):
    said = [f"Avec {lesson.teacher}"] if lesson.teacher else []
    said += words.what_became(lesson)
    if lesson.reason and not lesson.is_as_planned:
        said.append(f"Motif\u00a0: {lesson.reason}")
    return "\n".join(f"{each}." for each in said)
