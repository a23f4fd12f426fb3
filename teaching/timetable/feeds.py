"""The private address at which a telephone or a computer reads lessons and concerts by itself.

The address is a random key and its signature by SECRET_KEY, like nothing that can be guessed
(192 bits), and whoever has it needs no session. The key alone is kept, not hashed: the page shows
the address again to whoever has a second telephone, and a copy of the database, which holds the
lessons anyway, makes no address.
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from families.models import Guardian
from students.models import Student, Teacher
from teaching.concerts.selectors import Appearance, appearances_of, appearances_of_pupils
from teaching.enums import Space
from teaching.lessons import Attendees, Occurrence, hours_of_students, hours_of_teacher, lessons
from teaching.models import CalendarFeed
from teaching.models.timetable import new_key

SIGNER = Signer(sep=".", salt="teaching.timetable.feeds")
PAST, AHEAD = dt.timedelta(days=60), dt.timedelta(days=366)


@dataclass(frozen=True)
class Event:
    """A lesson as a calendar says it; `whose`: the first names, empty for the whole class."""

    lesson: Occurrence
    whose: str


@dataclass(frozen=True)
class Agenda:
    """All that one address publishes; `is_teacher`: a concert tells which of his students play."""

    lessons: list[Event]
    concerts: list[Appearance]
    is_teacher: bool = False


@transaction.atomic
def make(user: User, space: Space) -> CalendarFeed:
    """The address of that space; a new one replaces the one before, which opens nothing more."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two clicks, one address
    CalendarFeed.objects.filter(user=user, space=space).delete()
    return CalendarFeed.objects.create(user=user, space=space, key=new_key())


def revoke(user: User, space: Space) -> bool:
    """Its address opens nothing more; False if there was none."""
    deleted, _ = CalendarFeed.objects.filter(user=user, space=space).delete()
    return bool(deleted)


def of(user: User, space: Space) -> CalendarFeed | None:
    return CalendarFeed.objects.visible_to(user).filter(space=space).first()


def address(feed: CalendarFeed) -> str:
    """The whole address, to copy."""
    return settings.SITE_URL + reverse("teaching:calendar", args=[SIGNER.sign(feed.key)])


def find(token: str) -> CalendarFeed | None:
    """None for a wrong, replaced or revoked address, and for an account that is closed."""
    try:
        key = SIGNER.unsign(token)
    except BadSignature:
        return None
    feeds = CalendarFeed.objects.filter(key=key, user__is_active=True)
    return feeds.select_related("user").first()


def note_read(feed: CalendarFeed) -> None:
    """That it served today: one write a day, whatever the telephone asks."""
    today = timezone.localdate()
    if feed.read_on != today:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_on=today)


def agenda_of(feed: CalendarFeed) -> Agenda | None:
    """From two months ago to a year ahead; None for whoever is no guardian, no teacher any more.

    At most ten queries, whatever the number of lessons.
    """
    sites = list(feed.user.establishments.values_list("pk", flat=True))
    if not sites:
        return None
    today = timezone.localdate()
    first, last = today - PAST, today + AHEAD
    if feed.space == Space.TEACHER:
        return _agenda_of_teacher(feed.user, sites, first, last)
    return _agenda_of_household(feed.user, first, last)


def _agenda_of_teacher(user, sites, first, last):
    teacher = Teacher.objects.filter(user=user).first()
    if teacher is None:
        return None
    hours = hours_of_teacher(teacher, sites, first, last)
    events = [
        Event(lesson, lesson.student.first_name if lesson.student else "")
        for lesson in lessons(hours, first, last)
        if lesson.teacher == teacher
    ]
    led = appearances_of_pupils(teacher, sites, first, last)
    return Agenda(events, led, is_teacher=True)


def _agenda_of_household(user, first, last):
    if not Guardian.objects.filter(user=user).exists():
        return None
    students = list(Student.objects.visible_to(user))
    hours = hours_of_students(students, first, last)
    attendees = Attendees(hours, students)
    events = []
    for lesson in lessons(hours, first, last):
        names = dict.fromkeys(each.student.first_name for each in attendees.of(lesson))
        if names:
            events.append(Event(lesson, " et ".join(names)))
    return Agenda(events, appearances_of(students, first, last))
