"""Who is in which course."""

from accounts.references import reference_of
from accounts.selectors import establishments_of
from accounts.spreadsheets.columns import Column, Day
from accounts.spreadsheets.lists import ExportedList
from accounts.spreadsheets.registry import register
from students.models import Enrolment

DAY = Day()


@register
class EnrolmentList(ExportedList):
    model, slug, label, position = Enrolment, "inscriptions", "Inscriptions aux cours", 7
    purpose = "Les élèves de chaque cours, leur créneau et leur état."

    student = Column("student", "Élève", show=lambda enrolment: str(enrolment.student))
    reference = Column(
        *("student", "Référence de l'élève"),
        show=lambda enrolment: reference_of(enrolment.student),
    )
    course = Column("course", "Cours", show=lambda enrolment: enrolment.course.name)
    school_year = Column(
        *("course", "Année scolaire"), show=lambda enrolment: str(enrolment.course.school_year)
    )
    establishment = Column(
        *("course", "Établissement"), show=lambda enrolment: str(enrolment.course.establishment)
    )
    level = Column("cycle", "Niveau", show=lambda enrolment: enrolment.level)
    slot = Column("place", "Créneau", show=lambda enrolment: str(enrolment.slot or ""))
    teacher = Column("place", "Enseignant", show=lambda enrolment: str(enrolment.teacher or ""))
    starts_on = Column(
        "starts_on", "Commence le", show=lambda enrolment: DAY.render(enrolment.starts_on)
    )
    ends_on = Column("ends_on", "Finit le", show=lambda enrolment: DAY.render(enrolment.ends_on))
    status = Column("status", "État", show=lambda enrolment: enrolment.get_status_display())

    def rows(self):
        ours = Enrolment.objects.filter(course__establishment__in=establishments_of(self.actor))
        return ours.for_list().select_related(
            "student", "course__establishment", "place__slot__course"
        )
