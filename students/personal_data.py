"""What this app holds about a household's students: the copy of « Mes données », the erasure."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Prefetch
from django.utils import timezone

from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from families.models import Family
from students import waiting_moves
from students.enums import WaitingState
from students.models import (
    ClassChange,
    Custody,
    Enrolment,
    Hold,
    RepertoirePiece,
    Student,
    Teacher,
    WaitingEntry,
    WaitingMove,
)

EXPORTED = {
    Student: [
        *["last_name", "first_name", "reference", "birth_date"],
        *["email", "phone", "school", "school_class"],
    ],
    Custody: ["rank", "image_consent_at"],
    Enrolment: [
        *["course", "place", "status", "cycle", "cycle_year", "next_course"],
        *["starts_on", "ends_on"],
    ],
    ClassChange: ["at", "kind", "slot"],
    WaitingEntry: ["course", "slot", "preference", "since", "draw", "state"],
    WaitingMove: ["at", "actor", "to_state", "slot", "rank", "waiting", "reason"],
    RepertoirePiece: [
        *["school_year", "course", "composer", "title", "movement", "occasion", "played_on"],
        "teacher",
    ],
}
NESTED = "dit où la ligne est rangée"
NO_BIRTH_DATE = dt.date(1900, 1, 1)  # the column is not nullable, and a year would say too much


class StudentsPart(Part):
    exported = EXPORTED
    not_exported = {
        "students.Student.families": "un foyer ne lit rien de l'autre",
        "students.Student.sort_name": "sert à trier",
        "students.Custody.student": NESTED,
        "students.Custody.family": "un foyer ne lit rien de l'autre",
        "students.Enrolment.student": NESTED,
        "students.ClassChange.enrolment": NESTED,
        "students.RepertoirePiece.student": NESTED,
        "students.RepertoirePiece.work": "redit le compositeur et l'œuvre",
        "students.RepertoirePiece.sending": "évite d'inscrire deux fois le même envoi",
        "students.RepertoirePiece.edition": "sert à comparer deux saisies",
        "students.Work": "une liste d'œuvres, qui ne dit rien de personne",
        "students.WaitingEntry.student": NESTED,
        "students.WaitingMove.entry": NESTED,
        "students.Teacher": "une autre personne",
        "students.SchoolYear": "une liste publique",
        "students.Discipline": "une liste publique",
        "students.Course": "une liste publique",
        "students.Slot": "une liste publique",
        "students.Hold": "une place gardée une demi-heure, pour un créneau que le dossier nomme",
        "students.Place": "le motif d'une place ajoutée parle du créneau",
    }
    sections = {
        "élèves": "leur identité, leur garde, leurs cours, leur répertoire, leurs listes d'attente"
    }

    def export(self, copy):
        changes = ClassChange.objects.select_related("slot__course")
        enrolments = (
            Enrolment.objects.for_list()
            .select_related("next_course")
            .prefetch_related(Prefetch("class_changes", changes))
            .order_by("-course__school_year__starts_on", "course__sort_name", "pk")
        )
        moves = WaitingMove.objects.select_related("actor", "slot__course").order_by("pk")
        waits = WaitingEntry.objects.select_related("course__school_year", "slot__course")
        waits = waits.prefetch_related(Prefetch("moves", moves)).order_by("since", "pk")
        students = copy.family.students.prefetch_related(
            "custodies",
            Prefetch(
                "repertoire",
                RepertoirePiece.objects.select_related("school_year", "course", "teacher"),
            ),
            Prefetch("enrolments", enrolments),
            Prefetch("waiting_entries", waits),
        )
        return {"élèves": [_student(student, copy) for student in students]}

    def needs_account(self, user):
        return Teacher.objects.filter(user=user).exists()

    def holdings(self, family):
        ours, shared = students_only_of(family), students_shared_by(family)
        repertoire = RepertoirePiece.objects.filter(student__in=ours).count()
        return [
            Holding("Élèves\u00a0: nom, naissance, école, téléphone", ours.count(), Fate.EMPTIED),
            Holding(
                "Élèves qui ont un autre foyer",
                shared.count(),
                Fate.DETACHED,
                "Leur autre foyer en répond encore.",
            ),
            Holding("Morceaux du répertoire", repertoire, Fate.ERASED),
            Holding(
                "Inscriptions passées",
                Enrolment.objects.filter(student__in=ours).count(),
                Fate.EMPTIED,
                "Elles comptent les élèves de chaque cours, sans dire qui.",
            ),
            Holding(
                "Listes d'attente\u00a0: demandes et motifs",
                WaitingEntry.objects.filter(student__in=ours).count(),
                Fate.EMPTIED,
                "Elles disent aux autres familles comment les places ont été données, sans dire "
                "qui.",
            ),
        ]

    def obstacles(self, family):
        """A household answers for a child as long as he is enrolled, whoever else does."""
        live = (
            Enrolment.objects.live()
            .filter(
                student__families=family, course__school_year__ends_on__gte=timezone.localdate()
            )
            .select_related("student", "course__school_year")
            .order_by("student__sort_name", "course__school_year__starts_on", "course__sort_name")
        )
        return [
            f"{enrolment.student} suit le cours «\u00a0{enrolment.course}\u00a0» de"
            f" {enrolment.course.school_year}."
            for enrolment in live
        ]

    def erase(self, family):
        if found := self.obstacles(family):
            raise ValidationError([ValidationError(each, code="obstacle") for each in found])
        shared = Custody.objects.filter(family=family, student__in=students_shared_by(family))
        forget_in_admin_log(Custody, list(family.custodies.values_list("pk", flat=True)))
        shared.delete()
        ours = list(students_only_of(family).select_for_update(no_key=True).order_by("pk"))
        for student in ours:
            _empty(student)
        pks = [student.pk for student in ours]
        Custody.objects.filter(student__in=pks).update(image_consent_at=None)
        _stop_waiting(pks)
        for model in (RepertoirePiece, Enrolment, WaitingEntry):
            rows = model.objects.filter(student__in=pks)
            forget_in_admin_log(model, list(rows.values_list("pk", flat=True)))
        RepertoirePiece.objects.filter(student__in=pks).delete()
        Hold.objects.filter(student__in=pks).delete()
        forget_in_admin_log(Student, pks)


def _stop_waiting(student_pks):
    """The places offered go on to others; the log keeps what was decided, without its texts."""
    live = WaitingEntry.objects.live().filter(student__in=student_pks)
    for entry in waiting_moves.lock(live):
        waiting_moves.move(entry, WaitingState.LEFT)
    WaitingMove.objects.filter(entry__student__in=student_pks).update(reason="")


def students_only_of(family: Family):
    """Those for whom nobody else answers: an erasure empties them."""
    return family.students.filter(~_elsewhere(family))


def students_shared_by(family: Family):
    """Those of two households: an erasure leaves them to the other one."""
    return family.students.filter(_elsewhere(family))


def _elsewhere(family):
    return Exists(Custody.objects.filter(student=OuterRef("pk")).exclude(family=family))


def _student(student, copy):
    return {
        **record(student, EXPORTED[Student]),
        "garde": [_custody(custody, copy) for custody in student.custodies.all()],
        "cours": [_enrolment(enrolment) for enrolment in student.enrolments.all()],
        "répertoire": [
            record(piece, EXPORTED[RepertoirePiece]) for piece in student.repertoire.all()
        ],
        "listes d'attente": [_wait(entry, copy) for entry in student.waiting_entries.all()],
    }


def _custody(custody, copy):
    """Of the other household its rank alone: its consent is its own."""
    if custody.family_id != copy.family.pk:
        return {**record(custody, ["rank"]), "lequel": "un autre foyer"}
    return {**record(custody, EXPORTED[Custody]), "lequel": "le vôtre"}


def _enrolment(enrolment):
    said = {"place": str(enrolment.slot) if enrolment.slot else None}
    return {
        "année scolaire": str(enrolment.course.school_year),
        **record(enrolment, EXPORTED[Enrolment], **said),
        "enseignant": str(enrolment.teacher) if enrolment.teacher else None,
        "arrivées et départs": [
            record(change, EXPORTED[ClassChange]) for change in enrolment.class_changes.all()
        ],
    }


def _wait(entry, copy):
    """His own rank among how many, and why; nothing says who the others are."""
    return {
        "année scolaire": str(entry.course.school_year),
        **record(entry, EXPORTED[WaitingEntry]),
        "mouvements": [
            record(move, EXPORTED[WaitingMove], actor=copy.signature(move.actor))
            for move in entry.moves.all()
        ],
    }


def _empty(student):
    student.first_name, student.last_name = "Élève", "effacé"
    student.reference, student.birth_date = None, NO_BIRTH_DATE
    student.email = student.phone = student.school = student.school_class = ""
    student.save(
        update_fields=[
            *["first_name", "last_name", "sort_name", "reference", "birth_date"],
            *["email", "phone", "school", "school_class"],
        ]
    )
