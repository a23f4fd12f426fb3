"""What becomes of the messages of a responsable absorbed by his double."""

from django.db.models import OuterRef, Subquery

from accounts import mails
from accounts.models import Mail
from families.absorbing import Follower, Line
from teaching.models import AnnouncementRecipient, NewsRefusal

GIVEN_UP = "Fiche du responsable fusionnée avec son double."


class Announcements(Follower):
    """They follow; of one message that both have, the kept one's stays, read if either read it.

    A refusal of mails holds for both: nobody gets by a merge what he did not want.
    """

    relations = [
        "teaching.AnnouncementRecipient.guardian",
        "teaching.NewsRefusal.guardian",
    ]

    def lines(self, kept, absorbed):
        if NewsRefusal.objects.filter(guardian=absorbed).exists():
            return [Line("Le refus des e-mails de la vie du conservatoire est gardé.")]
        return []

    def absorb(self, kept, absorbed):
        theirs = AnnouncementRecipient.objects.filter(guardian=absorbed)
        ours = AnnouncementRecipient.objects.filter(guardian=kept)
        both = theirs.filter(announcement__in=ours.values("announcement"))
        read = both.filter(announcement=OuterRef("announcement"), read_at__isnull=False)
        ours.filter(read_at=None, announcement__in=both.values("announcement")).update(
            read_at=Subquery(read.values("read_at")[:1])
        )
        doubled = list(both.exclude(mail=None).values_list("mail", flat=True))
        both.delete()
        mails.give_up_all(Mail.objects.filter(pk__in=doubled), GIVEN_UP)
        theirs.update(guardian=kept)
        if NewsRefusal.objects.filter(guardian=kept).exists():
            NewsRefusal.objects.filter(guardian=absorbed).delete()
        else:
            NewsRefusal.objects.filter(guardian=absorbed).update(guardian=kept)
