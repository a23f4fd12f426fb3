"""What a teacher reads as « nouveau » or « parti »; a mere request is no change of class.

In the transaction of the move that is noted (students.services).
"""

from students.enums import ClassMove, EnrolmentStatus
from students.models import ClassChange, Enrolment, Slot


def note_move(enrolment: Enrolment, status: EnrolmentStatus) -> None:
    """The enrolment is about to get this status, in the slot that it has now."""
    if status == EnrolmentStatus.CONFIRMED:
        _note(enrolment, ClassMove.ARRIVED, enrolment.slot)
    elif enrolment.status == EnrolmentStatus.CONFIRMED:
        _note(enrolment, ClassMove.LEFT, enrolment.slot)


def note_seat(enrolment: Enrolment, former: Slot | None, slot: Slot) -> None:
    """A confirmed enrolment is seated there, and no longer in `former`."""
    if enrolment.status != EnrolmentStatus.CONFIRMED:
        return
    if former is not None:
        _note(enrolment, ClassMove.LEFT, former)
    _note(enrolment, ClassMove.ARRIVED, slot)


def _note(enrolment, kind, slot):
    ClassChange.objects.create(enrolment=enrolment, kind=kind, slot=slot)
