"""A closure that is added once lessons were planned: what falls, what stays, who is told of it.

Holidays are known long before and nobody is told; of a closed day at short notice an agent tells
the families and the teachers, with one mail to each. Whoever was told that there is no lesson
stays at home: he is told again when the closure is deleted, and its days are not taken back else.
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
from accounts.models import Establishment, Mail, User
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

TAKES_PLACE = "La fermeture a été supprimée\u00a0: ces cours ont lieu."


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
    return _mails(_move(closure)).count()


def was_told(closure: Closure) -> bool:
    """Of these days or of former ones."""
    return _mails(_stem(closure)).exists()


def takes_back(
    closure: Closure, *, first_on: dt.date, last_on: dt.date, site: Establishment | None
) -> bool:
    """Would lessons that somebody was told of take place again, with these days, at this site
    (None: all)?

    The closure is held until the end of the transaction: nobody tells of it meanwhile.
    """
    held = _held(closure)
    if held is None or not was_told(held):
        return False
    keeps_days = first_on <= held.first_on and held.last_on <= last_on
    return not (keeps_days and site in (None, held.establishment))


@transaction.atomic
def tell(closure: Closure, *, actor: User) -> int:
    """One mail to each responsable of either household that loses a lesson to come, and to each
    teacher but `actor`; gives how many were written.

    Whoever was told of these very days is not told again, whatever the number of agents who do it.
    Closure.DoesNotExist when it has just been deleted.
    """
    closure = _held(closure)
    if closure is None:
        raise Closure.DoesNotExist
    before = told(closure)
    _write("lessons_closed", closure, _to_come(closure), actor)
    return told(closure) - before


@transaction.atomic
def remove(closure: Closure, *, actor: User) -> int:
    """Deletes a closure; gives how many are written to.

    Those who were told of it, but `actor`, learn that their lessons to come take place. What has
    not left of the former mails does not leave any more.
    """
    closure = _held(closure)
    if closure is None:
        return 0  # another agent was first
    former = _mails(_stem(closure))
    heard = {key.rsplit(":", 1)[1] for key in former.values_list("key", flat=True)}
    mails.give_up_all(former, TAKES_PLACE)
    written = _write("lessons_reopened", closure, _to_come(closure), actor, heard) if heard else 0
    closure.delete()
    return written


def _held(closure):
    """Until the end of the transaction; None when it is no more."""
    return Closure.objects.select_for_update(of=["self"]).filter(pk=closure.pk).first()


def _to_come(closure):
    now = timezone.now()
    return [each for each in to_tell(closure).lost if each[0].starts > now]


def _stem(closure):
    return f"fermeture-{closure.pk}-"


def _move(closure):
    """Other days are another thing to tell."""
    return f"{_stem(closure)}{closure.first_on:%Y%m%d}-{closure.last_on:%Y%m%d}:"


def _mails(begins):
    return Mail.objects.filter(key__startswith=f"{MailKind.LESSON_CHANGED}:{begins}")


def _write(template, closure, lost, actor, only=None):
    """One mail to each who loses one of these lessons, or to `only` these of them; how many."""
    written = [
        (f"{_move(closure)}{template}:{who}", to, *_composed(template, closure, person, about, url))
        for who, to, person, about, url in [*_families(lost), *_teachers(lost, actor)]
        if only is None or who in only
    ]
    return mails.queue_many(MailKind.LESSON_CHANGED, written)


def _families(lost):
    url = settings.SITE_URL + reverse("teaching:week")
    for guardian, lines in by_guardian(lost).items():
        about = [{"names": " et ".join(names), "lesson": lesson} for lesson, names in lines]
        yield str(guardian.pk), guardian.email, guardian, about, url


def _teachers(lost, actor):
    url = settings.SITE_URL + reverse("teacher:week")
    by_teacher = {}
    for lesson, _ in lost:
        if lesson.teacher and lesson.teacher.user_id not in (None, actor.pk):
            by_teacher.setdefault(lesson.teacher.user_id, []).append(lesson)
    accounts = User.objects.filter(pk__in=by_teacher, is_active=True).exclude(email="")
    for user in accounts.order_by("pk"):
        theirs = by_teacher[user.pk]
        about = [{"names": "", "lesson": lesson} for lesson in theirs]
        teacher = theirs[0].teacher
        yield f"enseignant-{teacher.pk}", user.email, teacher, about, url


def _composed(template, closure, person, about, url):
    """Signed by the establishment of the closure, else by that of the first lesson."""
    return compose(
        template,
        {
            "guardian": person,
            "closure": closure,
            "lines": about,
            "establishment": closure.establishment or about[0]["lesson"].course.establishment,
            "url": url,
        },
    )
