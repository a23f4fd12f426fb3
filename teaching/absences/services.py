"""What families tell of absences, and the administration's answers.

Lock order: the absence, then its justifications.
"""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from families.models import Family
from students.models import Course, Enrolment, Student
from teaching.enums import Presence, Verdict
from teaching.models import Absence, AbsenceNotice, Justification

MAX_DAYS = 60  # of one notice: longer is a leave, and the secretariat's to know


@transaction.atomic
def announce(
    student: Student,
    family: Family,
    *,
    first_on: dt.date,
    last_on: dt.date,
    course: Course | None,
    reason: str,
    actor: User,
) -> AbsenceNotice:
    """Tells that the student will not come, to one course or to all, on these days.

    Raises ValidationError: "past", "order", "too_long" (MAX_DAYS), "other_course" (not the
    student's), "twice" (this household has told it already).
    """
    if first_on < timezone.localdate():
        text = "Une absence passée ne s'annonce plus\u00a0: elle se justifie."
        raise _refusal("first_on", text, "past")
    if last_on < first_on:
        raise _refusal("last_on", "Le dernier jour n'est pas avant le premier.", "order")
    if (last_on - first_on).days >= MAX_DAYS:
        text = f"{MAX_DAYS} jours au plus\u00a0: au-delà, écrivez au secrétariat."
        raise _refusal("last_on", text, "too_long")
    Student.objects.select_for_update(no_key=True).get(pk=student.pk)
    if course and not courses_of(student).filter(course=course).exists():
        raise _refusal("course", "Ce n'est pas un cours de l'élève.", "other_course")
    same = {"student": student, "family": family, "course": course}
    days = {"first_on": first_on, "last_on": last_on}
    if AbsenceNotice.objects.live().filter(**same, **days).exists():
        raise _refusal("first_on", "Cette absence est déjà annoncée.", "twice")
    return AbsenceNotice.objects.create(
        **same, **days, reason=reason, created_at=timezone.now(), created_by=actor
    )


def _refusal(field, text, code):
    return ValidationError({field: ValidationError(text, code=code)})


def courses_of(student: Student):
    """The enrolments of this year, by the course's name."""
    today = timezone.localdate()
    return (
        Enrolment.objects.confirmed()
        .filter(
            student=student,
            course__school_year__starts_on__lte=today,
            course__school_year__ends_on__gte=today,
        )
        .select_related("course")
        .order_by("course__sort_name", "course_id")
    )


@transaction.atomic
def withdraw(notice: AbsenceNotice, *, actor: User) -> None:
    """The student will come. Raises ValidationError "over" of days that are past or a notice that
    was withdrawn."""
    notice = AbsenceNotice.objects.select_for_update().get(pk=notice.pk)
    if notice.withdrawn_at or notice.last_on < timezone.localdate():
        raise ValidationError("Cette annonce est déjà retirée, ou passée.", code="over")
    notice.withdrawn_at, notice.withdrawn_by = timezone.now(), actor
    notice.save(update_fields=["withdrawn_at", "withdrawn_by"])


@transaction.atomic
def justify(absence: Absence, family: Family, *, text: str, actor: User) -> Justification:
    """What a household says of an absence; the administration answers.

    Raises ValidationError: "no_absence" (it was corrected, or excused), "answered" (accepted
    already), "pending" (this household's own waits for an answer).
    """
    absence = _lock(absence)
    said = absence.justifications.all()
    if said.filter(verdict=Verdict.ACCEPTED).exists():
        raise ValidationError("Cette absence est déjà justifiée.", code="answered")
    if said.filter(verdict=Verdict.PENDING, family=family).exists():
        raise ValidationError("Votre justification attend déjà une réponse.", code="pending")
    return absence.justifications.create(family=family, text=text, at=timezone.now(), by=actor)


@transaction.atomic
def accept(absence: Absence, *, actor: User) -> None:
    """Every justification that waits; raises ValidationError "nothing" if none does."""
    absence = _lock(absence)
    _answer(absence, actor, verdict=Verdict.ACCEPTED)


@transaction.atomic
def refuse(absence: Absence, *, reason: str, actor: User) -> None:
    """Every justification that waits, with a reason that the families read.

    Raises ValidationError "nothing", or "no_reason".
    """
    if not reason.strip():
        raise ValidationError("Dites pourquoi\u00a0: la famille le lit.", code="no_reason")
    absence = _lock(absence)
    _answer(absence, actor, verdict=Verdict.REFUSED, reason=reason.strip())


@transaction.atomic
def note(absence: Absence, *, text: str, actor: User) -> None:
    """Justified by the administration itself: a call, a letter. Raises ValidationError "answered"
    if it was already."""
    absence = _lock(absence)
    if absence.justifications.filter(verdict=Verdict.ACCEPTED).exists():
        raise ValidationError("Cette absence est déjà justifiée.", code="answered")
    now = timezone.now()
    absence.justifications.filter(verdict=Verdict.PENDING).update(
        verdict=Verdict.ACCEPTED, decided_at=now, decided_by=actor
    )
    absence.justifications.create(
        text=text, at=now, by=actor, verdict=Verdict.ACCEPTED, decided_at=now, decided_by=actor
    )


def _lock(absence):
    rows = Absence.objects.select_related("register").select_for_update(of=["self"])
    absence = rows.get(pk=absence.pk)
    if absence.kind != Presence.ABSENT or absence.register.void:
        raise ValidationError("Il n'y a plus rien à justifier.", code="no_absence")
    return absence


def _answer(absence, actor, **answer):
    waiting = absence.justifications.filter(verdict=Verdict.PENDING)
    if not waiting.update(**answer, decided_at=timezone.now(), decided_by=actor):
        raise ValidationError("Aucune justification n'attend de réponse.", code="nothing")
