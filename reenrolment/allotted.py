"""What a published allotment gave to one dossier, as the mail and the family's page tell it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reenrolment.models import Allocation, Reenrolment
from students.models import Course, Slot, WaitingEntry
from students.waiting_order import lines_of


@dataclass(frozen=True)
class Rank:
    """A wish that goes on waiting: its place in the line, None for a wish for any lesson."""

    entry: WaitingEntry
    rank: int | None
    waiting: int


@dataclass(frozen=True)
class Allotted:
    """The seat that the student has in a course at this moment, and which of his wishes it was."""

    course: Course
    slot: Slot | None
    preference: int | None
    wishes: int
    ranks: Sequence[Rank]


def allotted(reenrolment: Reenrolment, allocations: Sequence[Allocation]) -> list[Allotted]:
    """One for each allocation (`Allocation.objects.for_list`), in their order. Two queries."""
    courses = [row.course for row in allocations]
    lines = lines_of(courses, reenrolment.campaign.waiting_rule)
    return [_allotted(reenrolment.student, row, lines) for row in allocations]


def _allotted(student, row, lines):
    slot = row.choice.granted.slot
    mine = [e for e in lines.entries if (e.student_id, e.course_id) == (student.pk, row.course_id)]
    return Allotted(
        course=row.course,
        slot=slot,
        preference=row.preference_for(slot),
        wishes=len(row.wishes),
        ranks=[
            _rank(student, entry, lines)
            for entry in sorted(mine, key=lambda entry: (entry.preference, entry.pk))
        ],
    )


def _rank(student, entry, lines):
    if entry.slot is None:
        return Rank(entry, None, 0)
    return Rank(entry, lines.rank(student, entry.slot), len(lines.of(entry.slot)))
