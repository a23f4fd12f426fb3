"""How many students owe a piece: what a rule changes, told to whoever writes it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from documents.models import PieceRule
from documents.pieces import Pupil, asked_of
from students.enums import Art, EnrolmentStatus
from students.models import Custody, Enrolment, SchoolYear, Student


@dataclass(frozen=True)
class Owing:
    """Of the `of` students whom the year's re-enrolments ask, `students` owe the piece."""

    students: int
    of: int
    year: SchoolYear | None  # theirs, the one before the rule's; None when nobody has made it

    def __str__(self):
        if not self.of:
            return f"aucun élève en {self.year}" if self.year else "aucun élève l'année d'avant"
        return f"{self.students} élève{'s' * (self.students > 1)} sur {self.of} ({self.year})"


def owing_of(rules: Iterable[PieceRule]) -> dict[int, Owing]:
    """By the rule's key: those who follow a course at its site the year before, and who owe it.

    The rules come with their school year, their type and their communes. Four queries, however
    many they are.
    """
    rules = list(rules)
    before = _years_before(rules)
    enrolments = _enrolments({(r.establishment_id, before[r.school_year_id]) for r in rules})
    dancers = _dancers(enrolments)
    pupils = _pupils(enrolments)
    found = {}
    for rule in rules:
        year = before[rule.school_year_id]
        group = dancers.get((rule.establishment_id, year.pk), {}) if year else {}
        communes = {commune.pk for commune in rule.communes.all()}
        owe = sum(
            bool(asked_of(rule, communes, Pupil(*pupils[pk], dances)))
            for pk, dances in group.items()
        )
        found[rule.pk] = Owing(owe, len(group), year)
    return found


def _years_before(rules):
    """By the key of a rule's school year, the one before it or None."""
    years = list(SchoolYear.objects.order_by("starts_on"))
    before = dict(zip([year.pk for year in years], [None, *years], strict=False))
    return {rule.school_year_id: before[rule.school_year_id] for rule in rules}


def _enrolments(wanted):
    """Those that the re-enrolments of each (site, year) would ask about."""
    asked = Q(pk__in=[])
    for site, year in wanted:
        if year is not None:
            asked |= Q(course__establishment=site, course__school_year=year)
    return Enrolment.objects.filter(asked, status=EnrolmentStatus.CONFIRMED)


def _dancers(enrolments):
    """By (site, year), who follows a course, and whether he dances."""
    rows = enrolments.order_by().values_list(
        "course__establishment", "course__school_year", "student", "course__discipline__art"
    )
    found = defaultdict(dict)
    for site, year, student, art in rows.distinct():
        group = found[site, year]
        group[student] = group.get(student, False) or art == Art.DANCE
    return found


def _pupils(enrolments):
    """By key, each student with his custodies, as documents.pieces reads them."""
    students = Student.objects.filter(Exists(enrolments.filter(student=OuterRef("pk")))).order_by()
    custodies = Custody.objects.filter(student__in=students.values("pk")).order_by()
    of = defaultdict(list)
    for custody in custodies.select_related("family").only("student", "family__commune"):
        of[custody.student_id].append(custody)
    return {student.pk: (student, of[student.pk]) for student in students.only("birth_date")}
