"""What several student pages read, each in one query."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from django.db.models import BooleanField, Exists, ExpressionWrapper, Max, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared
from accounts.selectors import establishments_of
from families.models import Family, Guardian
from students.models import Custody, Enrolment, Slot, Student
from students.models.waiting import awaited_by


class ActingFor(Protocol):
    """One student for whom an agent acts, and the household in whose place."""

    student_id: int
    family_id: int


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
    def image_consent_at(self) -> dt.datetime | None:
        """When the reader's own household let the student's teachers see his portrait."""
        return next(custody.image_consent_at for custody in self.custodies if custody.own)

    @property
    def own_family(self) -> Family:
        """The reader's household; with its commune, no query."""
        return next(custody.family for custody in self.custodies if custody.own)


def students_of(agent: User) -> QuerySet[Student]:
    """The students who follow, or ever followed, a course of the agent's sites; those of none yet.

    So that a secretariat finds the student whom it has just created.
    """
    if agent.is_superuser:
        return Student.objects.all()
    courses = Enrolment.objects.filter(student=OuterRef("pk"))
    ours = courses.filter(course__establishment__in=establishments_of(agent).values("pk"))
    return Student.objects.filter(Exists(ours) | ~Exists(courses))


def slots_for(student: Student, at: dt.datetime | None = None) -> QuerySet[Slot]:
    """The slots as the student's family sees them, full ones too, in the week's order.

    Beside what `with_places` adds: `held_until`, the end of the student's own hold or offer, None
    without one, and `awaited_by`, how many others wait for a place (see `may_pick`).
    """
    at = at or timezone.now()
    mine = Q(places__hold__student=student, places__hold__until__gt=at)
    return Slot.objects.with_places(at).annotate(
        held_until=Max("places__hold__until", filter=mine),
        awaited_by=awaited_by(but_of=student, at=at),
    )


def may_pick(slot: Slot) -> bool:
    """Of a slot of `slots_for`: a place is held for the student, or left by those who wait.

    Of one that is closed, only the place held. What the page offers; students.services decides,
    under the lock.
    """
    is_left = slot.closed_at is None and slot.places_left > slot.awaited_by
    return slot.held_until is not None or is_left


def household_students(user, pk: int, *, acting_for: ActingFor | None = None) -> Selection:
    """The chosen student and what its pages need of the household, in one query.

    In: the person signed in and the key in the address. Out: see Selection; `students` sorted by
    name, for `students/_student_header.html`, which wants it in the context as `selection`.
    `acting_for`, which only the pages of a re-enrolment give: this student, alone, as his
    household sees him. Raises Http404 when the student does not exist or belongs to others.
    """
    if acting_for is not None and acting_for.student_id == pk:
        custodies = _custodies_of(pk, acting_for.family_id)
    else:
        custodies = _custodies_seen_by(user.pk)
    custodies = sorted(custodies, key=lambda c: (c.student.sort_name, c.student_id, c.rank))
    students = {custody.student_id: custody.student for custody in custodies}
    if pk not in students:
        raise Http404
    return Selection(
        students=list(students.values()),
        student=students[pk],
        custodies=[custody for custody in custodies if custody.student_id == pk],
    )


@prepared
def _custodies_seen_by(user: int) -> QuerySet[Custody]:
    """Of all the students of his household."""
    own = Exists(Guardian.objects.filter(family=OuterRef("family"), user=user))
    return _custodies(Student.objects.visible_to(User(pk=user)), own)


@prepared
def _custodies_of(student: int, family: int) -> QuerySet[Custody]:
    """Of this student alone, if he is of that household."""
    own = ExpressionWrapper(Q(family=family), output_field=BooleanField())
    return _custodies(Student.objects.filter(pk=student, families=family), own)


def _custodies(students, own):
    custodies = Custody.objects.filter(student__in=students).annotate(own=own)
    return custodies.select_related("student", "family__commune").order_by()
