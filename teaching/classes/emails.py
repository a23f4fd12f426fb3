"""The mails about the hours that are fixed: to each guardian of either household.

Of an individual lesson, or of a whole course (CHAM): then one mail for all his students in it.
"""

import datetime as dt
from collections import defaultdict

from django.db.models import Q

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from families.models import Guardian
from students.models import Custody, Enrolment
from teaching.models import LessonTime

LATER = "Remplacé\u00a0: l'horaire a changé depuis."


def tell_fixed(time: LessonTime, *, changed: bool) -> None:
    """The hour, the room, and from when; in the caller's transaction."""
    _tell(time.enrolment, f"{time.pk}.{time.revision}", time=time, changed=changed)


def tell_all_fixed(time: LessonTime, *, former: LessonTime | None = None) -> None:
    """`tell_fixed` to the families of all the course's students; `former`: the hour it replaces.

    As many queries whatever their number.
    """
    first_day, _ = time.lesson_days
    replaced = [former, time] if former is not None else [time]
    _tell_all(time, first_day, replaced, {"time": time, "changed": former is not None})


def tell_all_ended(time: LessonTime, from_day: dt.date) -> None:
    """The course has that hour no more from that day on: `tell_all_fixed`, the other way."""
    _tell_all(time, from_day, [time], {"time": None, "ended": time, "from_day": from_day})


def tell_ended(enrolment: Enrolment, move: str, from_day: dt.date) -> None:
    """There is no hour from that day on. `move`: what makes the mail's key unique."""
    _tell(enrolment, move, time=None, from_day=from_day)


def _tell(enrolment, move, **context):
    """Of two changes one after the other, the family reads the last one alone, if it can be."""
    about = {"enrolment": enrolment, "course": enrolment.course, "student": enrolment.student}
    kind = MailKind.LESSON_TIME
    guardians = Guardian.objects.filter(family__students=enrolment.student_id).exclude(email="")
    mails.replace([f"{kind}:{enrolment.pk}:"], LATER)
    for guardian in guardians.order_by("pk"):
        subject, body = compose("lesson_time", {"guardian": guardian, **about, **context})
        key = f"{enrolment.pk}:{move}:{guardian.pk}"
        mails.queue(kind, key=key, to=guardian.email, subject=subject, body=body)


def _tell_all(time, from_day, replaced, context):
    """`replaced`: the hours of which a mail that has not left yet leaves no more."""
    kind, course = MailKind.LESSON_TIME, time.course
    mails.replace([f"{kind}:cours-{each.pk}:" for each in replaced], LATER)
    move = f"cours-{time.pk}:{time.revision}{'.fin' if 'ended' in context else ''}"
    mails.queue_many(
        kind,
        [
            (f"{move}:{guardian.pk}", guardian.email, *_written(guardian, names, course, context))
            for guardian, names in _by_guardian(course, from_day)
        ],
    )


def _written(guardian, names, course, context):
    about = {"guardian": guardian, "student": " et ".join(names), "course": course}
    return compose("lesson_time", about | {"for_all": True} | context)


def _by_guardian(course, from_day):
    """Each with the first names of his own students in the course, from that day on."""
    lasting = Q(ends_on=None) | Q(ends_on__gte=from_day)
    students = Enrolment.objects.confirmed().filter(lasting, course=course).values("student")
    names = defaultdict(list)
    custodies = Custody.objects.filter(student__in=students).select_related("student")
    for custody in custodies.order_by("student__birth_date", "student_id"):
        names[custody.family_id].append(custody.student.first_name)
    guardians = Guardian.objects.filter(family__in=names).exclude(email="").order_by("pk")
    return [(guardian, names[guardian.family_id]) for guardian in guardians]
