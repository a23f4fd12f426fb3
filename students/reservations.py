"""Places kept for many students at once: what the publication of an allotment does."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from students import services
from students.free_places import free_expired_holds
from students.models import Hold, Place, Slot, Student

BATCH = 500  # rows of one INSERT


@transaction.atomic
def reserve(plan: Sequence[tuple[Student, Slot]], *, until: dt.datetime) -> list[Hold]:
    """Keeps a place for each student of the plan until that moment, or none for anybody.

    Those who wait for the slots do not come first: the plan is their order. The caller has seen to
    it that no student has, or holds, another lesson at that time (students.allotment). Raises
    ValidationError, code `slot_full`, one message for each slot.
    """
    wanted = defaultdict(list)
    for student, slot in plan:
        wanted[slot.pk].append((student, slot))
    locked = services.lock_slots(wanted)
    for slot in locked.values():
        free_expired_holds(slot)
    free = _free_places(locked)
    lacking = [
        _lacking(rows[0][1], len(rows), len(free[key]))
        for key, rows in sorted(wanted.items())
        if len(free[key]) < len(rows)
    ]
    if lacking:
        raise ValidationError(lacking)
    return Hold.objects.bulk_create(
        (
            Hold(place=place, student=student, course=slot.course, until=until)
            for key, rows in sorted(wanted.items())
            for (student, slot), place in zip(rows, free[key], strict=False)
        ),
        batch_size=BATCH,
    )


def _free_places(slots):
    free = defaultdict(list)
    for place in Place.objects.filter(slot__in=slots, enrolment=None, hold=None):
        free[place.slot_id].append(place)
    return free


def _lacking(slot, wanted, free):
    several = "s" if wanted > 1 else ""
    return ValidationError(
        "Le créneau «\u00a0%(slot)s\u00a0» n'a plus assez de places\u00a0: %(wanted)d"
        f" attribuée{several}, %(free)d libre" + ("s." if free > 1 else "."),
        code="slot_full",
        params={"slot": slot, "wanted": wanted, "free": free},
    )
