"""Every write on seats and enrolments (design.md, section 4).

Lock order, everywhere: dossier, slots by ascending key, then places, enrolments, waiting entries.
Whoever claims in several slots calls `lock_slots` with all of them first; each claim's own locking
is then free. A free place for which somebody waits goes by the list (students.waiting): a family
that does not hold it is refused, and the staff passes `ahead`.
"""

import datetime as dt
import logging
from collections.abc import Iterable
from functools import wraps
from itertools import count, islice

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.prepared import prepared
from students import waiting_moves
from students.class_changes import note_move, note_seat
from students.closing import check_not_closed
from students.enums import NEXT, Cycle, EnrolmentStatus
from students.free_places import first_free_place, free_expired_holds, slot_full
from students.models import (
    Course,
    Enrolment,
    Hold,
    Place,
    Slot,
    Student,
)
from students.obstacles import (
    check_capacity_of,
    check_no_clash,
    check_not_enrolled,
    check_suited,
    taken_by,
)
from students.suitability import Level

logger = logging.getLogger(__name__)


def _in_a_transaction(service):
    """The caller's, else one of its own: refusing before it writes, it needs no savepoint."""

    @wraps(service)
    def inner(*arguments, **named):
        if transaction.get_connection().in_atomic_block:
            return service(*arguments, **named)
        with transaction.atomic():
            return service(*arguments, **named)

    return inner


def lock_slots(slot_pks: Iterable[int]) -> dict[int, Slot]:
    """Locks slots by ascending key until the end of the transaction, and gives them by key.

    A slot that does not exist is simply not in the answer. Raises TransactionManagementError
    outside `atomic` (on PostgreSQL).
    """
    return {slot.pk: slot for slot in _locked_slots(sorted(set(slot_pks)))}


@prepared
def _locked_slots(pks: list[int]) -> QuerySet[Slot]:
    slots = Slot.objects.select_related("course__school_year").filter(pk__in=pks)
    # NO KEY: a draft that merely points at the slot need not wait for us.
    return slots.order_by("pk").select_for_update(of=["self"], no_key=True)


def lock_enrolment(enrolment: Enrolment) -> Enrolment:
    """A fresh row, held until the end of the transaction: the caller's copy may be stale."""
    rows = Enrolment.objects.select_related("course", "place__slot")
    return rows.select_for_update(of=["self"]).get(pk=enrolment.pk)


@_in_a_transaction
def claim(
    student: Student,
    slot: Slot,
    *,
    cycle: Cycle,
    cycle_year: int | None = None,
    leaving: Enrolment | None = None,
    ahead: bool = False,
    even_closed: bool = False,
    actor: User | None = None,
    reason: str = "",
) -> Enrolment:
    """Enrols the student in the slot's course: REQUESTED.

    On the place held for him there, else on the free one of lowest number. `leaving`: the
    enrolment that the caller ends for this one, in the same transaction; `ahead`: before those who
    wait for the slot, which `actor` does for that `reason` (students.waiting.check_order);
    `even_closed`: though it is closed to the families. Raises ValidationError, code `slot_full`,
    `slot_awaited` or `slot_closed` (whose `params["slot"]` is the slot), `slot_gone`,
    `already_enrolled`, `clash`.
    """
    slot = _lock_slot(slot)
    if not even_closed:
        check_not_closed(student, slot)
    enrolment = Enrolment(student=student, course=slot.course, cycle=cycle, cycle_year=cycle_year)
    live = check_not_enrolled(student, enrolment.course)
    check_no_clash(student, slot, leaving=leaving, live=live)
    return _take_place(enrolment, slot, ahead=ahead, actor=actor, reason=reason)


@_in_a_transaction
def enrol_without_place(
    student: Student, course: Course, *, cycle: Cycle, cycle_year: int | None = None
) -> Enrolment:
    """Enrols the student in the course without a seat: REQUESTED.

    For a course without slots, or one whose slots the administration allots (see `place`).
    Raises ValidationError, code `already_enrolled`.
    """
    enrolment = Enrolment(student=student, course=course, cycle=cycle, cycle_year=cycle_year)
    check_not_enrolled(student, enrolment.course)
    return _save(enrolment)


@transaction.atomic
def hold(student: Student, slot: Slot, *, until: dt.datetime, level: Level | None = None) -> Hold:
    """Keeps a place of the slot for the student until that moment, or his for longer, never less.

    It is his family that chose it: `level` is the one that he will have, as far as it is known.
    The one that he held in another slot of this course goes back once the new one is taken; one
    whose time is over is still his as long as nobody took it; one that is offered to him, he takes
    up, and keeps as long as the offer ran. Raises ValidationError, code `slot_full`,
    `slot_awaited` or `slot_closed` (whose `params["slot"]` is the slot), `slot_gone`,
    `already_enrolled`, `not_suited`, `clash`.
    """
    return hold_in(_lock_slot(slot), student, until=until, level=level)


def hold_in(slot: Slot, student: Student, *, until: dt.datetime, level: Level | None) -> Hold:
    """`hold` in a slot that `lock_slots` gave, within the caller's transaction.

    A refusal leaves nothing written but the end of what was held too long, which is true anyhow.
    """
    check_not_closed(student, slot)
    taken = taken_by(student, slot)
    check_suited(student, slot, level)
    taken.check_no_clash(student, slot)
    held = taken.picked_in(slot.course) or Hold(student=student, course=slot.course)
    may_wait = True
    if held.pk is None or held.place.slot_id != slot.pk or held.until <= timezone.now():
        held.place = first_free_place(slot, student)
        held.until = held.place.kept_until or until
        may_wait = held.place.student_waits
    held.until = max(held.until, until)
    if may_wait:
        waiting_moves.end_waits(student, slot)
    held.save()
    return held


@prepared
def _picked(student: int, course: int) -> QuerySet[Hold]:
    holds = Hold.objects.filter(student=student, course=course, entry=None)
    return holds.select_related("place").order_by("pk")[:1]


def let_go(student: Student, course: Course) -> None:
    """The place picked for the student in the course, if any, is free again; an offer stays."""
    if held := _picked(student.pk, course.pk):  # the DELETE of nothing costs more than to look
        held[0].delete()


@transaction.atomic
def place(
    enrolment: Enrolment,
    slot: Slot,
    *,
    ahead: bool = False,
    actor: User | None = None,
    reason: str = "",
) -> Enrolment:
    """Seats a live enrolment in the slot; the seat it held goes back once the new one is taken.

    Already seated there, nothing changes. `ahead`, `actor`, `reason`: see `claim`. Raises
    ValidationError, code `slot_full` or `slot_awaited` (whose `params["slot"]` is the slot),
    `slot_gone`, `wrong_course`, `clash` or `bad_transition` (released).
    """
    slot = _lock_slot(slot)
    enrolment = lock_enrolment(enrolment)
    if enrolment.status == EnrolmentStatus.RELEASED:
        raise ValidationError("Cette inscription a été rendue.", code="bad_transition")
    if enrolment.course_id != slot.course_id:
        raise ValidationError(
            "Le créneau «\u00a0%(slot)s\u00a0» n'est pas un créneau de ce cours.",
            code="wrong_course",
            params={"slot": slot},
        )
    if enrolment.slot == slot:
        return enrolment
    check_no_clash(enrolment.student, slot)
    return _take_place(enrolment, slot, ahead=ahead, actor=actor, reason=reason)


def confirm(enrolment: Enrolment) -> Enrolment:
    """The administration's yes. Raises ValidationError, code `bad_transition`."""
    return _move(enrolment, EnrolmentStatus.CONFIRMED)


def release(enrolment: Enrolment) -> Enrolment:
    """The enrolment ends and its seat is free again. Raises ValidationError, `bad_transition`."""
    return _move(enrolment, EnrolmentStatus.RELEASED)


@transaction.atomic
def set_capacity(slot: Slot, capacity: int) -> None:
    """Adds places, or removes free ones (highest numbers first), until there are `capacity`.

    Raises ValidationError, code `capacity_below_taken` or `slot_gone`.
    """
    slot = _lock_slot(slot)
    places, free = _places_and_free_ones(slot, capacity)
    surplus = free[: max(0, len(places) - capacity)]
    Place.objects.filter(pk__in=[place.pk for place in surplus]).delete()
    numbers = islice(_unused_numbers(places), max(0, capacity - len(places)))
    Place.objects.bulk_create(Place(slot=slot, number=number) for number in numbers)


@transaction.atomic
def check_capacity(slot: Slot, capacity: int) -> None:
    """Raises what `set_capacity` would; the answer holds until the caller's transaction ends."""
    _places_and_free_ones(_lock_slot(slot), capacity)


@transaction.atomic
def add_place(slot: Slot, *, reason: str) -> Place:
    """One student too many is a place more, with the reason why (design.md, section 4).

    Raises ValidationError, code `reason_required` or `slot_gone`, or under `reason` when it is
    longer than 200 characters.
    """
    slot = _lock_slot(slot)
    reason = reason.strip()
    if not reason:
        raise ValidationError(
            "Indiquez pourquoi une place est ajoutée à ce créneau.", code="reason_required"
        )
    added = Place(slot=slot, number=next(_unused_numbers(slot.places.all())), reason=reason)
    added.full_clean()
    added.save()
    return added


@transaction.atomic
def _move(enrolment, status):
    enrolment = lock_enrolment(enrolment)
    if status not in NEXT[enrolment.status]:
        raise ValidationError("Action déjà faite ou impossible.", code="bad_transition")
    note_move(enrolment, status)
    enrolment.status = status
    if status == EnrolmentStatus.RELEASED:
        enrolment.place = None
        waiting_moves.leave_all(
            enrolment.student, enrolment.course, reason="L'inscription à ce cours a été rendue."
        )
    enrolment.save(update_fields=["status", "place"])
    return enrolment


def _lock_slot(slot):
    try:
        return lock_slots([slot.pk])[slot.pk]
    except KeyError:
        raise ValidationError("Ce créneau n'existe plus.", code="slot_gone") from None


def _take_place(enrolment, slot, *, ahead, actor, reason):
    """The slot is locked: what is free now stays free until we commit."""
    free = first_free_place(slot, enrolment.student, ahead=ahead)
    former, enrolment.place = enrolment.place, free
    try:
        _save(enrolment)
        if free.student_waits or reason:
            waiting_moves.end_waits(enrolment.student, slot, actor=actor, reason=reason)
        note_seat(enrolment, former and former.slot, slot)
        return enrolment
    except IntegrityError:
        enrolment.place = former
        if not Enrolment.objects.filter(place=free).exists():
            raise
        # Somebody took a place without the slot's lock: the database stood firm, the code did not.
        logger.warning("claim stopped by the constraint: slot %s, place %s", slot.pk, free.pk)
        raise slot_full(slot) from None


def _save(enrolment):
    """In a savepoint, so that a constraint's refusal leaves the caller's transaction usable.

    Enrolled, the student needs no hold in the course any more.
    """
    enrolment.clean_fields(exclude={"student", "course", "place"})
    try:
        with transaction.atomic():
            if enrolment._state.adding:
                enrolment.save(force_insert=True)
            else:
                enrolment.save(update_fields=["place"])
    except IntegrityError:
        if enrolment._state.adding:
            # The other household, at the same instant.
            check_not_enrolled(enrolment.student, enrolment.course)
        raise
    let_go(enrolment.student, enrolment.course)
    return enrolment


def _places_and_free_ones(slot, capacity):
    free_expired_holds(slot)
    places = list(slot.places.select_related("enrolment", "hold").order_by("-number"))
    free = [p for p in places if not hasattr(p, "enrolment") and not hasattr(p, "hold")]
    check_capacity_of(len(places) - len(free), capacity)
    return places, free


def _unused_numbers(places):
    used = {place.number for place in places}
    return (number for number in count(1) if number not in used)
