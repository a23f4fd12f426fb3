"""« Relances »: what families.reminders asks about overdue invoices."""

import datetime as dt
from collections.abc import Iterable

from accounts.models import Establishment, User
from billing.emails import remind_payment
from billing.enums import PaymentReminderOutcome as Outcome
from billing.models import PaymentReminder, PaymentReminderLine, RemindedInvoice
from billing.regie.overdue import overdue_households
from families.reminders import sending
from families.reminders.sending import cancel

__all__ = ["cancel", "plan", "remind_next"]


class PaymentRules(sending.Rules):
    """A household is not reminded of less than `RegieSettings.claim_minimum`, nor while it pays."""

    reminders, lines = PaymentReminder, PaymentReminderLine
    about = "establishment"
    related = ["establishment"]

    def locked(self, establishment):
        return Establishment.objects.select_for_update(no_key=True).get(pk=establishment.pk)

    def households(self, establishment, families):
        return overdue_households(establishment, families)

    def hindrance(self, household):
        if household is None or not household.is_worth_it:
            return Outcome.SETTLED
        return Outcome.PAYING if household.paying else None

    def write(self, establishment, household, guardian, word):
        return remind_payment(establishment, household, guardian, word)

    def note(self, line, household, day):
        RemindedInvoice.objects.bulk_create(
            RemindedInvoice(
                line=line,
                invoice=each.invoice,
                level=each.next_level,
                overdue=each.amount,
                day=day,
            )
            for each in household.invoices
        )


RULES = PaymentRules()


def plan(
    establishment: Establishment,
    families: Iterable[int],
    *,
    actor: User,
    word: str = "",
    planned_for: dt.datetime | None = None,
) -> PaymentReminder:
    """A reminder to the households, by key, that are late there: see `sending.plan`."""
    return sending.plan(
        RULES, establishment, families, actor=actor, word=word, planned_for=planned_for
    )


def remind_next() -> PaymentReminderLine | None:
    """See `sending.remind_next`; called by the queue (settings.BETWEEN_MAILS)."""
    return sending.remind_next(RULES)
