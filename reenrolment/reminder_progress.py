"""What became of the reminders of a campaign: the list, the figures, household by household."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from reenrolment.enums import ReminderOutcome
from reenrolment.models import Campaign, PieceReminder, ReminderLine


@dataclass(frozen=True)
class Progress:
    """How many households, by outcome, and how many mails."""

    total: int
    counts: dict[ReminderOutcome, int]
    mails: int
    sent: int
    failing: int  # met a refusal: given up, or tried again

    @property
    def waiting(self) -> int:
        return self.mails - self.sent - self.failing


@dataclass(frozen=True)
class Sending:
    """One mail of a household, as the agent reads it."""

    mail: Mail

    @property
    def problem(self) -> str:
        if self.mail.sent_at or not self.mail.last_error:
            return ""
        given_up = self.mail.attempts >= mails.MAX_ATTEMPTS
        return f"{'Abandonné' if given_up else 'Nouvel essai prévu'}\u00a0: {self.mail.last_error}"


def reminders_of(campaign: Campaign) -> QuerySet[PieceReminder]:
    """The newest first, each with `households` and `reminded`."""
    sent = Q(lines__outcome=ReminderOutcome.SENT)
    reminders = campaign.piece_reminders.select_related("actor", "cancelled_by").annotate(
        households=Count("lines"), reminded=Count("lines", filter=sent)
    )
    return reminders.order_by("-planned_for", "-pk")  # which a count makes Django forget


def state_of(reminder: PieceReminder) -> str:
    if reminder.cancelled_at:
        return "annulé"
    if reminder.ended_at:
        return "fini"
    return "en cours" if reminder.started_at else "prévu"


def progress_of(reminder: PieceReminder) -> Progress:
    """Two queries."""
    counted = reminder.lines.order_by().values("outcome").annotate(number=Count("pk"))
    numbers = dict(counted.values_list("outcome", "number"))
    failing = Q(sent_at=None) & ~Q(last_error="")
    written = _mails(reminder).aggregate(
        mails=Count("pk"),
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        failing=Count("pk", filter=failing),
    )
    counts = {outcome: numbers.get(outcome, 0) for outcome in ReminderOutcome}
    return Progress(sum(numbers.values()), counts, **written)


def sendings_of(
    reminder: PieceReminder, lines: Iterable[ReminderLine]
) -> list[tuple[ReminderLine, list[Sending]]]:
    """Each line with its mails. One query."""
    lines = list(lines)
    wanted = {line.family_id for line in lines if line.outcome == ReminderOutcome.SENT}
    by_family = defaultdict(list)
    for mail in _mails(reminder).order_by("pk").defer("body") if wanted else []:
        by_family[int(mail.key.split(":")[2])].append(Sending(mail))
    return [(line, by_family[line.family_id]) for line in lines]


def _mails(reminder):
    return Mail.objects.filter(key__startswith=f"{MailKind.PIECE_REMINDER}:{reminder.pk}:")
