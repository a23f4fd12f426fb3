"""What becomes of the campaigns' rows of a household, or a responsable, absorbed by its double."""

from django.db.models import Exists, OuterRef

from accounts import mails
from families.absorbing import Follower, Line
from reenrolment.models import (
    AssistedSession,
    LaunchMail,
    LaunchResend,
    ReminderLine,
    RequestedPiece,
)

GIVEN_UP = "Fiche du responsable fusionnée avec son double."


class Households(Follower):
    """Pieces asked for again, sessions at the counter, resends, reminders: all follow.

    A piece asked from both by one demand (they were once two households) is asked once; of two
    reminders on one day, or two lines of one reminder, the kept household's stays.
    """

    relations = [
        "reenrolment.AssistedSession.family",
        "reenrolment.RequestedPiece.family",
        "reenrolment.LaunchResend.family",
        "reenrolment.ReminderLine.family",
    ]

    def absorb(self, kept, absorbed):
        same = RequestedPiece.objects.filter(
            family=kept,
            transition=OuterRef("transition"),
            document_type=OuterRef("document_type"),
        )
        RequestedPiece.objects.filter(Exists(same), family=absorbed).delete()
        ReminderLine.objects.filter(_reminded_twice(kept), family=absorbed).delete()
        for model in (RequestedPiece, AssistedSession, LaunchResend, ReminderLine):
            model.objects.filter(family=absorbed).update(family=kept)


def _reminded_twice(kept):
    theirs = ReminderLine.objects.filter(family=kept)
    same_day = theirs.filter(day=OuterRef("day"))
    same_reminder = theirs.filter(reminder=OuterRef("reminder"))
    return Exists(same_day) | Exists(same_reminder)


class LaunchMails(Follower):
    """One line per launch and responsable: the double's goes where the kept one has its own."""

    relations = ["reenrolment.LaunchMail.guardian"]

    def lock(self, keys):
        """The sender takes a line, then its responsable (services.launches)."""
        list(LaunchMail.objects.filter(guardian__in=keys).order_by("pk").select_for_update())

    def lines(self, kept, absorbed):
        return [
            Line("Un message de lancement du doublon n'est pas encore parti\u00a0: il est annulé.")
            for row in _told_twice(kept, absorbed)
            if row.mail and row.mail.sent_at is None
        ]

    def absorb(self, kept, absorbed):
        for row in _told_twice(kept, absorbed):
            if row.mail:
                mails.give_up(row.mail, GIVEN_UP)
            row.delete()
        absorbed.launch_mails.update(guardian=kept)


def _told_twice(kept, absorbed):
    launches = kept.launch_mails.values("launch")
    return absorbed.launch_mails.filter(launch__in=launches).select_related("mail")
