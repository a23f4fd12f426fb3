"""« Relances »: one mail a day to each household that is late, at most.

`plan` writes whom to remind; `remind_next`, called between two mails by `manage.py send_mails`,
does one household in one short transaction. Whatever is killed, the rest is done at the next call,
and the unique (family, day) of the database forbids a second one.
"""

import datetime as dt
import logging
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Establishment, User
from billing.emails import remind_payment
from billing.enums import PaymentReminderOutcome as Outcome
from billing.models import PaymentReminder, PaymentReminderLine, RemindedInvoice
from billing.regie.overdue import overdue_households

logger = logging.getLogger(__name__)

BATCH = 500  # rows of one INSERT
MAIL_LIVES = dt.timedelta(days=5)  # the outbox tries for three days; with a margin
REPLACED = "Remplacé par une relance plus récente."


@transaction.atomic
def plan(
    establishment: Establishment, families: Iterable[int], *, actor: User, word: str = ""
) -> PaymentReminder:
    """A reminder to these households, by key.

    Left out: those that owe nothing late (any more), or less than `RegieSettings.claim_minimum`,
    that are paying online, that no mail reaches, or that have a reminder today already. Raises
    ValidationError: `already` when that is all that is in the way, else `nobody`; and `max_length`
    for `word`.
    """
    # Two agents, or two clicks: the second one sees the lines of the first.
    establishment = Establishment.objects.select_for_update(no_key=True).get(pk=establishment.pk)
    reminder = PaymentReminder(establishment=establishment, actor=actor, word=word.strip())
    reminder.full_clean(exclude=["establishment", "actor"])
    found = overdue_households(establishment, set(families))
    late = [
        each.family.pk for each in found if each.reached and each.is_worth_it and not each.paying
    ]
    taken = _reminded_today(late)
    left = [pk for pk in late if pk not in taken]
    if not left and late:
        raise ValidationError(
            "Les foyers choisis ont déjà une relance aujourd'hui\u00a0: un foyer n'en reçoit qu'une"
            " par jour.",
            code="already",
        )
    if not left:
        raise ValidationError("Aucun des foyers choisis n'est à relancer.", code="nobody")
    reminder.save()
    PaymentReminderLine.objects.bulk_create(
        [PaymentReminderLine(reminder=reminder, family_id=pk) for pk in left], batch_size=BATCH
    )
    return reminder


def remind_next() -> PaymentReminderLine | None:
    """Writes the mails of one household; None when nothing is left to do. One query then.

    What it owes is read anew: whoever has paid meanwhile gets nothing. Two workers take two lines.
    """
    under_way = PaymentReminder.objects.filter(ended_at=None)
    if not under_way.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    with transaction.atomic():
        to_do = PaymentReminderLine.objects.filter(outcome=Outcome.TO_DO)
        line = to_do.select_for_update(skip_locked=True, of=["self"]).order_by("pk").first()
        if line:
            _do(line)
    _end(under_way)
    return line


def key_of(reminder_id: int, family_id: int) -> str:
    """What the keys of the mails of this household begin with, the responsable's own to follow."""
    return f"{reminder_id}:{family_id}"


def _end(under_way):
    """Those without a line to do; one that another worker holds is still to do."""
    left = PaymentReminderLine.objects.filter(reminder=OuterRef("pk"), outcome=Outcome.TO_DO)
    under_way.filter(~Exists(left)).update(ended_at=timezone.now())


def _do(line):
    try:
        with transaction.atomic():
            outcome, day = _remind(line)
            _note(line, outcome, day)
    except IntegrityError:  # the unique (family, day): another worker was faster
        today = line.family.payment_reminder_lines.filter(day=timezone.localdate())
        _note(line, Outcome.ALREADY if today.exists() else Outcome.FAILED)
    except (OperationalError, InterfaceError):  # not this line's fault: it is tried again
        raise
    except Exception:  # whatever is wrong with one household, the others must be told
        logger.exception("Payment reminder line %s could not be written", line.pk)
        _note(line, Outcome.FAILED)


def _remind(line):
    reminder = PaymentReminder.objects.select_related("establishment").get(pk=line.reminder_id)
    today = timezone.localdate()
    household = next(iter(overdue_households(reminder.establishment, [line.family_id])), None)
    if household is None or not household.is_worth_it:
        return Outcome.SETTLED, None
    if household.paying:
        return Outcome.PAYING, None
    if not household.reached:
        return Outcome.UNREACHABLE, None
    if household.last_reminder == today or not _clear(line, today):
        return Outcome.ALREADY, None
    key = key_of(reminder.pk, line.family_id)
    for guardian in household.reached:
        subject, body = remind_payment(reminder.establishment, household, guardian, reminder.word)
        mails.queue(
            MailKind.PAYMENT_REMINDER,
            key=f"{key}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
        )
    RemindedInvoice.objects.bulk_create(
        RemindedInvoice(
            line=line,
            invoice=each.invoice,
            level=each.next_level,
            overdue=each.amount,
            day=today,
        )
        for each in household.invoices
    )
    return Outcome.SENT, today


def _clear(line, today):
    """Gives up what an older reminder has not sent yet; False if one leaves today all the same."""
    older = line.family.payment_reminder_lines.filter(
        outcome=Outcome.SENT, day__gte=today - MAIL_LIVES
    )
    begins = [
        f"{MailKind.PAYMENT_REMINDER}:{key_of(key, line.family_id)}:"
        for key in older.values_list("reminder", flat=True)
    ]
    return mails.replace(begins, REPLACED)


def _reminded_today(families):
    """Those of the households that have a reminder today, or are about to."""
    lines = PaymentReminderLine.objects.filter(family__in=families).order_by()
    sent = lines.filter(day=timezone.localdate())
    about_to = lines.filter(outcome=Outcome.TO_DO)
    return {*sent.values_list("family", flat=True), *about_to.values_list("family", flat=True)}


def _note(line, outcome, day=None):
    line.outcome, line.day, line.done_at = outcome, day, timezone.now()
    line.save(update_fields=["outcome", "day", "done_at"])
