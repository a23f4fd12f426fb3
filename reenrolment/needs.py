"""« Besoins par discipline »: what the coming year is asked for, and what it has to give.

For each course of a year, how many students go, may go or wait for it, and its places: what is
missing, and what will be left. Everything is counted by the database: as many queries with 900
students as with 20,000.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Establishment
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment
from students.enums import Cycle, EnrolmentStatus
from students.models import Course, Discipline, Enrolment, Hold, SchoolYear, Slot, WaitingEntry
from students.models.waiting import awaited_by


@dataclass(frozen=True)
class Figures:
    """How many students, and how many places.

    `expected`: who follows this year a course that leads to this one; `unanswered`: those of them
    who have asked for nothing yet, nor sent their dossier. `wanted`: the students who go, may go or
    wait for it, each once. A course whose hours are fixed has no places: nothing is missing there.
    """

    expected: int = 0
    unanswered: int = 0
    requested: int = 0
    confirmed: int = 0
    waiting: int = 0
    held: int = 0
    places: int = 0
    free: int = 0
    wanted: int = 0
    missing: int = 0
    spare: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        """What is missing in one course is not made up for by what another has to spare."""
        mine, theirs = vars(self), vars(other)
        return Figures(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def taken(self) -> int:
        return self.places - self.free

    @property
    def rate(self) -> int | None:
        """Of the places taken or held, in whole percents; None without places."""
        return self.taken * 100 // self.places if self.places else None


@dataclass(frozen=True)
class SlotNeed:
    """`waiting` are those who wait for it, or for any of the course."""

    slot: Slot
    figures: Figures

    @property
    def said(self) -> str:
        if self.slot.closed_at:
            return "fermé aux familles"
        return "" if self.figures.free else "complet"


@dataclass(frozen=True)
class CourseNeed:
    course: Course
    figures: Figures
    slots: list[SlotNeed]
    unseated: int  # who ask for the course, or are in it, without a place in a slot

    @property
    def said(self) -> str:
        return said_of(self.figures) if self.course.has_slots else self._without_slots

    @property
    def _without_slots(self):
        number = self.figures.wanted
        return f"{number} élève{'s' if number > 1 else ''}, {self.course.get_scheduling_display()}"

    @property
    def sort(self):
        course = self.course
        return -self.figures.missing, -self.figures.spare, course.sort_name, course.pk


@dataclass(frozen=True)
class DisciplineNeed:
    discipline: Discipline
    courses: list[CourseNeed] = field(default_factory=list)

    @cached_property
    def figures(self) -> Figures:
        return total_of(self.courses)

    @property
    def has_places(self) -> bool:
        """False where all the hours are fixed by the teachers or the school."""
        return any(need.course.has_slots for need in self.courses)

    @property
    def said(self) -> str:
        return said_of(self.figures) if self.has_places else "horaires fixés, sans créneau"

    @property
    def sort(self):
        figures = self.figures
        return -figures.missing, -figures.spare, self.discipline.sort_name


def said_of(figures: Figures) -> str:
    """« il manque 14 places », « 9 places resteront libres », both, or « juste assez »."""
    said = []
    if figures.missing:
        several = "s" if figures.missing > 1 else ""
        said.append(f"il manque {figures.missing} place{several}")
    if figures.spare:
        one = "1 place restera libre"
        said.append(f"{figures.spare} places resteront libres" if figures.spare > 1 else one)
    return ", ".join(said) or "juste assez de places"


def total_of(needs) -> Figures:
    return sum((need.figures for need in needs), Figures())


def year_before(year: SchoolYear) -> SchoolYear | None:
    """The one whose students are expected in `year`."""
    return SchoolYear.objects.filter(starts_on__lt=year.starts_on).order_by("-starts_on").first()


def awaits_answers(site: Establishment, year: SchoolYear) -> bool:
    """False once the campaign is over: who has not answered by then is not reckoned with."""
    campaigns = Campaign.objects.filter(establishment=site, school_year=year)
    ends = campaigns.aggregate(last=Max("closes_at"))["last"]
    return ends is None or ends > timezone.now()


def needs_of(
    site: Establishment, year: SchoolYear, *, awaited: bool = True, cycle: Cycle | None = None
) -> list[DisciplineNeed]:
    """Where most is missing first. Eight queries.

    `awaited`: does whoever has not answered count among those who may go (`awaits_answers`)?
    `cycle`: the only one whose courses are wanted.
    """
    courses = Course.objects.filter(establishment=site, school_year=year)
    if cycle is not None:
        courses = courses.filter(cycle=cycle)
    counts = _counts(site, year, year_before(year))
    slots = _slots(courses)
    by_discipline = {}
    for course in courses.select_related("discipline"):
        need = _need(course, slots[course.pk], counts[course.pk], awaited)
        found = by_discipline.setdefault(course.discipline_id, DisciplineNeed(course.discipline))
        found.courses.append(need)
    for found in by_discipline.values():
        found.courses.sort(key=lambda need: need.sort)
    return sorted(by_discipline.values(), key=lambda need: need.sort)


def shortest_of(needs: list[DisciplineNeed], most: int = 5) -> list[CourseNeed]:
    """The courses where most is missing."""
    short = [each for need in needs for each in need.courses if each.figures.missing]
    return sorted(short, key=lambda need: need.sort)[:most]


def _need(course, slots, counts, awaited):
    places = sum(need.figures.places for need in slots)
    wanted = counts["confirmed"] + counts["requested"] + counts["picked"]
    wanted += counts["only_waiting"] + (counts["unanswered"] if awaited else 0)
    figures = Figures(
        expected=counts["expected"],
        unanswered=counts["unanswered"],
        requested=counts["requested"],
        confirmed=counts["confirmed"],
        waiting=counts["waiting"],
        held=sum(need.figures.held for need in slots),
        places=places,
        free=sum(need.figures.free for need in slots),
        wanted=wanted,
        missing=max(0, wanted - places) if course.has_slots else 0,
        spare=max(0, places - wanted) if course.has_slots else 0,
    )
    return CourseNeed(course, figures, slots, counts["unseated"] if course.has_slots else 0)


def _slots(courses):
    """By course, in the week's order. One query."""
    found = defaultdict(list)
    slots = Slot.objects.filter(course__in=courses).with_places().with_students()
    slots = slots.annotate(awaited=awaited_by()).select_related("course", "teacher")
    for slot in slots:
        figures = Figures(
            requested=slot.requested,
            confirmed=slot.confirmed,
            waiting=slot.awaited,
            held=slot.held,
            places=slot.capacity,
            free=slot.places_left,
        )
        found[slot.course_id].append(SlotNeed(slot, figures))
    return found


def _counts(site, year, previous):
    """By course and by what is counted. Five queries."""
    counts = defaultdict(lambda: defaultdict(int))
    ours = {"course__establishment": site, "course__school_year": year}
    live, picked = _live(), _picked()
    for name, rows in {
        "": live.filter(**ours).values("course").annotate(**_STATUSES),
        "picks": picked.filter(**ours).values("course").annotate(picked=Count("pk")),
        "waiting": _waits(ours).annotate(waiting=Count("student", distinct=True)),
        "only": _waits(ours)
        .exclude(Exists(_his(live)))
        .exclude(Exists(_his(picked)))
        .annotate(only_waiting=Count("student", distinct=True)),
        "expected": _expected(site, year, previous),
    }.items():
        for row in rows.order_by():
            course = row.pop("target" if name == "expected" else "course")
            counts[course].update(row)
    return counts


_STATUSES = {
    "requested": Count("pk", filter=Q(status=EnrolmentStatus.REQUESTED)),
    "confirmed": Count("pk", filter=Q(status=EnrolmentStatus.CONFIRMED)),
    "unseated": Count("pk", filter=Q(place=None)),
}


def _live():
    return Enrolment.objects.live()


def _picked():
    """The places kept while a family fills in its dossier: not those offered to who waits."""
    return Hold.objects.filter(until__gt=timezone.now(), entry=None)


def _waits(ours):
    return WaitingEntry.objects.live().filter(**ours).order_by().values("course")


def _his(rows):
    """Those of the same student and course, inside a query on waiting entries."""
    return rows.filter(student=OuterRef("student"), course=OuterRef("course"))


def _expected(site, year, previous):
    """By the course that they are to follow: who is expected there, and who has not answered.

    To have sent one's dossier is an answer, to have a place, to pick one or to wait for one too.
    """
    followed = Enrolment.objects.confirmed().filter(
        course__establishment=site, course__school_year=previous
    )
    towards = Coalesce("next_course", "course__next_course")
    followed = followed.annotate(target=towards).filter(
        target__in=Course.objects.filter(establishment=site, school_year=year).values("pk")
    )
    sent = Reenrolment.objects.filter(
        student=OuterRef("student"),
        campaign__establishment=site,
        campaign__school_year=year,
    ).exclude(status=Status.DRAFT)
    answers = [sent]
    for rows in (_live(), _picked(), WaitingEntry.objects.live()):
        answers.append(rows.filter(student=OuterRef("student"), course=OuterRef("target")))
    silent = Q(*[~Exists(rows.order_by()) for rows in answers])
    return (
        followed.order_by()
        .values("target")
        .annotate(
            expected=Count("student", distinct=True),
            unanswered=Count("student", distinct=True, filter=silent),
        )
    )
