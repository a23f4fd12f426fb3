"""« Mode guichet »: an agent fills in a dossier for a family that has no computer.

He stays himself: every move and every document is signed by him, nobody's password is used, and
reenrolment.middleware opens to him the pages of this one dossier only.
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.selectors import establishments_of
from families.models import Family
from reenrolment.models import AssistedSession
from students.models import Custody, Enrolment, Student

PERMISSION = "reenrolment.assist_family"
LIMIT = dt.timedelta(minutes=60)


def may_assist(agent: User, student: Student) -> bool:
    """A student of the agent's own establishments, by the courses that he follows."""
    ours = Enrolment.objects.filter(
        student=student, course__establishment__in=establishments_of(agent)
    )
    return agent.has_perm(PERMISSION) and ours.exists()


@transaction.atomic
def start(student: Student, family: Family, *, actor: User) -> AssistedSession:
    """Opens the dossier for 60 minutes; what the agent had opened before ends.

    Raises ValidationError `not_ours` when the student is not the agent's to assist or does not
    live in the household.
    """
    lives_there = Custody.objects.filter(student=student, family=family).exists()
    if not lives_there or not may_assist(actor, student):
        raise ValidationError("Ce dossier ne s'ouvre pas au guichet.", code="not_ours")
    now = timezone.now()
    AssistedSession.objects.filter(agent=actor, ends_at__gt=now).update(ends_at=now)
    assisted = AssistedSession(
        agent=actor, student=student, family=family, started_at=now, ends_at=now + LIMIT
    )
    assisted.full_clean()
    assisted.save()
    return assisted


def end(assisted: AssistedSession) -> None:
    """« Terminer », or signing out; nothing is lengthened by ending twice."""
    now = timezone.now()
    AssistedSession.objects.filter(pk=assisted.pk, ends_at__gt=now).update(ends_at=now)


def current(key: int | None, *, actor: User) -> AssistedSession | None:
    """What the agent's browser has opened and may still use."""
    if key is None or not actor.has_perm(PERMISSION):
        return None
    open_ones = AssistedSession.objects.filter(agent=actor, ends_at__gt=timezone.now())
    return open_ones.filter(pk=key).select_related("student", "family").first()
