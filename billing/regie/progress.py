"""What became of a reminder of payment: the figures, household by household."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.enums import MailKind
from accounts.models import Establishment, Mail
from billing.enums import PaymentReminderOutcome as Outcome
from billing.models import PaymentReminder, PaymentReminderLine


@dataclass(frozen=True)
class Progress:
    """How many households, by outcome, and how many mails."""

    counts: dict[Outcome, int]
    mails: int
    sent: int
    failing: int  # met a refusal: given up, or tried again

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def reminders_of(establishment: Establishment) -> QuerySet[PaymentReminder]:
    """The newest first, each with `households` and `reminded`."""
    reminders = establishment.payment_reminders.select_related("actor").annotate(
        households=Count("lines"), reminded=Count("lines", filter=Q(lines__outcome=Outcome.SENT))
    )
    return reminders.order_by("-pk")  # which a count makes Django forget


def progress_of(reminder: PaymentReminder) -> Progress:
    """Two queries."""
    counted = reminder.lines.order_by().values_list("outcome").annotate(number=Count("pk"))
    numbers = dict(counted)
    written = _mails(reminder).aggregate(
        mails=Count("pk"),
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        failing=Count("pk", filter=Q(sent_at=None) & ~Q(last_error="")),
    )
    return Progress({outcome: numbers.get(outcome, 0) for outcome in Outcome}, **written)


def mails_of(
    reminder: PaymentReminder, lines: Iterable[PaymentReminderLine]
) -> list[tuple[PaymentReminderLine, list[Mail]]]:
    """Each line with its mails. One query."""
    by_family = defaultdict(list)
    for mail in _mails(reminder).order_by("pk").defer("body"):
        by_family[int(mail.key.split(":")[2])].append(mail)
    return [(line, by_family[line.family_id]) for line in lines]


def _mails(reminder):
    return Mail.objects.filter(key__startswith=f"{MailKind.PAYMENT_REMINDER}:{reminder.pk}:")
