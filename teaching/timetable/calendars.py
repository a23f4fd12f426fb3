"""Lessons as an iCalendar file (RFC 5545), as Google, Apple and Outlook read it.

One event for each lesson, under a name that never changes: moved, it moves; cancelled, it says so.
"""

import datetime as dt
from collections import defaultdict
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
from teaching.models import LessonChange
from teaching.timetable import words
from teaching.timetable.feeds import Event

VERSION = 1  # of the shape: another one makes every calendar anew
EVERY = dt.timedelta(hours=1)


class Publication:
    """A calendar, with what tells whether it has changed. One query: the log of its lessons."""

    def __init__(self, name: str, events: list[Event]):
        self.name, self.events = name, events
        self._changes = _changes(events)

    @property
    def etag(self) -> str:
        """Changes when anything that is published does."""
        facts = [VERSION, settings.SITE_URL, self.name, *map(self._facts, self.events)]
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
        for event in self.events:
            calendar.add_component(self._event(event))
        return calendar.to_ical()

    def _event(self, event):
        lesson = event.lesson
        sequence, made_at = self._version(lesson)
        found = CalendarEvent()
        found.add("uid", f"{lesson.key}@{urlsplit(settings.SITE_URL).hostname}")
        found.add("dtstamp", made_at)
        found.add("last-modified", made_at)
        found.add("sequence", sequence)
        found.add("dtstart", lesson.starts)
        found.add("dtend", lesson.ends)
        found.add("summary", _summary(event))
        found.add("location", _location(lesson))
        found.add("status", "CANCELLED" if lesson.is_cancelled else "CONFIRMED")
        found.add("transp", "TRANSPARENT" if lesson.is_cancelled else "OPAQUE")
        if description := _description(lesson):
            found.add("description", description)
        return found

    def _version(self, lesson):
        """How many times it was changed, in itself, with its hour or its course; when last."""
        times, changed_at = self._changes[lesson.row.pk if lesson.row else None]
        return times + _revisions(lesson), changed_at or _beginning(lesson)

    def _facts(self, event):
        lesson = event.lesson
        return (
            lesson.key,
            lesson.starts,
            lesson.ends,
            _summary(event),
            _location(lesson),
            _description(lesson),
            self._version(lesson),
        )


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


def _changes(events):
    """{row of a lesson: how many times it was changed, when last}."""
    rows = [event.lesson.row.pk for event in events if event.lesson.row]
    found = defaultdict(lambda: (0, None))
    changes = LessonChange.objects.filter(lesson__in=rows).order_by("pk") if rows else []
    for change in changes:
        found[change.lesson_id] = found[change.lesson_id][0] + 1, change.at
    return found


def _revisions(lesson):
    """How many times its weekly hour and its course were changed, each since it was made."""
    hour = lesson.hour
    of_hour = hour.revision if isinstance(hour, Slot) else hour.revision - 1
    return of_hour + lesson.course.revision


def _beginning(lesson):
    """A lesson that nobody touched is as old as its school year: the file stays the same."""
    return dt.datetime.combine(lesson.course.school_year.starts_on, dt.time(), dt.UTC)


def _summary(event):
    lesson = event.lesson
    said = [event.whose, lesson.name]
    if lesson.is_cancelled:  # Outlook shows the status nowhere
        said.insert(0, "Annulé")
    return "\u00a0: ".join(filter(None, said))


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
