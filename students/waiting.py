"""Every write on the waiting list, but the seats themselves (students.services).

A place that frees itself while somebody waits is offered to the first of the line: it is held for
him until the offer's end, so that no other door can give it away. Nothing but `offer_next` passes
a place on, and nothing is lost if it comes late: until then the place is open to nobody else.
"""

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from students import services, waiting_moves
from students.closing import check_not_closed
from students.enums import WaitingState
from students.free_places import free_expired_holds
from students.models import Course, Enrolment, Hold, Slot, Student, WaitingEntry, WaitingMove
from students.suitability import level_towards, misfits
from students.waiting_order import Rule, lines_of

REASON_LENGTH = 300  # characters, WaitingMove.reason
OTHERS = "Cet horaire est maintenant pour un autre âge ou un autre niveau."
SOME = (
    "Un horaire du cours est maintenant pour un autre âge ou un autre niveau\u00a0: la demande "
    "porte sur chacun des autres, avec sa date."
)


@transaction.atomic
def set_wishes(
    student: Student,
    course: Course,
    wishes: Sequence[Slot | None],
    *,
    actor: User | None,
    seen: Sequence[int | None] | None = None,
) -> None:
    """What the student waits for in the course, the preferred first; None: any slot of it.

    A wish kept keeps its place in the line, whatever its rank among the wishes; one that is not
    named any more is withdrawn; an offer under way stays, one whose time is over has expired.
    `seen`: the keys of the slots that the page showed, in order. Raises ValidationError, code
    `wrong_course`, `twice`, `already_there` for a slot where he has his place, and for « any »
    once he has one, `slot_closed` for one that he did not wait for before, or `stale`, when
    somebody else changed the wishes since they were seen.
    """
    slots = services.lock_slots(course.slots.values_list("pk", flat=True))
    for slot in slots.values():
        free_expired_holds(slot)
    _check_wishes(student, course, wishes)
    live = WaitingEntry.objects.live().filter(student=student, course=course)
    entries = {entry.slot_id: entry for entry in waiting_moves.lock(live)}
    wanted = [slot and slot.pk for slot in wishes]
    _check_seen(entries.values(), seen, wanted)
    for key, entry in entries.items():
        if key not in wanted and entry.state == WaitingState.WAITING:
            waiting_moves.move(
                entry, WaitingState.LEFT, actor=actor, reason="Retirée par la famille."
            )
    for preference, key in enumerate(wanted, start=1):
        if key in entries:
            WaitingEntry.objects.filter(pk=entries[key].pk).update(preference=preference)
        else:
            if key:
                check_not_closed(student, slots[key])
            _join(student, course, key, preference, actor)


@transaction.atomic
def offer_next(slot: Slot, rule: Rule, *, delay: dt.timedelta) -> WaitingEntry | None:
    """Holds a free place of the slot for the first of its line; None if there is none of either.

    Whoever has a place kept there already needs no second one, by « any slot ». Nor is one offered
    of a slot closed to the families: its line waits until it is open again.
    """
    locked = services.lock_slots([slot.pk]).get(slot.pk)
    if locked is None or locked.closed_at:
        return None
    free_expired_holds(locked)
    lines, place = lines_of([locked.course], rule), _free_place(locked)
    served = set(Hold.objects.filter(place__slot=locked).values_list("student", flat=True))
    line = (entry for entry in lines.of(locked) if entry.student_id not in served)
    first = next((entry for entry in line if _is_for(locked, entry.student)), None)
    if first is None or place is None:
        return None
    entry = _lock(first)
    if entry.state != WaitingState.WAITING:  # withdrawn at this instant: the next turn
        return None
    return _offer(entry, place, delay, lines, reason=_why(first, rule))


@transaction.atomic
def end_unsuited(slot: Slot) -> None:
    """Nobody waits for a place that is for another age or level: its family could not take it.

    « Any slot » was asked when all of them were for the student: it becomes a wish for each of
    those that still are, as much liked and of the same date. Otherwise a place would be kept for
    him that is never offered.
    """
    waiting = WaitingEntry.objects.waiting().for_slot(slot).select_related("student")
    unsuited = [entry.pk for entry in waiting if not _is_for(slot, entry.student)]
    if not unsuited:
        return
    slots = services.lock_slots(slot.course.slots.values_list("pk", flat=True))
    for entry in waiting_moves.lock(WaitingEntry.objects.waiting().filter(pk__in=unsuited)):
        if entry.slot_id is None:
            _wish_for_each(entry, [each for each in slots.values() if _is_for(each, entry.student)])
        waiting_moves.move(entry, WaitingState.LEFT, reason=OTHERS if entry.slot_id else SOME)


@transaction.atomic
def offer_to(
    entry: WaitingEntry, slot: Slot, rule: Rule, *, delay: dt.timedelta, actor: User, reason: str
) -> WaitingEntry:
    """An agent offers a free place to whom he chooses; before others, he says why.

    Raises ValidationError, code `slot_full`, `bad_transition` (he waits no more),
    `wrong_course`, or `reason_required`.
    """
    locked = services.lock_slots([slot.pk])[slot.pk]
    free_expired_holds(locked)
    entry = _lock(entry)
    waiting_moves.check_move(entry, WaitingState.OFFERED)
    if entry.slot_id not in (locked.pk, None) or entry.course_id != locked.course_id:
        raise ValidationError("Cette demande n'est pas pour ce créneau.", code="wrong_course")
    lines, place = lines_of([locked.course], rule), _free_place(locked)
    if place is None:
        raise ValidationError(
            "Aucune place de ce créneau n'est libre\u00a0: ajoutez-en une d'abord.",
            code="slot_full",
        )
    if lines.rank(entry.student, locked) != 1:
        check_reason(reason.strip())
    return _offer(entry, place, delay, lines, actor=actor, reason=reason.strip())


@transaction.atomic
def decline(entry: WaitingEntry, *, actor: User) -> None:
    """« Refuser »: the place goes on to the next. Raises ValidationError `bad_transition`."""
    entry = _lock(entry)
    waiting_moves.move(entry, WaitingState.DECLINED, actor=actor, slot=entry.offered_slot)


@transaction.atomic
def remove(entry: WaitingEntry, *, actor: User, reason: str) -> None:
    """An agent takes a wish off the list. Raises `reason_required`, `bad_transition`."""
    check_reason(reason.strip())
    waiting_moves.move(_lock(entry), WaitingState.LEFT, actor=actor, reason=reason.strip())


def check_reason(reason: str) -> None:
    """Raises ValidationError `reason_required`, `reason_too_long`: the family may ask for it."""
    if not reason:
        raise ValidationError(
            "Dites pourquoi\u00a0: la famille peut demander comment sa place a été décidée.",
            code="reason_required",
        )
    if len(reason) > REASON_LENGTH:
        raise ValidationError(
            f"Le motif compte {REASON_LENGTH} caractères au plus.", code="reason_too_long"
        )


def check_order(student: Student, slot: Slot, *, reason: str, rule: Rule | None = None) -> str:
    """What the log keeps of an agent's placing: why it passes before others, or nothing.

    It passes nobody when the place is kept for the student, when he sits there already, or when a
    free place is left for each of those before him. Without the `rule` of the campaign, all the
    others are before him. The slot is locked. Raises as `check_reason`.
    """
    free_expired_holds(slot, but_of=student)
    own = Q(enrolment__student=student) | Q(hold__student=student)
    if slot.places.filter(own).exists():
        return ""
    line = [entry.student_id for entry in lines_of([slot.course], rule or Rule([], 0)).of(slot)]
    if rule is None:
        before = len(set(line) - {student.pk})
    else:
        before = line.index(student.pk) if student.pk in line else len(line)
    free = slot.places.filter(enrolment=None, hold=None).count()
    if free == 0 or free > before:  # a full slot: claiming says so
        return ""
    check_reason(reason.strip())
    return reason.strip()


def check_offer_runs(entry: WaitingEntry) -> Hold:
    """The place kept for a locked entry. Raises ValidationError `bad_transition`, `too_late`."""
    offered = Hold.objects.filter(entry=entry).select_related("place__slot__course").first()
    if offered is None:
        waiting_moves.check_move(entry, WaitingState.ACCEPTED)
        raise ValidationError("Aucune place n'est proposée.", code="bad_transition")
    if offered.until <= timezone.now():
        raise ValidationError(
            "Le délai pour accepter cette place est passé\u00a0: elle est proposée à la famille "
            "suivante.",
            code="too_late",
        )
    return offered


def _check_wishes(student, course, wishes):
    if any(slot is not None and slot.course_id != course.pk for slot in wishes):
        raise ValidationError("Ce créneau n'est pas de ce cours.", code="wrong_course")
    if len({slot and slot.pk for slot in wishes}) < len(wishes):
        raise ValidationError("Chaque créneau ne se choisit qu'une fois.", code="twice")
    seated = Enrolment.objects.live().filter(student=student, course=course, place__isnull=False)
    seat = seated.select_related("place__slot").first()
    if seat and (None in wishes or seat.slot in wishes):
        raise ValidationError(
            "%(student)s a déjà une place le %(slot)s.",
            code="already_there",
            params={"student": student, "slot": seat.slot},
        )


def _check_seen(entries, seen, wanted):
    stored = [entry.slot_id for entry in sorted(entries, key=lambda e: (e.preference, e.pk))]
    if seen is not None and stored not in (list(seen), wanted):
        raise ValidationError(
            "Une autre personne, un autre onglet ou une réponse a changé ces vœux entre-temps.",
            code="stale",
        )


def _wish_for_each(entry, slots):
    """One that he wished for already is waited for since the earlier of the two dates."""
    live = WaitingEntry.objects.live().filter(student=entry.student, slot__in=slots)
    named = set(live.values_list("slot", flat=True))
    live.filter(since__gt=entry.since).update(since=entry.since)
    rank = {"since": entry.since, "draw": entry.draw}
    for slot in slots:
        if slot.pk not in named:
            _join(entry.student, entry.course, slot.pk, entry.preference, None, **rank)


def _join(student, course, slot_id, preference, actor, *, since=None, draw=None):
    entry = WaitingEntry(
        student=student,
        course=course,
        slot_id=slot_id,
        preference=preference,
        since=since or timezone.now(),
        draw=draw,
    )
    entry.save(force_insert=True)
    WaitingMove.objects.create(
        entry=entry, to_state=WaitingState.WAITING, actor=actor, slot_id=slot_id
    )


def _offer(entry, place, delay, lines, *, actor=None, reason):
    waiting_moves.move(
        entry, WaitingState.OFFERED, actor=actor, slot=place.slot, lines=lines, reason=reason
    )
    until = timezone.now() + delay
    Hold.objects.create(
        place=place, student=entry.student, course=entry.course, until=until, entry=entry
    )
    return entry


def _is_for(slot, student):
    return not misfits(slot, student, level_towards(slot.course, student))


def _why(entry, rule):
    return " ; ".join(criterion.label for criterion in rule.met_by(entry))


def _free_place(slot):
    return slot.places.filter(enrolment=None, hold=None).order_by("number").first()


def _lock(entry):  # a fresh row: the caller's copy may be stale
    return waiting_moves.lock(WaitingEntry.objects.filter(pk=entry.pk))[0]
