"""What a course of the coming year has otherwise than its namesake of the year before, in words."""

from collections.abc import Mapping

from accounts.dates import NBSP
from students.models import Course, Slot
from students.suitability import audience_of

Places = Mapping[Slot, int]


def changes_between(former: Course, coming: Course, before: Places, after: Places) -> list[str]:
    """A sentence each; none when nothing has changed. `before`, `after`: slots and their places."""
    said = [
        _said(what, old, new)
        for what, old, new in [
            ("cycle", former.get_cycle_display(), coming.get_cycle_display()),
            ("horaire", former.get_scheduling_display(), coming.get_scheduling_display()),
            ("enseignant", former.teacher, coming.teacher),
            ("pour", audience_of(former) or "tous", audience_of(coming) or "tous"),
        ]
        if old != new
    ]
    pairs, gone, new = _pairs(list(before), list(after))
    for old_slot, new_slot in pairs:
        if changed := _of_slot(old_slot, before[old_slot], new_slot, after[new_slot]):
            said.append(f"{old_slot.within_course}{NBSP}: {', '.join(changed)}")
    said += [f"{slot.within_course}{NBSP}: non repris" for slot in gone]
    said += [f"{slot.within_course}{NBSP}: nouveau" for slot in new]
    return said


def _said(what, old, new):
    """« salle Satie au lieu de Ravel », « sans salle (Ravel avant) », « salle Satie »."""
    if not new:
        return f"sans {what} ({old} avant)"
    return f"{what} {new} au lieu de {old}".strip() if old else f"{what} {new}"


def _pairs(before, after):
    """The slots of the same group at the same hour; then those of one group, at another hour."""
    pairs = []
    for same in (
        lambda slot: (slot.group, slot.weekday, slot.starts_at),
        lambda slot: slot.group,
    ):
        for old in list(before):
            twins = [new for new in after if same(new) == same(old)]
            alone = [other for other in before if same(other) == same(old)]
            if len(twins) == len(alone) == 1:
                pairs.append((old, twins[0]))
                before.remove(old)
                after.remove(twins[0])
    return pairs, before, after


def _of_slot(old, places, new, new_places):
    when = [slot.within_course.removeprefix(f"{slot.group} – ") for slot in (old, new)]
    return [
        _said(what, one, other)
        for what, one, other in [
            ("", when[0], when[1]),
            ("salle", old.room, new.room),
            ("enseignant", old.teacher, new.teacher),
            ("places\u00a0:", str(places), str(new_places)),
            ("pour", _own_audience(old), _own_audience(new)),
        ]
        if one != other
    ]


def _own_audience(slot):
    """What it says beside its course, whose own change is said once."""
    own = [slot.age_from, slot.age_to, slot.cycle_year_from, slot.cycle_year_to]
    is_own = any(each is not None for each in own)
    return audience_of(slot) if is_own else f"«{NBSP}comme le cours{NBSP}»"
