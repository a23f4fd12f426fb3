"""The state machine of a wish on the waiting list: one lock, one move, one line in the log."""

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from students.enums import NEXT_WAITING, WaitingState
from students.models import Course, Hold, Slot, Student, WaitingEntry, WaitingMove
from students.waiting_order import Lines


def check_move(entry: WaitingEntry, to: WaitingState) -> None:
    """Raises ValidationError `bad_transition`: answered already, too late, or withdrawn."""
    if to not in NEXT_WAITING[entry.state]:
        raise ValidationError(
            "Cette demande est maintenant «\u00a0%(state)s\u00a0»\u00a0: "
            "l'action n'est plus possible.",
            code="bad_transition",
            params={"state": entry.get_state_display()},
        )


def move(
    entry: WaitingEntry,
    to: WaitingState,
    *,
    actor=None,
    slot: Slot | None = None,
    lines: Lines | None = None,
    reason: str = "",
) -> WaitingMove:
    """Moves a locked entry and logs it.

    `lines`, where the move follows the order of the list: the log keeps the rank and the number
    of those who waited. A place offered and not taken goes back. Raises as `check_move`.
    """
    check_move(entry, to)
    entry.state = to
    entry.save(update_fields=["state"])
    if to != WaitingState.OFFERED:
        Hold.objects.filter(entry=entry).delete()
    slot = slot or entry.slot
    return WaitingMove.objects.create(
        entry=entry,
        to_state=to,
        actor=actor,
        slot=slot,
        rank=lines.rank(entry.student, slot) if lines and slot else None,
        waiting=len(lines.of(slot)) if lines and slot else None,
        reason=reason,
    )


def leave_all(student: Student, course: Course, *, actor=None, reason: str) -> None:
    """The student waits for no place of the course any more."""
    for entry in lock(WaitingEntry.objects.live().filter(student=student, course=course)):
        move(entry, WaitingState.LEFT, actor=actor, reason=reason)


def lock(entries: QuerySet[WaitingEntry]) -> list[WaitingEntry]:
    """Fresh rows, held until the end of the transaction, by ascending key."""
    return list(_locked(entries))


def _locked(entries):
    rows = entries.select_related("student", "course", "slot__course").order_by("pk")
    return rows.select_for_update(of=["self"])


def end_waits(student: Student, slot: Slot, *, actor=None, reason: str = "") -> None:
    """With a place of the slot, he waits no more for it, nor for those that he likes no better.

    A seat, or a place that his family picked.
    `reason`: an agent, `actor`, seated him before others. Who did not wait is then written down as
    somebody served, so that the log of the slot tells every exception.
    """
    entries = _waits_of(student, slot.course)
    fulfilled = [entry for entry in entries if _is_fulfilled(entry, slot)]
    best = min((entry.preference for entry in fulfilled), default=None)
    for entry in entries:
        if entry in fulfilled:
            move(entry, WaitingState.ACCEPTED, actor=actor, slot=slot, reason=reason)
        elif best is not None and entry.preference >= best:
            why = f"Un vœu préféré est obtenu\u00a0: {slot}."
            move(entry, WaitingState.LEFT, actor=actor, reason=why)
    if reason and not fulfilled:
        _log_passing(student, slot, actor, reason)


def _log_passing(student, slot, actor, reason):
    entry = WaitingEntry.objects.create(
        student=student,
        course=slot.course,
        slot=slot,
        since=timezone.now(),
        state=WaitingState.ACCEPTED,
    )
    WaitingMove.objects.create(
        entry=entry, to_state=WaitingState.ACCEPTED, actor=actor, slot=slot, reason=reason
    )


def _waits_of(student, course):
    return _locked_waits(student.pk, course.pk)


@prepared
def _locked_waits(student: int, course: int) -> QuerySet[WaitingEntry]:
    entries = WaitingEntry.objects.live().filter(student=student, course=course)
    return _locked(entries.select_related("hold__place"))


def _is_fulfilled(entry, slot):
    offered = getattr(entry, "hold", None)
    return offered.place.slot_id == slot.pk if offered else entry.slot_id in (slot.pk, None)
