"""The queue's work: a batch of households at a time gets an announcement, and its mails.

Each batch is one transaction: its recipients, their mails, and how far the announcement has come
(`cursor`). Whatever is killed, the next worker goes on from there; of two, one waits its turn.
"""

import datetime as dt
import logging

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from families.models import Guardian
from teaching.announcements import emails
from teaching.announcements.aiming import families_of, teachers_of
from teaching.announcements.moves import move
from teaching.enums import AnnouncementState, Delivery
from teaching.models import Announcement, AnnouncementRecipient, NewsRefusal

logger = logging.getLogger(__name__)

AT_ONCE = 100  # households of one transaction


def send_next(now: dt.datetime | None = None) -> Announcement | None:
    """Sends one batch of the oldest that is due; None when there is nothing to do. One query then.

    Run by `send_mails` between two mails.
    """
    now = now or timezone.now()
    due = Announcement.objects.filter(
        Q(state=AnnouncementState.PLANNED, planned_for__lte=now)
        | Q(state=AnnouncementState.SENDING)
    )
    if not due.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True, of=["self"], no_key=True)
        announcement = (
            free.select_related("establishment", "school_year").order_by("planned_for", "pk")
        ).first()
        if announcement is not None:
            _go_on(announcement, now)
    return announcement


def _go_on(announcement, now):
    if announcement.is_planned:
        move(announcement, AnnouncementState.SENDING, actor=None, sent_at=now)
        _tell_teachers(announcement)
    households = families_of(announcement).filter(pk__gt=announcement.cursor)
    keys = list(households.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        _tell_or_note(announcement, keys)
        announcement.cursor = keys[-1]
        announcement.save(update_fields=["cursor"])
    else:
        move(announcement, AnnouncementState.SENT, actor=None, ended_at=now)


def _tell_or_note(announcement, families):
    """All the households of the batch at once; if one of them cannot be, one by one."""
    try:
        with transaction.atomic():
            _tell(announcement, families)
    except (OperationalError, InterfaceError):  # nobody's fault: the batch is tried again
        raise
    except Exception:
        if len(families) > 1:
            for family in families:
                _tell_or_note(announcement, [family])
            return
        logger.exception("The household %s could not be told", families[0])
        _keep(
            AnnouncementRecipient(
                announcement=announcement, guardian=guardian, delivery=Delivery.FAILED
            )
            for guardian in _guardians(families)
        )


def _tell(announcement, families):
    guardians = _guardians(families)
    refusing = _refusing(announcement, guardians)
    files = list(announcement.files.all())
    written, ways_out, recipients = [], {}, []
    for guardian in guardians:
        recipient = AnnouncementRecipient(announcement=announcement, guardian=guardian)
        if not guardian.email:
            recipient.delivery = Delivery.NO_ADDRESS
        elif guardian.pk in refusing:
            recipient.delivery = Delivery.REFUSED
        else:
            recipient.delivery = Delivery.MAILED
            key = f"{announcement.pk}:{guardian.pk}"
            subject, body, ways_out[key] = emails.to_guardian(announcement, files, guardian)
            written.append((key, guardian.email, subject, body))
        recipients.append(recipient)
    _write(announcement, recipients, written, ways_out)


def _tell_teachers(announcement):
    files = list(announcement.files.all())
    written, recipients = [], []
    for teacher in teachers_of(announcement).select_related("user").order_by("pk"):
        recipient = AnnouncementRecipient(
            announcement=announcement, teacher=teacher, delivery=Delivery.NO_ADDRESS
        )
        if teacher.user.email:
            recipient.delivery = Delivery.MAILED
            subject, body = emails.to_teacher(announcement, files, teacher)
            key = f"{announcement.pk}:enseignant-{teacher.pk}"
            written.append((key, teacher.user.email, subject, body))
        recipients.append(recipient)
    _write(announcement, recipients, written, {})


def _write(announcement, recipients, written, ways_out):
    kind = MailKind.ANNOUNCEMENT
    mails.queue_many(kind, written, ways_out=ways_out)
    found = Mail.objects.in_bulk([f"{kind}:{key}" for key, *_ in written], field_name="key")
    for recipient in recipients:
        if recipient.delivery == Delivery.MAILED:
            whose = recipient.guardian_id or f"enseignant-{recipient.teacher_id}"
            recipient.mail = found[f"{kind}:{announcement.pk}:{whose}"]
    _keep(recipients)


def _keep(recipients):
    # Somebody may have moved to a household that comes later: he has it already.
    AnnouncementRecipient.objects.bulk_create(list(recipients), ignore_conflicts=True)


def _guardians(families):
    """Locked: one whose household is being erased is not written to after it."""
    guardians = Guardian.objects.filter(family__in=families).order_by("pk")
    return list(guardians.select_for_update(no_key=True))


def _refusing(announcement, guardians):
    if not announcement.may_be_refused:
        return set()
    refusals = NewsRefusal.objects.filter(guardian__in=[guardian.pk for guardian in guardians])
    return set(refusals.values_list("guardian", flat=True))
