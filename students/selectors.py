"""What several student pages read, each in one query."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.http import Http404

from families.models import Family, Guardian
from students.models import Custody, Student


@dataclass(frozen=True)
class Selection:
    """The student chosen in the drop-down, among those of the household.

    `custodies` are the chosen student's one or two households, by rank, each with `own`: is it the
    reader's? Of the other one a family page shows no address, e-mail or document (security.md).
    """

    students: list[Student]
    student: Student
    custodies: list[Custody]

    @property
    def own_family(self) -> Family:
        """The reader's household; with its commune, no query."""
        return next(custody.family for custody in self.custodies if custody.own)


def household_students(user, pk: int) -> Selection:
    """The chosen student and what its pages need of the household, in one query.

    In: the person signed in and the key in the address. Out: see Selection; `students` sorted by
    name, for `students/_student_header.html`, which wants it in the context as `selection`.
    Raises Http404 when the student does not exist or belongs to others.
    """
    ours = Guardian.objects.filter(family=OuterRef("family"), user=user)
    custodies = list(
        Custody.objects.filter(student__in=Student.objects.visible_to(user))
        .select_related("student", "family__commune")
        .annotate(own=Exists(ours))
        .order_by("student__sort_name", "student_id", "rank")
    )
    students = {custody.student_id: custody.student for custody in custodies}
    if pk not in students:
        raise Http404
    return Selection(
        students=list(students.values()),
        student=students[pk],
        custodies=[custody for custody in custodies if custody.student_id == pk],
    )
