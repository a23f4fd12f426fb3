"""A closure that is added once lessons were planned: what falls, what stays, who is told of it.

Holidays are known long before and nobody is told; of a closed day at short notice an agent tells
the families and the teachers, with one mail to each.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.models import Mail, User
from students.models import Student
from teaching.lessons import (
    Attendees,
    Hours,
    Occurrence,
    hours_of_site,
    hours_of_town,
    lessons,
)
from teaching.models import Closure
from teaching.timetable.emails import by_guardian


@dataclass(frozen=True)
class Fall:
    """What a closure does to the lessons where somebody is expected, from some day on."""

    closure: Closure
    since: dt.date

    @cached_property
    def lost(self) -> list[tuple[Occurrence, list[Student]]]:
        """Those that would take place without it, and who would be there."""
        stay = {lesson for lesson, _ in self._staying}
        return [each for each in self._expected(ignoring=self.closure) if each[0] not in stay]

    @property
    def staying(self) -> list[Occurrence]:
        """Those that take place all the same: called, moved there, or changed in another way."""
        return [lesson for lesson, _ in self._staying if not lesson.is_cancelled]

    @property
    def students(self) -> int:
        return len({student.pk for _, students in self.lost for student in students})

    @cached_property
    def _staying(self):
        return self._expected()

    @cached_property
    def _hours(self) -> Hours:
        site, days = self.closure.establishment, (self.since, self.closure.last_on)
        return hours_of_site(site, *days) if site else hours_of_town(*days)

    @cached_property
    def _attendees(self):
        return Attendees(self._hours)

    def _expected(self, **kwargs):
        found = lessons(self._hours, self.since, self.closure.last_on, **kwargs)
        expected = [
            (lesson, [each.student for each in self._attendees.of(lesson)]) for lesson in found
        ]
        return [(lesson, students) for lesson, students in expected if students]


def fall_of(closure: Closure) -> Fall:
    """All its days, past ones too. Six queries."""
    return Fall(closure, closure.first_on)


def to_tell(closure: Closure) -> Fall:
    """From today on: of what is past, nobody is told. Six queries."""
    return Fall(closure, max(closure.first_on, timezone.localdate()))


def told(closure: Closure) -> int:
    """How many were written to of these days of it."""
    return Mail.objects.filter(
        key__startswith=f"{MailKind.LESSON_CHANGED}:{_move(closure)}:"
    ).count()


@transaction.atomic
def tell(closure: Closure, *, actor: User) -> int:
    """One mail to each responsable of either household that loses a lesson to come, and to each
    teacher but `actor`; gives how many were written.

    Whoever was told of these very days is not told again, whatever the number of agents who do it.
    """
    closure = Closure.objects.select_for_update(of=["self"]).get(pk=closure.pk)
    before = told(closure)
    now = timezone.now()
    lost = [each for each in to_tell(closure).lost if each[0].starts > now]
    mails.queue_many(
        MailKind.LESSON_CHANGED,
        [*_to_families(closure, lost), *_to_teachers(closure, lost, actor)],
    )
    return told(closure) - before


def _move(closure):
    """Other days are another thing to tell."""
    return f"fermeture-{closure.pk}-{closure.first_on:%Y%m%d}-{closure.last_on:%Y%m%d}"


def _to_families(closure, lost):
    for guardian, lines in by_guardian(lost).items():
        about = [{"names": " et ".join(names), "lesson": lesson} for lesson, names in lines]
        url = settings.SITE_URL + reverse("teaching:week")
        subject, body = _written(closure, guardian, about, url)
        yield f"{_move(closure)}:{guardian.pk}", guardian.email, subject, body


def _to_teachers(closure, lost, actor):
    by_teacher = {}
    for lesson, _ in lost:
        if lesson.teacher and lesson.teacher.user_id not in (None, actor.pk):
            by_teacher.setdefault(lesson.teacher.user_id, []).append(lesson)
    accounts = User.objects.filter(pk__in=by_teacher, is_active=True).exclude(email="")
    for user in accounts.order_by("pk"):
        theirs = by_teacher[user.pk]
        about = [{"names": "", "lesson": lesson} for lesson in theirs]
        url = settings.SITE_URL + reverse("teacher:week")
        subject, body = _written(closure, theirs[0].teacher, about, url)
        key = f"{_move(closure)}:enseignant-{theirs[0].teacher.pk}"
        yield key, user.email, subject, body


def _written(closure, person, about, url):
    """Signed by the establishment of the closure, else by that of the first lesson."""
    return compose(
        "lessons_closed",
        {
            "guardian": person,
            "closure": closure,
            "lines": about,
            "establishment": closure.establishment or about[0]["lesson"].course.establishment,
            "url": url,
        },
    )
