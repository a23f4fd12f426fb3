"""Students, and the households that they live in."""

from collections import defaultdict

from django.core.exceptions import ValidationError

from accounts.references import reference_of
from accounts.spreadsheets.columns import Choice, Column, Day, Email, FormCell
from accounts.spreadsheets.lists import List
from accounts.spreadsheets.referenced import ReferencedList, References
from accounts.spreadsheets.registry import register
from families.enums import MergeKind
from families.lists import PHONE, REFERENCE, REQUIRED_IF_NEW
from families.models import Family
from families.phones import PhoneField
from families.selectors import absorbed_references, families_of
from students.lists import saving
from students.models import Custody, Student
from students.selectors import students_of

NOT_READ = "Pour vous y retrouver\u00a0: cette colonne n'est pas lue."
RANKS = Custody._meta.get_field("rank").choices


@register
class StudentList(ReferencedList):
    model, slug, label, position = Student, "eleves", "Élèves", 3
    purpose = "Les élèves, sans leur foyer\u00a0: il se donne dans la liste des gardes."
    title = ("Prénom", "Nom")
    identity = ("last_name", "first_name", "birth_date")

    reference = Column(
        "reference", "Référence", example="E-3077", accepts=REFERENCE + REQUIRED_IF_NEW
    )
    last_name = Column("last_name", "Nom", example="Le Goff", required=True)
    first_name = Column("first_name", "Prénom", example="Maëlle", required=True)
    birth_date = Column(
        *("birth_date", "Date de naissance", Day()),
        example="31/12/2015",
        accepts="Une date d'Excel, 31/12/2015 ou 2015-12-31.",
        required=True,
    )
    email = Column("email", "Adresse e-mail", Email(), example="maelle.legoff@example.org")
    phone = Column(
        *("phone", "Téléphone", FormCell(PhoneField(required=False))),
        example="06 98 76 54 32",
        accepts=PHONE,
        digits=10,
    )
    school = Column("school", "Établissement scolaire", example="École Jean-Macé")
    school_class = Column("school_class", "Classe", example="CM2")

    def rows(self):
        return _not_erased(students_of(self.actor))

    def save(self, created, changed):
        saving.save_students(created, changed)


@register
class CustodyList(List):
    """Which household, the first or the second, a student lives in."""

    model, slug, label, position = Custody, "gardes", "Gardes", 4
    purpose = (
        "Une ligne par élève et par foyer\u00a0; deux en garde alternée. Les familles et les élèves"
        " d'abord."
    )
    title = ("Référence de l'élève", "Référence de la famille")
    identity = ("student", "family")

    student = Column(
        *("student", "Référence de l'élève"),
        example="E-3077",
        accepts="Celle de la liste des élèves.",
        required=True,
        show=reference_of,
    )
    student_name = Column(
        *("student", "Élève"), example="Maëlle Le Goff", accepts=NOT_READ, shown=True, show=str
    )
    family = Column(
        *("family", "Référence de la famille"),
        example="F-1024",
        accepts="Celle de la liste des familles.",
        required=True,
        show=reference_of,
    )
    family_name = Column(
        *("family", "Famille"), example="Le Goff", accepts=NOT_READ, shown=True, show=str
    )
    rank = Column(
        *("rank", "Foyer", Choice(RANKS)),
        example="premier foyer",
        accepts="«\u00a0premier foyer\u00a0» (1) ou «\u00a0second foyer\u00a0» (2)\u00a0;"
        " vide\u00a0: le premier.",
    )

    def rows(self):
        students = students_of(self.actor).values("pk")
        return Custody.objects.filter(student__in=students, family__in=Family.objects.not_erased())

    def load_related(self):
        students = _not_erased(students_of(self.actor))
        students = students.only("reference", "last_name", "first_name")
        families = families_of(self.actor).not_erased().only("reference", "name")
        self.related["student"] = {student.pk: student for student in students}
        self.related["family"] = {family.pk: family for family in families}
        self._students = References(students)
        self._families = References(families, absorbed=absorbed_references(MergeKind.FAMILY))

    def read_student(self, cells):
        return self._students.read(cells.get("Référence de l'élève"), "élève")

    def read_family(self, cells):
        return self._families.read(cells.get("Référence de la famille"), "foyer")

    def judge_all(self, lines):
        """Two households at most, of different ranks: as they are once the whole file is read."""
        households = defaultdict(list)
        for (student, _), rows in self._by_key.items():
            households[student] += rows
        for line in lines:
            if line.row is None or line.refusals:
                continue
            others = [row for row in households[line.row.student_id] if row is not line.row]
            if len(others) > 1:
                message, code = "Cet élève aurait plus de deux foyers.", "third_household"
            elif any(row.rank == line.row.rank for row in others):
                message, code = "Cet élève a un autre foyer de ce rang.", "same_rank"
            else:
                continue
            self.refuse(line, ValidationError({"rank": ValidationError(message, code=code)}))

    def save(self, created, changed):
        saving.save_custodies(created, [custody for custody, _ in changed])


def _not_erased(students):
    """A household that is erased has left those who had another one."""
    return students.exclude(families__in=Family.objects.erased())
