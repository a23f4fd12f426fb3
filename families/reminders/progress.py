"""What became of reminders: the list, the figures, household by household."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts import mails
from accounts.models import Mail
from families.reminders import outcomes
from families.reminders.models import Reminder, ReminderLine


@dataclass(frozen=True)
class Progress:
    """How many households, by outcome (each with its words), and how many mails."""

    counts: dict[str, int]
    words: dict[str, str]
    mails: int
    sent: int
    failing: int  # met a refusal: given up, or tried again

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        return self.mails - self.sent - self.failing

    @property
    def figures(self) -> list[tuple[str, int]]:
        """Those that are not nil, and how many were reminded in any case."""
        return [
            (self.words[outcome], number)
            for outcome, number in self.counts.items()
            if number or outcome == outcomes.SENT
        ]


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


def for_list(reminders: QuerySet[Reminder]) -> QuerySet[Reminder]:
    """The newest first, each with `households` and `reminded`."""
    sent = Q(lines__outcome=outcomes.SENT)
    reminders = reminders.select_related("actor", "cancelled_by").annotate(
        households=Count("lines"), reminded=Count("lines", filter=sent)
    )
    return reminders.order_by("-planned_for", "-pk")  # which a count makes Django forget


def progress_of(reminder: Reminder) -> Progress:
    """Two queries."""
    counted = reminder.lines.order_by().values("outcome").annotate(number=Count("pk"))
    numbers = dict(counted.values_list("outcome", "number"))
    failing = Q(sent_at=None) & ~Q(last_error="")
    written = _mails(reminder).aggregate(
        mails=Count("pk"),
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        failing=Count("pk", filter=failing),
    )
    words = dict(reminder.lines.model._meta.get_field("outcome").choices)
    return Progress({each: numbers.get(each, 0) for each in words}, words, **written)


def sendings_of(
    reminder: Reminder, lines: Iterable[ReminderLine]
) -> list[tuple[ReminderLine, list[Sending]]]:
    """Each line with its mails. One query."""
    lines = list(lines)
    wanted = {line.family_id for line in lines if line.outcome == outcomes.SENT}
    by_family = defaultdict(list)
    for mail in _mails(reminder).order_by("pk").defer("body") if wanted else []:
        by_family[int(mail.key.split(":")[2])].append(Sending(mail))
    return [(line, by_family[line.family_id]) for line in lines]


def _mails(reminder):
    return Mail.objects.filter(key__startswith=f"{reminder.mail_kind}:{reminder.pk}:")
