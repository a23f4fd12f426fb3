"""Slots that are full, those who wait for them, and a place that frees itself.

In: `case`, tests.reenrolment.conftest.Case.
"""

from reenrolment.services import waiting
from students import services as students
from students.enums import Cycle, Weekday
from students.models import Enrolment, Slot, WaitingEntry
from tests.factories import SlotFactory, StudentFactory


def fill(slot: Slot) -> None:
    """Takes all its places, by students of whom nothing else is known."""
    for _ in range(slot.places.filter(enrolment=None).count()):
        students.claim(StudentFactory(), slot, cycle=Cycle.FIRST)


def free(slot: Slot) -> None:
    """One of those who have a place gives it back; nobody has offered it yet."""
    students.release(Enrolment.objects.live().filter(place__slot=slot).first())


def make_full(case) -> Slot:
    """Fills the case's slot, and the second one of its course, on Thursday, which is given."""
    thursday = SlotFactory(course=case.slot.course, weekday=Weekday.THURSDAY, group="B")
    fill(case.slot)
    fill(thursday)
    return thursday


def wait_for(case, *slots: Slot | None, actor=None) -> list[WaitingEntry]:
    """The wishes of the case's student, the preferred first; None: any slot."""
    waiting.wish(case.campaign, case.student, case.slot.course, list(slots), actor=actor)
    return list(case.student.waiting_entries.live().order_by("preference"))


def offer(case, slot: Slot) -> WaitingEntry:
    """The first of the line is the case's student: he is offered a place of the slot."""
    free(slot)
    assert waiting.offer_next() == 1
    return case.student.waiting_entries.get(hold__place__slot=slot)
