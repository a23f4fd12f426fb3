"""The order of a waiting list: the published rule of a campaign, and nothing else.

Criteria in their order, then the number drawn (where a draw was published), then time. Whoever
fulfils a criterion comes before whoever does not; at equality the next one decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef

from families.enums import Zone
from students.enums import Criterion
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

    def met_by(self, entry: WaitingEntry) -> list[Criterion]:
        """Those that an entry of `lines_of` fulfils."""
        return [criterion for criterion in self.criteria if getattr(entry, criterion.value)]


@dataclass(frozen=True)
class Lines:
    """All that is waited for in some courses, first to last."""

    rule: Rule
    entries: list[WaitingEntry]

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


def lines_of(courses: Iterable[Course], rule: Rule) -> Lines:
    """In one query. Each entry has one boolean per criterion, named by its value.

    A wish for any slot has no weekday, hence no sibling on the same day.
    """
    waiting = WaitingEntry.objects.waiting().filter(course__in=courses)
    tests = {criterion.value: _TESTS[criterion](rule) for criterion in rule.criteria}
    first = [f"-{criterion.value}" for criterion in rule.criteria]
    ordered = waiting.annotate(**tests).order_by(
        *first, F("draw").asc(nulls_last=True), "since", "pk"
    )
    return Lines(rule, list(ordered.select_related("student", "slot__course", "course")))


def _enrolled(rule):
    return Exists(
        Enrolment.objects.live().filter(
            student=OuterRef("student"),
            course__school_year=rule.previous_year_id,
            course__establishment=OuterRef("course__establishment"),
            course__discipline=OuterRef("course__discipline"),
        )
    )


def _sibling(rule):
    """Another student of one of the households has a place that day, in the year prepared."""
    siblings = Custody.objects.filter(
        student=OuterRef("student"), family__custodies__student=OuterRef(OuterRef("student"))
    ).exclude(student=OuterRef(OuterRef("student")))
    return Exists(
        Enrolment.objects.live().filter(
            Exists(siblings),
            course__school_year=OuterRef("course__school_year"),
            place__slot__weekday=OuterRef("slot__weekday"),
        )
    )


def _resident(rule):
    homes = Custody.objects.filter(student=OuterRef("student"))
    return Exists(homes.filter(family__commune__zone=Zone.RESIDENT))


_TESTS = {
    Criterion.ENROLLED: _enrolled,
    Criterion.SIBLING: _sibling,
    Criterion.RESIDENT: _resident,
}
