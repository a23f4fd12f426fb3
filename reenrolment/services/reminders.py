"""« Rappel des pièces »: what families.reminders asks about the pieces of a campaign."""

import datetime as dt
from collections.abc import Iterable

from accounts.models import User
from families.reminders import sending
from families.reminders.sending import cancel
from reenrolment import emails
from reenrolment.enums import ReminderOutcome
from reenrolment.lacking import lacking_households
from reenrolment.models import Campaign, PieceReminder, ReminderLine

__all__ = ["cancel", "plan", "remind_next"]


class PieceRules(sending.Rules):
    reminders, lines = PieceReminder, ReminderLine
    about = "campaign"
    related = ["campaign__establishment", "campaign__school_year"]

    def locked(self, campaign):
        campaigns = Campaign.objects.select_for_update(of=["self"], no_key=True)
        return campaigns.select_related("establishment", "school_year").get(pk=campaign.pk)

    def households(self, campaign, families):
        return lacking_households(campaign, families)

    def hindrance(self, household):
        return ReminderOutcome.COMPLETE if household is None else None

    def write(self, campaign, household, guardian, word):
        return emails.remind_pieces(campaign, household, guardian, word)

    def note(self, line, household, day):
        pass  # the mail says it all


RULES = PieceRules()


def plan(
    campaign: Campaign,
    families: Iterable[int],
    *,
    actor: User,
    word: str = "",
    planned_for: dt.datetime | None = None,
) -> PieceReminder:
    """A reminder to the households, by key, that lack a piece: see `sending.plan`."""
    return sending.plan(RULES, campaign, families, actor=actor, word=word, planned_for=planned_for)


def remind_next() -> ReminderLine | None:
    """See `sending.remind_next`; called by the queue (settings.BETWEEN_MAILS)."""
    return sending.remind_next(RULES)
