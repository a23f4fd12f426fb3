"""What one run of an allotment gives: its figures, and its lines one by one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db import models

from reenrolment.models import Allocation, Allotment
from students.enums import Fate
from students.models import Course, Slot


class View(models.TextChoices):
    """Which lines are shown; the values stand in the address."""

    ALL = "tous", "tous les élèves"
    WITHOUT = "sans-place", "sans place"
    CLASHING = "meme-heure", "avec un vœu à l'heure d'un autre cours"
    CHANGED = "changes", "changés à la main"
    DIFFERENT = "differents", "qui diffèrent du calcul précédent"
    PREVENTED = "empeches", "dont la place n'a pas pu être donnée"


@dataclass(frozen=True)
class Figures:
    """How many students got which of their wishes, in a course or in all of them."""

    course: Course | None
    rows: Sequence[Allocation]

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def placed(self) -> int:
        return self.total - self.without

    @property
    def without(self) -> int:
        return sum(row.slot_id is None for row in self.rows)

    @property
    def columns(self) -> list[int]:
        """First, second, third wish, a later one, a slot not wished for, none."""
        got = Counter(min(row.preference or 0, 4) for row in self.rows if row.slot_id)
        return [got[1], got[2], got[3], got[4], got[0], self.without]

    @property
    def share_of_first(self) -> int:
        """In per cent of the students."""
        return round(100 * self.columns[0] / self.total) if self.total else 0


@dataclass(frozen=True)
class SlotFigures:
    slot: Slot
    given: int
    left: int
    wanted_first: int


@dataclass(frozen=True)
class Line:
    """One student in one course, with what he had ranked in words."""

    allocation: Allocation
    wishes: Sequence[tuple[str, str]]  # the slot, what became of it
    former: str | None  # what the run before gave; None when it is the same, or there was none


@dataclass(frozen=True)
class Report:
    allotment: Allotment
    former: Allotment | None  # the run before it
    rows: Sequence[Allocation]
    slots: Mapping[int, Slot]  # with `capacity` and `places_left`
    before: Mapping[int, Slot | None]  # what the run before gave, by the key of the choice

    @property
    def total(self) -> Figures:
        return Figures(None, self.rows)

    @cached_property
    def courses(self) -> list[Figures]:
        rows = defaultdict(list)
        for row in self.rows:
            rows[row.course].append(row)
        return [Figures(course, of_course) for course, of_course in rows.items()]

    @cached_property
    def slot_figures(self) -> list[SlotFigures]:
        """In the order of the courses, then of the week."""
        given = Counter(row.slot_id for row in self.rows)
        first = Counter(row.wished[0] for row in self.rows if row.wishes)
        published = self.allotment.published_at is not None
        return [
            SlotFigures(
                slot,
                given=given[key],
                left=slot.places_left - (0 if published else given[key]),
                wanted_first=first[key],
            )
            for key, slot in self.slots.items()
        ]

    @cached_property
    def counts(self) -> list[tuple[View, int]]:
        return [(view, len(self.of(view))) for view in View]

    @property
    def to_settle(self) -> int:
        """Of one published: the students who have not got their place yet."""
        return sum(row.settled_at is None for row in self.rows)

    def of(self, view: View) -> list[Allocation]:
        return [row for row in self.rows if self._is_of(row, view)]

    def line(self, row: Allocation) -> Line:
        former = self.before[row.choice_id] if self._differs(row) else None
        return Line(
            row,
            [(wish["words"], Fate(wish["fate"]).label) for wish in row.wishes],
            str(former.within_course if former else "sans place") if self._differs(row) else None,
        )

    def free_in(self, row: Allocation) -> list[Slot]:
        """The slots of the course where the plan leaves a place, and the one of the line."""
        left = {figures.slot.pk: figures.left for figures in self.slot_figures}
        return [
            slot
            for key, slot in self.slots.items()
            if slot.course_id == row.course_id and (left[key] > 0 or key == row.slot_id)
        ]

    def _is_of(self, row, view):
        return {
            View.ALL: True,
            View.WITHOUT: row.slot_id is None,
            View.CLASHING: any(wish["fate"] == Fate.CLASH for wish in row.wishes),
            View.CHANGED: bool(row.reason),
            View.DIFFERENT: self._differs(row),
            View.PREVENTED: bool(row.problem),
        }[view]

    def _differs(self, row):
        return row.choice_id in self.before and self.before[row.choice_id] != row.slot


def report_of(allotment: Allotment) -> Report:
    """Four queries, whatever the number of lines."""
    rows = list(allotment.allocations.for_list())
    former = allotment.campaign.allotments.filter(pk__lt=allotment.pk).first()
    before = former.allocations.select_related("slot") if former else []
    slots = Slot.objects.with_places().select_related("course")
    slots = slots.filter(course__in={row.course_id for row in rows})
    return Report(
        allotment,
        former,
        rows,
        {
            slot.pk: slot
            for slot in slots.order_by("course__sort_name", "course", *Slot._meta.ordering)
        },
        {row.choice_id: row.slot for row in before},
    )
