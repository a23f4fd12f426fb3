"""What the class lists hold about a household's students: their portraits, the mails of hours."""

from accounts.enums import MailKind
from accounts.models import Mail
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from teaching.classes import portraits
from teaching.models import Portrait


class ClassesPart(Part):
    not_exported = {
        "teaching.Portrait": "une copie réduite de la photo d'identité, qui est dans la copie",
        "teaching.PortraitSource": "une liste publique",
    }
    mail_kinds = [MailKind.LESSON_TIME]

    def mails(self, person):
        """Their keys name the guardian: « genre:inscription:horaire:responsable »."""
        return Mail.objects.filter(person.ends(), kind__in=self.mail_kinds)

    def holdings(self, family):
        ours = Portrait.objects.filter(student__in=students_only_of(family))
        return [Holding("Portraits des listes de classe", ours.count(), Fate.ERASED)]

    def erase(self, family):
        portraits.let_go(*students_only_of(family))
