"""What a checked list writes, once an agent has seen what it would change."""

from django.db import transaction

from accounts.spreadsheets.saving import save_rows
from students import services
from students.models import Course, Custody, Slot, Student


def save_students(created: list[Student], changed: list[tuple[Student, list[str]]]) -> None:
    """Writes the rows of a checked list; `changed` names the attributes of each row."""
    save_rows(created, changed)


def save_courses(created: list[Course], changed: list[tuple[Course, list[str]]]) -> None:
    """Writes the rows of a checked list; `changed` names the attributes of each row."""
    save_rows(created, changed)


@transaction.atomic
def save_custodies(created: list[Custody], changed: list[Custody]) -> None:
    """Writes the rows of a checked list; what changes of a custody is its rank.

    Two households that change places would meet on one rank: the rows are made anew, under the
    same keys.
    """
    Custody.objects.filter(pk__in=[custody.pk for custody in changed]).delete()
    save_rows(changed, [])
    save_rows(created, [])


@transaction.atomic
def save_slots(created: list[tuple[Slot, int]], changed: list[tuple[Slot, list[str]]]) -> None:
    """Writes the rows of a checked list; a new slot comes with its capacity.

    Among the attributes of a changed one may be `capacity`. Raises as services.set_capacity.
    """
    services.lock_slots(slot.pk for slot, _ in changed)
    own = [(slot, [name for name in names if name != "capacity"]) for slot, names in changed]
    save_rows([slot for slot, _ in created], own)
    moved = [(slot, slot.capacity) for slot, names in changed if "capacity" in names]
    for slot, capacity in [*created, *moved]:
        services.set_capacity(slot, capacity)
