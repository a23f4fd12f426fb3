"""A slot closed to the families in mid-rush: no longer offered, nobody loses what he has.

Whoever holds a place may still ask for it; agents may still seat a student there.
"""

from django.core.exceptions import ValidationError
from django.utils import timezone

from students.models import Hold, Slot, Student


def close(slot: Slot) -> None:
    """Raises ValidationError, code `already_closed`."""
    # One UPDATE waits, as `lock_slots` does, for the families that are picking the slot.
    if not Slot.objects.filter(pk=slot.pk, closed_at=None).update(closed_at=timezone.now()):
        raise ValidationError("Ce créneau est déjà fermé aux familles.", code="already_closed")


def reopen(slot: Slot) -> None:
    """Raises ValidationError, code `already_open`."""
    if not Slot.objects.filter(pk=slot.pk, closed_at__isnull=False).update(closed_at=None):
        raise ValidationError("Ce créneau est déjà ouvert aux familles.", code="already_open")


def check_not_closed(student: Student, slot: Slot) -> None:
    """Raises ValidationError, code `slot_closed`, unless a place of the slot is held for him.

    The slot is locked by the caller.
    """
    if slot.closed_at is None:
        return
    if not Hold.objects.filter(
        student=student, place__slot=slot, until__gt=timezone.now()
    ).exists():
        raise ValidationError(
            "Le créneau «\u00a0%(slot)s\u00a0» n'est plus proposé aux familles.",
            code="slot_closed",
            params={"slot": slot},
        )
