"""Yesterday evening, the secretariat reminded the families that had begun without their pieces."""

from accounts.models import User
from imuse.demo.clock import Clock
from imuse.demo.town import Town
from reenrolment.lacking import lacking_households
from reenrolment.services import reminders

WORD = "L'avis d'imposition de l'année dernière suffit tant que le nouveau n'est pas arrivé."


def remind(town: Town, clock: Clock, secretary: User) -> None:
    """Those who can send their pieces themselves; their mails are in the outbox."""
    with clock.at(clock.moment(-1, 22)):
        households = [h for h in lacking_households(town.campaign) if h.sends_itself]
        keys = [household.family.pk for household in households]
        reminders.plan(town.campaign, keys, actor=secretary, word=WORD)
        while reminders.remind_next():
            pass
