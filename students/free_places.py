"""Which place of a slot a student gets, and what was held too long there. The slot is locked."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    When,
)
from django.utils import timezone

from accounts.prepared import prepared
from students import waiting_moves
from students.enums import WaitingState
from students.models import Hold, Place, Slot, Student, WaitingEntry


def first_free_place(slot: Slot, student: Student, *, ahead: bool = False) -> Place:
    """The place held for the student comes first, picked even late.

    Its `kept_until` is the end of his hold, else None; `student_waits`: does he for the course?
    Raises ValidationError `slot_full`, or `slot_awaited` when the free ones are for others.
    """
    found = _first_free_places(slot.pk, slot.course_id, student.pk, timezone.now())
    if not found:
        raise slot_full(slot)
    [place] = found
    if place.kept_until:
        return place
    if place.was_held or place.others_wait:
        free_expired_holds(slot, but_of=student)
    if ahead or not place.others_wait:
        return place
    others = _others_waiting(student.pk, slot.pk, slot.course_id)
    if not others or _free_places(slot.pk, student.pk).count() > len(others):
        return place
    raise ValidationError(
        "Le créneau «\u00a0%(slot)s\u00a0» est complet\u00a0: la place qui s'y libère revient à la "
        "liste d'attente.",
        code="slot_awaited",
        params={"slot": slot},
    )


@prepared
def _first_free_places(slot: int, course: int, student: int, now: dt.datetime) -> QuerySet[Place]:
    """One or none, with what `first_free_place` asks of it.

    `was_held`: by somebody, until a moment that is over. `others_wait`: for the slot, whether or
    not a place is kept for them there.
    """
    # Of an offer whose time is over nothing is left.
    his = Q(hold__student=student) & (Q(hold__entry=None) | Q(hold__until__gt=now))
    is_over = Q(hold__until__lte=now)
    waiting = WaitingEntry.objects.waiting().for_slot(Slot(pk=slot, course_id=course))
    waits = WaitingEntry.objects.live().filter(student=student, course=course)
    return (
        Place.objects.filter(slot=slot, enrolment=None)
        .filter(Q(hold=None) | his | is_over)
        .annotate(
            kept=Case(When(his, then=F("hold"))),
            kept_until=Case(When(his, then=F("hold__until"))),
            was_held=ExpressionWrapper(is_over & ~his, output_field=BooleanField()),
            others_wait=Exists(waiting.exclude(student=student)),
            student_waits=Exists(waits),
        )
        .order_by(F("kept").asc(nulls_last=True), "number")[:1]
    )


def _free_places(slot, student):
    free = Place.objects.filter(slot=slot, enrolment=None)
    return free.filter(Q(hold=None) | Q(hold__student=student))


@prepared
def _others_waiting(student: int, slot: int, course: int) -> QuerySet:
    """The keys of those who wait for the slot and have no place kept there."""
    others = WaitingEntry.objects.waiting().for_slot(Slot(pk=slot, course_id=course))
    kept = Place.objects.filter(slot=slot, hold__student=OuterRef("student"))
    others = others.exclude(student=student).exclude(Exists(kept))
    return others.order_by().values_list("student", flat=True).distinct()


def free_expired_holds(slot: Slot, *, but_of: Student | None = None) -> None:
    """What was held too long is free; the offers among them have expired.

    `but_of`: what this student picked stays his; of an offer whose time is over nothing is left.
    """
    keys = _expired_holds(slot.pk, but_of and but_of.pk, timezone.now())
    if not keys:  # most of the time
        return
    expired = Hold.objects.filter(pk__in=keys)
    offered = WaitingEntry.objects.filter(state=WaitingState.OFFERED, hold__in=expired)
    for entry in waiting_moves.lock(offered):
        waiting_moves.move(entry, WaitingState.EXPIRED, slot=slot)
    expired.delete()


@prepared
def _expired_holds(slot: int, but_of: int | None, now: dt.datetime) -> QuerySet:
    """Their keys."""
    expired = Hold.objects.filter(place__slot=slot, until__lte=now)
    if but_of is not None:
        expired = expired.exclude(student=but_of, entry=None)
    return expired.order_by().values_list("pk", flat=True)


def slot_full(slot: Slot) -> ValidationError:
    return ValidationError(
        "Le créneau «\u00a0%(slot)s\u00a0» est complet.", code="slot_full", params={"slot": slot}
    )
