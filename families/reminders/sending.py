"""One reminder a day to each household that is chosen, at most.

`plan` writes whom to remind and when; `remind_next`, called between two mails by `manage.py
send_mails`, does one household in one short transaction. Whatever is killed, the rest is done at
the next call, and the unique (family, day) of the database forbids a second one.
"""

import datetime as dt
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Exists, Model, OuterRef, Q
from django.utils import timezone

from accounts import mails
from accounts.dates import moment
from accounts.models import User
from families.models import Family, Guardian
from families.reminders import outcomes
from families.reminders.models import Reminder, ReminderLine

logger = logging.getLogger(__name__)

BATCH = 500  # rows of one INSERT
FARTHEST = dt.timedelta(days=366)
MAIL_LIVES = dt.timedelta(days=5)  # the outbox tries for three days; with a margin
REPLACED = "Remplacé par un message plus récent."


class Household(Protocol):
    """What the steps ask of a household that owes something; each app's holds what it owes."""

    family: Family
    reached: list[Guardian]  # whom its mails go to
    last_reminder: dt.date | None  # in Paris


class Rules(ABC):
    """What one kind of reminder knows of its own. It reads, and writes nothing but in `note`."""

    reminders: type[Reminder]
    lines: type[ReminderLine]
    about: str  # the field of `reminders` that says of what: « campaign »
    related: list[str]  # read with a reminder

    @abstractmethod
    def locked(self, about: Model) -> Model:
        """What it is about, read anew and locked: of two agents, the second sees the first's."""

    @abstractmethod
    def households(self, about: Any, families: Collection[int]) -> Iterable[Household]:
        """Those of these families, by key, that owe something now."""

    @abstractmethod
    def hindrance(self, household: Household | None) -> str | None:
        """The outcome of one that is not to be reminded now; None is one that owes nothing more."""

    @abstractmethod
    def write(
        self, about: Any, household: Household, guardian: Guardian, word: str
    ) -> tuple[str, str]:
        """The subject and the body of one mail."""

    @abstractmethod
    def note(self, line: ReminderLine, household: Household, day: dt.date) -> None:
        """What is kept of a reminder that has just been written, besides its line."""


@transaction.atomic
def plan(
    rules: Rules,
    about: Model,
    families: Iterable[int],
    *,
    actor: User,
    word: str = "",
    planned_for: dt.datetime | None = None,
) -> Reminder:
    """A reminder to these households, by key; now, or at `planned_for`.

    Left out: those that owe nothing (any more), that are not to be reminded now, that no mail
    reaches, or that have a reminder on that day already. Raises ValidationError: `past`, `too_far`,
    `already` when a reminder of that day is all that is in the way, else `nobody`; and `max_length`
    for `word`.
    """
    about = rules.locked(about)
    now = timezone.now()
    if planned_for is not None and planned_for <= now:
        raise ValidationError("Le moment choisi est passé.", code="past")
    if planned_for is not None and planned_for > now + FARTHEST:
        raise ValidationError("Choisissez un moment dans l'année qui vient.", code="too_far")
    reminder = rules.reminders(
        **{rules.about: about}, actor=actor, word=word.strip(), planned_for=planned_for or now
    )
    reminder.full_clean(exclude=[rules.about, "actor"])
    found = rules.households(about, set(families))
    wanted = [each.family.pk for each in found if each.reached and not rules.hindrance(each)]
    taken = _reminded_on(rules, timezone.localdate(reminder.planned_for))
    left = [pk for pk in wanted if pk not in taken]
    if not left and wanted:
        raise ValidationError(
            "Les foyers choisis sont déjà relancés ce jour-là\u00a0: un foyer ne l'est qu'une fois"
            " par jour.",
            code="already",
        )
    if not left:
        raise ValidationError("Aucun des foyers choisis n'est à relancer.", code="nobody")
    reminder.save()
    rules.lines.objects.bulk_create(
        [rules.lines(reminder=reminder, family_id=pk) for pk in left], batch_size=BATCH
    )
    return reminder


@transaction.atomic
def cancel(reminder: Reminder, *, actor: User) -> None:
    """Raises ValidationError: `started`, or `cancelled` already."""
    reminder = type(reminder).objects.select_for_update(of=["self"]).get(pk=reminder.pk)
    if reminder.cancelled_at:
        raise ValidationError("Cet envoi est déjà annulé.", code="cancelled")
    if reminder.started_at:
        raise ValidationError(
            f"Cet envoi est parti le {moment(reminder.started_at)}\u00a0: il ne s'annule plus.",
            code="started",
        )
    reminder.cancelled_at, reminder.cancelled_by = timezone.now(), actor
    reminder.save(update_fields=["cancelled_at", "cancelled_by"])


def remind_next(rules: Rules) -> ReminderLine | None:
    """Writes the mails of one household; None when nothing is left to do. One query then.

    What it owes is read anew: whoever has settled it meanwhile gets nothing. Two workers take two
    lines.
    """
    under_way = rules.reminders.objects.filter(
        ended_at=None, cancelled_at=None, planned_for__lte=timezone.now()
    )
    if not under_way.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    _start(under_way)
    with transaction.atomic():
        to_do = rules.lines.objects.filter(
            outcome=outcomes.TO_DO, reminder__started_at__isnull=False, reminder__ended_at=None
        )
        line = to_do.select_for_update(skip_locked=True, of=["self"]).order_by("pk").first()
        if line:
            _do(rules, line)
    _end(rules, under_way)
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


def _end(rules, under_way):
    """Those without a line to do; one that another worker holds is still to do."""
    left = rules.lines.objects.filter(reminder=OuterRef("pk"), outcome=outcomes.TO_DO)
    done = under_way.filter(~Exists(left), started_at__isnull=False)
    done.update(ended_at=timezone.now())


def _do(rules, line):
    try:
        with transaction.atomic():
            outcome, day = _remind(rules, line)
            _note(line, outcome, day)
    except IntegrityError:  # the unique (family, day): another worker was faster
        today = _of_family(rules, line).filter(day=timezone.localdate())
        _note(line, outcomes.ALREADY if today.exists() else outcomes.FAILED)
    except (OperationalError, InterfaceError):  # not this line's fault: it is tried again
        raise
    except Exception:  # whatever is wrong with one household, the others must be told
        logger.exception("%s %s could not be written", type(line).__name__, line.pk)
        _note(line, outcomes.FAILED)


def _remind(rules, line):
    reminder = rules.reminders.objects.select_related(*rules.related).get(pk=line.reminder_id)
    about, today = getattr(reminder, rules.about), timezone.localdate()
    household = next(iter(rules.households(about, [line.family_id])), None)
    if hindrance := rules.hindrance(household):
        return hindrance, None
    if not household.reached:
        return outcomes.UNREACHABLE, None
    if household.last_reminder == today or not _clear(rules, line, today):
        return outcomes.ALREADY, None
    key = key_of(reminder.pk, line.family_id)
    for guardian in household.reached:
        subject, body = rules.write(about, household, guardian, reminder.word)
        mails.queue(
            reminder.mail_kind,
            key=f"{key}:{guardian.pk}",
            to=guardian.email,
            subject=subject,
            body=body,
        )
    rules.note(line, household, today)
    return outcomes.SENT, today


def _clear(rules, line, today):
    """Gives up what an older reminder has not sent yet; False if one leaves today all the same.

    A mail server away since yesterday would else bring both today.
    """
    older = _of_family(rules, line).filter(outcome=outcomes.SENT, day__gte=today - MAIL_LIVES)
    kind = rules.reminders.mail_kind
    begins = [
        f"{kind}:{key_of(key, line.family_id)}:"
        for key in older.order_by().values_list("reminder", flat=True)
    ]
    return mails.replace(begins, REPLACED)


def _of_family(rules, line):
    return rules.lines.objects.filter(family=line.family_id)


def _reminded_on(rules, day):
    """The households that have a reminder on this day, or are about to."""
    begins = timezone.make_aware(dt.datetime.combine(day, dt.time()))
    ends = timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
    of_that_day = Q(reminder__planned_for__lt=ends)
    if day != timezone.localdate():  # what is late leaves today
        of_that_day &= Q(reminder__planned_for__gte=begins)
    about_to = rules.lines.objects.filter(
        of_that_day,
        outcome=outcomes.TO_DO,
        reminder__ended_at=None,
        reminder__cancelled_at=None,
    )
    sent = rules.lines.objects.filter(day=day)
    return {
        *sent.order_by().values_list("family", flat=True),
        *about_to.order_by().values_list("family", flat=True),
    }


def _note(line, outcome, day=None):
    line.outcome, line.day, line.done_at = outcome, day, timezone.now()
    line.save(update_fields=["outcome", "day", "done_at"])
