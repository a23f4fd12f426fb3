"""What families are told of an absence: once, whatever the day of entry; and once if it was none.

It was none when the register is corrected, or void: the lesson cancelled, or moved to another day.

A mail waits some minutes (RegisterSettings.mail_delay): whoever corrects himself meanwhile tells
nobody. Announced and excused ones, and who was late, are on the family's page alone.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.emails import compose
from accounts.enums import MailKind
from accounts.models import Mail
from families.models import Guardian
from teaching.enums import Presence
from teaching.lessons import Occurrence
from teaching.models import Absence
from teaching.register.selectors import settings_of

CORRECTED = "L'appel a été corrigé avant l'envoi."
CHANGED = "La séance a été annulée, déplacée ou rétablie avant l'envoi."
ABSENT, NOT_ABSENT = "absent", "present"  # in the key of a mail: what it says


def tell(
    lesson: Occurrence,
    absences: Iterable[Absence],
    *,
    move: str,
    became: Occurrence | None = None,
) -> None:
    """Of these absences, which have just begun or ceased to be ones, each with its student.

    In the caller's transaction. To every responsable with an address, of either household. `move`
    names what was done in the keys of the mails; `became` is the lesson once cancelled or moved.
    """
    absences = list(absences)
    if not absences:
        return
    guardians = _guardians_of(absences)
    former = _mails_of(absences)
    delay = dt.timedelta(minutes=settings_of(lesson.course.establishment).mail_delay)
    now = timezone.now()
    for absence in absences:
        told = _take_back(former[absence.pk], now, CHANGED if became else CORRECTED)
        is_one = absence.kind == Presence.ABSENT and not absence.register.void
        says = ABSENT if is_one else NOT_ABSENT
        for guardian in guardians[absence.enrolment.student_id]:
            if told.get(guardian.pk, NOT_ABSENT) == says:
                continue
            subject, body = _written(says, lesson, absence, guardian, became)
            mails.queue(
                MailKind.ABSENCE,
                key=f"{absence.pk}:{move}:{says}:{guardian.pk}",
                to=guardian.email,
                subject=subject,
                body=body,
                due_at=now + delay,
            )


def _guardians_of(absences):
    students = {absence.enrolment.student_id for absence in absences}
    found = defaultdict(list)
    guardians = Guardian.objects.exclude(email="").filter(family__custodies__student__in=students)
    for guardian in guardians.prefetch_related("family__custodies").order_by("pk"):
        for custody in guardian.family.custodies.all():
            if guardian not in found[custody.student_id]:
                found[custody.student_id].append(guardian)
    return found


def _mails_of(absences):
    """Those written of each before, the oldest first; locked, against the sender."""
    begins = {f"{MailKind.ABSENCE}:{absence.pk}:": absence.pk for absence in absences}
    any_of = Q(*[("key__startswith", key) for key in begins], _connector=Q.OR)
    found = defaultdict(list)
    for mail in Mail.objects.filter(any_of).select_for_update().order_by("pk"):
        found[int(mail.key.split(":")[1])].append(mail)
    return found


def _take_back(former, now, why):
    """What has not left does not leave; gives, by guardian, what he was told last."""
    told = {}
    for mail in former:
        _, _, _, says, guardian = mail.key.split(":")
        is_leaving = mail.taken_until is not None and mail.taken_until > now
        if mail.sent_at or is_leaving:
            told[int(guardian)] = says
        elif mail.attempts < mails.MAX_ATTEMPTS:
            mails.give_up(mail, why)
    return told


def _written(says, lesson, absence, guardian, became):
    student = absence.enrolment.student
    corrected = "absence_void" if absence.register.void else "absence_corrected"
    return compose(
        "absence" if says == ABSENT else corrected,
        {
            "became": became,
            "guardian": guardian,
            "student": student,
            "absence": absence,
            "lesson": lesson,
            "establishment": lesson.course.establishment,
            "url": settings.SITE_URL + reverse("teaching:absences", args=[student.pk]),
        },
    )
