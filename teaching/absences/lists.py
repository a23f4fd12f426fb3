"""The absences of each student, for a spreadsheet."""

from accounts.references import reference_of
from accounts.selectors import establishments_of
from accounts.spreadsheets.columns import Column, Day
from accounts.spreadsheets.lists import ExportedList
from accounts.spreadsheets.registry import register
from teaching.enums import AbsenceState
from teaching.models import Absence

DAY = Day()


def _state(absence):
    return AbsenceState(absence.state).label if absence.state else ""


@register
class AbsenceList(ExportedList):
    model, slug, label, position = Absence, "absences", "Absences", 20
    purpose = "Les absences et les retards relevés par les enseignants, avec leur état."

    held_on = Column("register", "Jour", show=lambda each: DAY.render(each.register.held_on))
    student = Column("enrolment", "Élève", show=lambda each: str(each.enrolment.student))
    reference = Column(
        *("enrolment", "Référence de l'élève"),
        show=lambda each: reference_of(each.enrolment.student),
    )
    course = Column("enrolment", "Cours", show=lambda each: each.enrolment.course.name)
    establishment = Column(
        *("enrolment", "Établissement"), show=lambda each: str(each.enrolment.course.establishment)
    )
    teacher = Column("register", "Enseignant", show=lambda each: str(each.register.teacher or ""))
    kind = Column("kind", "Nature", show=lambda each: each.get_kind_display())
    minutes = Column("minutes", "Minutes de retard", show=lambda each: str(each.minutes or ""))
    state = Column("kind", "État", show=_state)
    note = Column("note", "Remarque de l'enseignant", show=lambda each: each.note)

    def rows(self):
        ours = Absence.objects.filter(
            enrolment__course__establishment__in=establishments_of(self.actor)
        )
        return ours.live().with_state().for_list()
