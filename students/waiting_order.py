"""The order of a waiting list: the published rule of a campaign, and nothing else.

Criteria in their order, then the number drawn (where a draw was published), then time. Whoever
fulfils a criterion comes before whoever does not; at equality the next one decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from families.enums import Zone
from students.enums import Criterion, WaitingState
from students.models import Course, Custody, Enrolment, Slot, Student, WaitingEntry


@dataclass(frozen=True)
class Rule:
    """The criteria that count, the most important first; the year in which one is « enrolled »."""

    criteria: Sequence[Criterion]
    previous_year_id: int

    @property
    def words(self) -> list[str]:
        """The rule as families read it, one line per step."""
        return [*(criterion.label for criterion in self.criteria), "ordre des demandes"]

    def met_by(self, row: WaitingEntry | Slot) -> list[Criterion]:
        """Those that an entry of `lines_of` fulfils, or the student on a slot of `as_awaited`."""
        return [criterion for criterion in self.criteria if getattr(row, criterion.value)]

    def standing_of(self, row: WaitingEntry | Slot) -> list[bool]:
        """Of two, the greater comes first; at equality, the draw and time decide."""
        return [getattr(row, criterion.value) for criterion in self.criteria]


@dataclass(frozen=True)
class Lines:
    """All that is waited for in some courses, first to last; the offers of one student apart."""

    rule: Rule
    entries: list[WaitingEntry]
    offers: list[WaitingEntry] = field(default_factory=list)

    def of(self, slot: Slot) -> list[WaitingEntry]:
        """The line of one slot: a wish for it, or for any of its course; each student once."""
        by_student = {}
        for entry in self.entries:
            if entry.slot_id == slot.pk or (
                not entry.slot_id and entry.course_id == slot.course_id
            ):
                by_student.setdefault(entry.student_id, entry)
        return list(by_student.values())

    def rank(self, student: Student, slot: Slot) -> int | None:
        """1 for the first; None for a student who does not wait for a place of the slot."""
        students = [entry.student_id for entry in self.of(slot)]
        return students.index(student.pk) + 1 if student.pk in students else None

    def rank_of_newcomer(self, slot: Slot) -> int:
        """The rank that joining at this moment would give; of a slot of `as_awaited`."""
        mine = self.rule.standing_of(slot)
        before = [entry for entry in self.of(slot) if self.rule.standing_of(entry) >= mine]
        return len(before) + 1


def lines_of(courses: Iterable[Course], rule: Rule, *, offers_to: Student | None = None) -> Lines:
    """In one query. Each entry has one boolean per criterion, named by its value.

    A wish for any slot has no weekday, hence no sibling on the same day. `offers_to`: `offers` are
    this student's, each with its place; the others' are nobody's business.
    """
    shown = Q(state=WaitingState.WAITING)
    related = ["student", "slot__course", "course"]
    if offers_to is not None:
        shown |= Q(state=WaitingState.OFFERED, student=offers_to)
        related.append("hold__place__slot__course")
    tests = _tests(rule, student=OuterRef("student"), weekday=OuterRef("slot__weekday"))
    first = [f"-{criterion.value}" for criterion in rule.criteria]
    ordered = (
        WaitingEntry.objects.filter(shown, course__in=courses)
        .annotate(**tests)
        .order_by(*first, F("draw").asc(nulls_last=True), "since", "pk")
        .select_related(*related)
    )
    lines = Lines(rule, [])
    for entry in ordered:
        (lines.entries if entry.state == WaitingState.WAITING else lines.offers).append(entry)
    return lines


def as_awaited(slots: QuerySet[Slot], student: Student, rule: Rule) -> QuerySet[Slot]:
    """Adds one boolean per criterion: does the student, if he waited for the slot, fulfil it?"""
    return slots.annotate(**_tests(rule, student=student.pk, weekday=OuterRef("weekday")))


def _tests(rule, *, student, weekday):
    """For a query on rows that have a `course`."""
    return {
        criterion.value: _TESTS[criterion](rule, student, weekday) for criterion in rule.criteria
    }


def _enrolled(rule, student, weekday):
    return Exists(
        Enrolment.objects.live().filter(
            student=student,
            course__school_year=rule.previous_year_id,
            course__establishment=OuterRef("course__establishment"),
            course__discipline=OuterRef("course__discipline"),
        )
    )


def _sibling(rule, student, weekday):
    """Another student of one of the households has a place that day, in the year prepared.

    Joined from the student on: read from the enrolments on, each of them would be looked at.
    """
    seats = Enrolment.objects.live().filter(
        student__custodies__family__custodies__student=student,
        course__school_year=OuterRef("course__school_year"),
        place__slot__weekday=weekday,
    )
    return Exists(seats.exclude(student=student))


def _resident(rule, student, weekday):
    homes = Custody.objects.filter(student=student)
    return Exists(homes.filter(family__commune__zone=Zone.RESIDENT))


_TESTS = {
    Criterion.ENROLLED: _enrolled,
    Criterion.SIBLING: _sibling,
    Criterion.RESIDENT: _resident,
}
