"""The mails about the hours of individual lessons: to each guardian of either household."""

import datetime as dt

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from families.models import Guardian
from students.models import Enrolment
from teaching.models import LessonTime

LATER = "Remplacé\u00a0: l'horaire a changé depuis."


def tell_fixed(time: LessonTime, *, changed: bool) -> None:
    """The hour, the room, and from when; in the caller's transaction."""
    _tell(time.enrolment, f"{time.pk}.{time.revision}", time=time, changed=changed)


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
