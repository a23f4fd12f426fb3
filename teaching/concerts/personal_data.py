"""What concerts hold about a household's students: what they played, once it was announced."""

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from students.repertoire import names_one_of
from teaching.concerts.programme import OWN_PIECE
from teaching.enums import ConcertState
from teaching.models import Concert, ConcertPerformer, ConcertTurn

EXPORTED = {
    Concert: ["title", "starts_at", "place", "state", "cancel_reason"],
    ConcertTurn: ["composer", "title", "movement", "minutes"],
    ConcertPerformer: ["enrolment", "told_at"],
}
NESTED = "dit où la ligne est rangée"


class ConcertsPart(Part):
    exported = EXPORTED
    not_exported = {
        **{
            f"teaching.Concert.{name}": "l'organisation de l'établissement"
            for name in ("establishment", "school_year", "proposals_until", "revision")
        },
        "teaching.Concert.published_at": "l'organisation de l'établissement",
        "teaching.Concert.recorded_at": "l'organisation de l'établissement",
        "teaching.ConcertTurn.concert": NESTED,
        "teaching.ConcertTurn.position": "sert à trier",
        "teaching.ConcertTurn.accompanist": "une autre personne",
        "teaching.ConcertTurn.proposed_by": "une autre personne",
        "teaching.ConcertTurn.sending": "évite d'inscrire deux fois le même envoi",
        "teaching.ConcertTurn.edition": "sert à comparer deux saisies",
        "teaching.ConcertPerformer.turn": NESTED,
        "teaching.ConcertMove": "le travail de l'administration",
    }
    sections = {"auditions": "ce qu'ils ont joué en public, une fois annoncé"}
    mail_kinds = [MailKind.CONCERT]

    def export(self, copy):
        performers = (
            _of(copy.family.students.all())
            .exclude(turn__concert__state=ConcertState.DRAFT)
            .select_related("turn__concert", "enrolment__student", "enrolment__course")
            .order_by("turn__concert__starts_at", "turn__position", "pk")
        )
        return {
            "auditions": [
                {
                    **record(performer.turn.concert, EXPORTED[Concert]),
                    "passage": record(performer.turn, EXPORTED[ConcertTurn]),
                    **record(performer, EXPORTED[ConcertPerformer]),
                }
                for performer in performers
            ]
        }

    def mails(self, person):
        return Mail.objects.filter(person.ends(), kind=MailKind.CONCERT)

    def holdings(self, family):
        return [
            Holding(
                "Passages aux auditions",
                _of(students_only_of(family)).count(),
                Fate.ERASED,
                "Les programmes gardent les œuvres jouées, sans dire par qui.",
            )
        ]

    def erase(self, family):
        """What one of them composed and played no longer says who did."""
        _forget_composers(family)
        performers = _of(students_only_of(family))
        forget_in_admin_log(ConcertPerformer, list(performers.values_list("pk", flat=True)))
        performers.delete()


def _forget_composers(family):
    for student in students_only_of(family):
        turns = ConcertTurn.objects.filter(performers__enrolment__student=student).distinct()
        for turn in turns:
            if names_one_of([student], turn.composer, turn.title, turn.movement):
                turn.composer, turn.title, turn.movement = "Élève", OWN_PIECE, ""
                turn.save(update_fields=["composer", "title", "movement"])


def _of(students):
    return ConcertPerformer.objects.filter(enrolment__student__in=students)
