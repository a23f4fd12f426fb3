"""« Rappel des pièces »: one reminder a day to each household that lacks a piece, at most.

`plan` writes whom to remind and when; `remind_next`, called between two mails by `manage.py
send_mails`, does one household in one short transaction. Whatever is killed, the rest is done at
the next call, and the unique (family, day) of the database forbids a second one.
"""

import datetime as dt
import logging
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts import mails
from accounts.dates import moment
from accounts.enums import MailKind
from accounts.models import User
from reenrolment import emails
from reenrolment.enums import ReminderOutcome
from reenrolment.lacking import lacking_households
from reenrolment.models import Campaign, PieceReminder, ReminderLine

logger = logging.getLogger(__name__)

BATCH = 500  # rows of one INSERT
FARTHEST = dt.timedelta(days=366)
MAIL_LIVES = dt.timedelta(days=5)  # the outbox tries for three days; with a margin
REPLACED = "Remplacé par un rappel plus récent."


@transaction.atomic
def plan(
    campaign: Campaign,
    families: Iterable[int],
    *,
    actor: User,
    word: str = "",
    planned_for: dt.datetime | None = None,
) -> PieceReminder:
    """A reminder to these households, by key; now, or at `planned_for`.

    Left out: those that lack nothing (any more), that no mail reaches, or that have a reminder on
    that day already. Raises ValidationError: `past`, `too_far`, `already` when a reminder of that
    day is all that is in the way, else `nobody`; and `max_length` for `word`.
    """
    # Two agents, or two clicks: the second one sees the lines of the first.
    campaign = (
        Campaign.objects.select_for_update(of=["self"], no_key=True)
        .select_related("establishment", "school_year")
        .get(pk=campaign.pk)
    )
    now = timezone.now()
    if planned_for is not None and planned_for <= now:
        raise ValidationError("Le moment choisi est passé.", code="past")
    if planned_for is not None and planned_for > now + FARTHEST:
        raise ValidationError("Choisissez un moment dans l'année qui vient.", code="too_far")
    reminder = PieceReminder(
        campaign=campaign, actor=actor, word=word.strip(), planned_for=planned_for or now
    )
    reminder.full_clean(exclude=["campaign", "actor"])
    wanted = set(families)
    lacking = [h.family.pk for h in lacking_households(campaign, wanted) if h.reached]
    taken = _reminded_on(timezone.localdate(reminder.planned_for))
    left = [pk for pk in lacking if pk not in taken]
    if not left and lacking:
        raise ValidationError(
            "Les foyers choisis ont déjà un rappel ce jour-là\u00a0: un foyer n'en reçoit qu'un"
            " par jour.",
            code="already",
        )
    if not left:
        raise ValidationError("Aucun des foyers choisis n'est à relancer.", code="nobody")
    reminder.save()
    ReminderLine.objects.bulk_create(
        [ReminderLine(reminder=reminder, family_id=pk) for pk in left], batch_size=BATCH
    )
    return reminder


@transaction.atomic
def cancel(reminder: PieceReminder, *, actor: User) -> None:
    """Raises ValidationError: `started`, or `cancelled` already."""
    reminder = PieceReminder.objects.select_for_update(of=["self"]).get(pk=reminder.pk)
    if reminder.cancelled_at:
        raise ValidationError("Ce rappel est déjà annulé.", code="cancelled")
    if reminder.started_at:
        raise ValidationError(
            f"Ce rappel est parti le {moment(reminder.started_at)}\u00a0: il ne s'annule plus.",
            code="started",
        )
    reminder.cancelled_at, reminder.cancelled_by = timezone.now(), actor
    reminder.save(update_fields=["cancelled_at", "cancelled_by"])


def remind_next() -> ReminderLine | None:
    """Writes the mails of one household; None when nothing is left to do. One query then.

    What it lacks is read anew: whoever has sent his pieces meanwhile gets nothing. Two workers
    take two lines.
    """
    under_way = PieceReminder.objects.filter(
        ended_at=None, cancelled_at=None, planned_for__lte=timezone.now()
    )
    if not under_way.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    _start(under_way)
    with transaction.atomic():
        to_do = ReminderLine.objects.filter(
            outcome=ReminderOutcome.TO_DO,
            reminder__started_at__isnull=False,
            reminder__ended_at=None,
        )
        line = to_do.select_for_update(skip_locked=True, of=["self"]).order_by("pk").first()
        if line:
            _do(line)
    _end(under_way)
    return line


def key_of(reminder_id: int, family_id: int) -> str:
    """What the keys of the mails of this household begin with, the responsable's own to follow."""
    return f"{reminder_id}:{family_id}"


def _start(under_way):
    with transaction.atomic():  # `cancel` holds the row, or finds it started
        due = under_way.filter(started_at=None).select_for_update(skip_locked=True)
        for reminder in due.order_by("pk"):
            reminder.started_at = timezone.now()
            reminder.save(update_fields=["started_at"])


def _end(under_way):
    """Those without a line to do; one that another worker holds is still to do."""
    left = ReminderLine.objects.filter(reminder=OuterRef("pk"), outcome=ReminderOutcome.TO_DO)
    done = under_way.filter(~Exists(left), started_at__isnull=False)
    done.update(ended_at=timezone.now())


def _do(line):
    try:
        with transaction.atomic():
            outcome, day = _remind(line)
            _note(line, outcome, day)
    except IntegrityError:  # the unique (family, day): another worker was faster
        today = line.family.reminder_lines.filter(day=timezone.localdate())
        outcome = ReminderOutcome.ALREADY if today.exists() else ReminderOutcome.FAILED
        _note(line, outcome)
    except (OperationalError, InterfaceError):  # not this line's fault: it is tried again
        raise
    except Exception:  # whatever is wrong with one household, the others must be told
        logger.exception("Reminder line %s could not be written", line.pk)
        _note(line, ReminderOutcome.FAILED)


def _remind(line):
    reminder = PieceReminder.objects.select_related(
        "campaign__establishment", "campaign__school_year"
    ).get(pk=line.reminder_id)
    campaign, today = reminder.campaign, timezone.localdate()
    household = next(iter(lacking_households(campaign, [line.family_id])), None)
    if household is None:
        return ReminderOutcome.COMPLETE, None
    if not household.reached:
        return ReminderOutcome.UNREACHABLE, None
    if household.last_reminder == today or not _clear(line, today):
        return ReminderOutcome.ALREADY, None
    key = key_of(reminder.pk, line.family_id)
    for guardian in household.reached:
        subject, body = emails.remind_pieces(campaign, household, guardian, reminder.word)
        mails.queue(
            MailKind.PIECE_REMINDER,
            key=f"{key}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
        )
    return ReminderOutcome.SENT, today


def _clear(line, today):
    """Gives up what an older reminder has not sent yet; False if one leaves today all the same.

    A mail server away since yesterday would else bring both today.
    """
    older = line.family.reminder_lines.filter(
        outcome=ReminderOutcome.SENT, day__gte=today - MAIL_LIVES
    )
    begins = [
        f"{MailKind.PIECE_REMINDER}:{key_of(key, line.family_id)}:"
        for key in older.values_list("reminder", flat=True)
    ]
    return mails.replace(begins, REPLACED)


def _reminded_on(day):
    """The households that have a reminder on this day, or are about to."""
    begins = timezone.make_aware(dt.datetime.combine(day, dt.time()))
    ends = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
    of_that_day = Q(reminder__planned_for__lt=ends)
    if day != timezone.localdate():  # what is late leaves today
        of_that_day &= Q(reminder__planned_for__gte=begins)
    about_to = ReminderLine.objects.filter(
        of_that_day,
        outcome=ReminderOutcome.TO_DO,
        reminder__ended_at=None,
        reminder__cancelled_at=None,
    )
    sent = ReminderLine.objects.filter(day=day)
    return {
        *sent.order_by().values_list("family", flat=True),
        *about_to.order_by().values_list("family", flat=True),
    }


def _note(line, outcome, day=None):
    line.outcome, line.day, line.done_at = outcome, day, timezone.now()
    line.save(update_fields=["outcome", "day", "done_at"])
