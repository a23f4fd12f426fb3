"""« Reconduire »: the courses of a year, with their slots, are made anew for the next one.

What exists already by its name is left as it is, so that it may be played again.
"""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q

from accounts.models import Establishment
from students.models import Course, Place, SchoolYear, Slot

BATCH = 500  # rows of one INSERT


@dataclass(frozen=True)
class Renewal:
    """A course of the former year, and what is made of it."""

    course: Course
    following: str  # the name of the course that it will lead to; empty: none is decided
    capacities: dict[Slot, int] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        return len(self.capacities)

    @property
    def places(self) -> int:
        return sum(self.capacities.values())


@dataclass(frozen=True)
class Plan:
    to_make: list[Renewal]
    existing: list[str]  # names of courses that the next year has already

    @property
    def slots(self) -> int:
        return sum(renewal.slots for renewal in self.to_make)

    @property
    def places(self) -> int:
        return sum(renewal.places for renewal in self.to_make)


def year_after(year: SchoolYear) -> SchoolYear | None:
    """The next one that somebody has made, None before that."""
    return SchoolYear.objects.filter(starts_on__gt=year.starts_on).order_by("starts_on").first()


def plan_of(establishment: Establishment, year: SchoolYear) -> Plan:
    """The dry run: nothing is written, whatever the number of courses six queries.

    Raises ValidationError, code `no_next_year`.
    """
    following_year = _year_after(year)
    known = set(_courses(establishment, following_year).values_list("name", flat=True))
    courses = list(_courses(establishment, year).select_related("next_course"))
    new = [course for course in courses if course.name not in known]
    led_to = _led_to(establishment, year)
    capacities = _capacities(new)
    return Plan(
        to_make=[
            Renewal(course, _following(course, led_to), capacities.get(course.pk, {}))
            for course in new
        ],
        existing=[course.name for course in courses if course.name in known],
    )


@transaction.atomic
def roll_over(establishment: Establishment, year: SchoolYear, *, expected: int) -> list[Course]:
    """Makes what `plan_of` announces, and gives the courses made.

    `expected` is the number of courses that the page announced. Raises ValidationError: `changed`
    when there are more or fewer to make now (a colleague has just done it), `nothing`,
    `no_next_year`.
    """
    # The site's row, as an import locks it: two agents, or an agent and an import, take turns.
    Establishment.objects.select_for_update().get(pk=establishment.pk)
    plan = plan_of(establishment, year)
    if len(plan.to_make) != expected:
        raise ValidationError(
            f"La page annonçait {expected} cours, il en reste {len(plan.to_make)} à"
            " reconduire\u00a0: relisez-la.",
            code="changed",
        )
    if not plan.to_make:
        raise ValidationError("Il n'y a plus rien à reconduire.", code="nothing")
    following_year = _year_after(year)
    made = Course.objects.bulk_create(
        [
            _copy(renewal.course, school_year=following_year, next_course=None)
            for renewal in plan.to_make
        ],
        batch_size=BATCH,
    )
    _copy_slots(plan, made)
    _link(plan, establishment, following_year)
    return made


def _year_after(year):
    following = year_after(year)
    if following is None:
        raise ValidationError(
            f"L'année qui suit {year} n'existe pas encore\u00a0: créez-la d'abord.",
            code="no_next_year",
        )
    return following


def _courses(establishment, year):
    return Course.objects.filter(establishment=establishment, school_year=year)


def _capacities(courses):
    """By course, then by slot: the places, but those added for one student too many."""
    found = {}
    slots = Slot.objects.filter(course__in=courses).select_related("course")
    for slot in slots.annotate(planned=Count("places", filter=Q(places__reason=""))):
        found.setdefault(slot.course_id, {})[slot] = slot.planned
    return found


def _led_to(establishment, year):
    """By name, what the courses of the year before led to: None where a jury decides.

    Empty if nothing was decided for any: then they have nothing to teach.
    """
    before = SchoolYear.objects.filter(starts_on__lt=year.starts_on).order_by("-starts_on").first()
    courses = Course.objects.filter(establishment=establishment, school_year=before)
    led_to = dict(courses.values_list("name", "next_course__name"))
    return led_to if any(led_to.values()) else {}


def _following(course, led_to):
    """Decided already, or as its namesake of the year before, or the same course again."""
    if course.next_course_id:
        return course.next_course.name
    return led_to.get(course.name, course.name) or ""


def _copy_slots(plan, made):
    """In the order of the plan, with new places."""
    copies = [
        (_copy(slot, course=course, closed_at=None), places)
        for renewal, course in zip(plan.to_make, made, strict=True)
        for slot, places in renewal.capacities.items()
    ]
    Slot.objects.bulk_create([slot for slot, _ in copies], batch_size=BATCH)
    Place.objects.bulk_create(
        (
            Place(slot=slot, number=number)
            for slot, places in copies
            for number in range(1, places + 1)
        ),
        batch_size=BATCH,
    )


def _link(plan, establishment, following_year):
    """What the former courses propose, where nobody has decided it."""
    coming = {course.name: course for course in _courses(establishment, following_year)}
    undecided = [renewal for renewal in plan.to_make if not renewal.course.next_course_id]
    for renewal in undecided:
        renewal.course.next_course = coming.get(renewal.following)
    courses = [renewal.course for renewal in undecided if renewal.course.next_course]
    Course.objects.bulk_update(courses, ["next_course"], batch_size=BATCH)


def _copy(row, **changes):
    """A new row like this one, whatever columns its table comes to have, but for the changes."""
    kept = [f for f in row._meta.concrete_fields if not f.primary_key and f.name not in changes]
    return type(row)(**{f.attname: getattr(row, f.attname) for f in kept}, **changes)
