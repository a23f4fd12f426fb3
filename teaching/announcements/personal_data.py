"""What announcements hold about a household: what it received and read, and its choice of mails."""

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from teaching.models import Announcement, AnnouncementRecipient, NewsRefusal

EXPORTED = {
    Announcement: ["establishment", "kind", "signed", "addressed_to", "subject", "text", "sent_at"],
    AnnouncementRecipient: ["delivery", "read_at"],
    NewsRefusal: ["at"],
}
WORK = "le travail de l'expéditeur"
AIMS = "dit à qui le message va"
NESTED = "dit où la ligne est rangée"


class AnnouncementsPart(Part):
    exported = EXPORTED
    not_exported = {
        **{
            f"teaching.Announcement.{name}": WORK
            for name in (
                *["key", "school_year", "author", "teacher", "state", "edition", "created_at"],
                *["planned_for", "ended_at", "cursor", "purged_at"],
            )
        },
        **{
            f"teaching.Announcement.{name}": AIMS
            for name in (
                *["everyone", "courses", "slots", "classes_of", "disciplines", "cycles"],
                "to_teachers",
            )
        },
        "teaching.AnnouncementFile": "le conservatoire l'a joint, il ne parle pas du foyer",
        "teaching.AnnouncementMove": "le travail de l'enseignant et de l'administration",
        "teaching.AnnouncementRecipient.announcement": NESTED,
        "teaching.AnnouncementRecipient.guardian": NESTED,
        "teaching.AnnouncementRecipient.teacher": "un enseignant",
        "teaching.AnnouncementRecipient.mail": "il est parmi vos messages",
        "teaching.NewsRefusal.guardian": NESTED,
    }
    sections = {
        "messages du conservatoire": "ceux que vous avez reçus, et quand vous les avez lus",
        "refus des e-mails de la vie du conservatoire": "quand vous avez fait ce choix",
    }
    mail_kinds = [MailKind.ANNOUNCEMENT]

    def export(self, copy):
        """Of whoever asked: what another responsable read is his own."""
        rows = AnnouncementRecipient.objects.visible_to(copy.user).newest_first()
        refusals = NewsRefusal.objects.visible_to(copy.user)
        return {
            "messages du conservatoire": [
                {
                    **record(row.announcement, EXPORTED[Announcement]),
                    **record(row, EXPORTED[AnnouncementRecipient]),
                }
                for row in rows.select_related("announcement__establishment")
            ],
            "refus des e-mails de la vie du conservatoire": [
                record(row, EXPORTED[NewsRefusal]) for row in refusals
            ],
        }

    def mails(self, person):
        return Mail.objects.filter(person.ends(), kind=MailKind.ANNOUNCEMENT)

    def holdings(self, family):
        return [
            Holding("Messages reçus, et lus ou non", _received(family).count(), Fate.ERASED),
            Holding("Choix des e-mails reçus", _refusals(family).count(), Fate.ERASED),
        ]

    def erase(self, family):
        _received(family).delete()
        _refusals(family).delete()


def _received(family):
    return AnnouncementRecipient.objects.filter(guardian__family=family)


def _refusals(family):
    return NewsRefusal.objects.filter(guardian__family=family)
