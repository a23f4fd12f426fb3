"""What registers and absences hold about a household and its students."""

from accounts.enums import MailKind
from accounts.models import Mail
from accounts.personal_data import forget_in_admin_log
from accounts.records import record
from families.enums import Fate
from families.holdings import Holding, Part
from students.personal_data import students_only_of
from teaching.models import Absence, AbsenceMove, AbsenceNotice, Justification

EXPORTED = {
    Absence: ["kind", "minutes", "note", "announced"],
    AbsenceNotice: [
        *["first_on", "last_on", "course", "reason", "created_at", "created_by"],
        *["withdrawn_at", "withdrawn_by"],
    ],
    Justification: ["text", "at", "by", "verdict", "reason", "decided_at", "decided_by"],
}
NESTED = "dit où la ligne est rangée"
OF_A_CLASS = "parle d'une classe, de personne"


class AbsencesPart(Part):
    exported = EXPORTED
    not_exported = {
        "teaching.Absence.register": "la copie en dit le jour",
        "teaching.Absence.enrolment": "la copie en dit l'élève et le cours",
        "teaching.AbsenceNotice.student": NESTED,
        "teaching.AbsenceNotice.family": NESTED,
        "teaching.Justification.absence": NESTED,
        "teaching.Justification.family": NESTED,
        "teaching.AbsenceMove": "ce qui a été corrigé\u00a0; l'absence dit ce qui en reste",
        "teaching.Register": OF_A_CLASS,
        "teaching.RegisterEntry": OF_A_CLASS,
        "teaching.RegisterSettings": "un réglage",
    }
    sections = {
        "absences": "celles que les enseignants ont relevées, et ce que le foyer en a dit",
        "absences annoncées": "celles que le foyer a annoncées",
    }
    mail_kinds = [MailKind.ABSENCE]

    def mails(self, person):
        return Mail.objects.filter(person.ends(), kind=MailKind.ABSENCE)

    def export(self, copy):
        absences = (
            Absence.objects.live().for_list().filter(enrolment__student__families=copy.family)
        )
        return {
            "absences": [_absence(each, copy) for each in absences.order_by("pk")],
            "absences annoncées": [
                {
                    "élève": str(notice.student),
                    **_signed(notice, copy, "created_by", "withdrawn_by"),
                }
                for notice in copy.family.absence_notices.select_related(
                    "student", "course", "created_by", "withdrawn_by"
                ).order_by("pk")
            ],
        }

    def holdings(self, family):
        ours = Absence.objects.filter(enrolment__student__in=students_only_of(family))
        return [
            Holding(
                "Absences relevées",
                ours.count(),
                Fate.EMPTIED,
                "Elles comptent les absents de chaque cours, sans dire qui ni pourquoi.",
            ),
            Holding("Absences annoncées", family.absence_notices.count(), Fate.ERASED),
            Holding("Justifications d'absences", family.justifications.count(), Fate.ERASED),
        ]

    def erase(self, family):
        absences = Absence.objects.filter(enrolment__student__in=students_only_of(family))
        absences.update(note="")
        noted = Justification.objects.filter(absence__in=absences)
        for rows in (family.absence_notices.all(), family.justifications.all(), noted):
            forget_in_admin_log(rows.model, list(rows.values_list("pk", flat=True)))
            rows.delete()
        for rows in (absences, AbsenceMove.objects.filter(enrolment__absences__in=absences)):
            forget_in_admin_log(rows.model, list(rows.values_list("pk", flat=True)))


def _absence(absence, copy):
    said = absence.justifications.filter(family=copy.family).select_related("by", "decided_by")
    return {
        "élève": str(absence.enrolment.student),
        "cours": str(absence.enrolment.course),
        "jour": absence.register.held_on.isoformat(),
        **record(absence, EXPORTED[Absence]),
        "justifications": [_signed(each, copy, "by", "decided_by") for each in said],
    }


def _signed(row, copy, *people):
    names = {name: copy.signature(getattr(row, name)) for name in people}
    return record(row, EXPORTED[type(row)], **names)
