"""What « Ma semaine » says of the concerts."""

from django.urls import reverse
from django.utils import timezone

from accounts.dates import NBSP, day
from teaching.concerts.selectors import concerts_to_propose_for
from teaching.home.todo import Source, ToDo


class TurnsToPropose(Source):
    """The concerts that still wait for a first turn of his, in the last two weeks to do it."""

    def others(self, teacher, sites, now):
        return [
            ToDo(
                f"{concert.title}{NBSP}: proposer ses élèves jusqu'au"
                f" {day(concert.proposals_until)}",
                reverse("teacher:concert", args=[concert.pk]),
            )
            for concert in concerts_to_propose_for(teacher, sites, timezone.localdate(now))
        ]
