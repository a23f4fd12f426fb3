"""« Reconduire »: the courses of a year, with their slots, are made anew for the next one.

What exists already by its name is left as it is, so that it may be played again: the plan says what
it has otherwise by now. A course may be left out, and its students led elsewhere.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q

from accounts.models import Establishment
from students.models import Course, Place, SchoolYear, Slot, Teacher
from students.year_changes import changes_between

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
class There:
    """A course that the next year has already, and what it has otherwise than this year's."""

    course: Course
    changes: list[str]


@dataclass(frozen=True)
class Choices:
    """What an agent wants otherwise than planned.

    `left`: keys of the courses that are not made anew. `following`: by the key of a course, the
    name of the one of the next year that it leads to, empty for none. `departing`: keys of the
    teachers who do not come back; nobody is named in their place yet.
    """

    left: Set[int] = frozenset()
    following: Mapping[int, str] = field(default_factory=dict)
    departing: Set[int] = frozenset()


@dataclass(frozen=True)
class Plan:
    to_make: list[Renewal]
    there: list[There]

    @property
    def existing(self) -> list[str]:
        """Names of the courses that the next year has already."""
        return [each.course.name for each in self.there]

    @property
    def names(self) -> list[str]:
        """Of all the courses that the next year would have, or has: what a course may lead to."""
        return sorted({*self.existing, *(renewal.course.name for renewal in self.to_make)})

    @property
    def teachers(self) -> list[Teacher]:
        """Those whom the copies would name."""
        named = {renewal.course.teacher for renewal in self.to_make}
        named |= {slot.teacher for renewal in self.to_make for slot in renewal.capacities}
        return sorted(named - {None}, key=lambda teacher: (teacher.sort_name, teacher.pk))

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

    One less before the next year has any course. Raises ValidationError, code `no_next_year`.
    """
    following_year = _year_after(year)
    known = {course.name: course for course in _courses(establishment, following_year)}
    courses = list(_courses(establishment, year).select_related("next_course"))
    led_to = _led_to(establishment, year)
    capacities = _capacities([*courses, *known.values()])
    return Plan(
        to_make=[
            Renewal(course, _following(course, led_to), capacities.get(course.pk, {}))
            for course in courses
            if course.name not in known
        ],
        there=[
            _there(course, known[course.name], capacities)
            for course in courses
            if course.name in known
        ],
    )


def check_following(plan: Plan, name: str, renewal: Renewal, left: Set[int] = frozenset()) -> None:
    """Raises ValidationError, code `unknown_course`, unless the next year will have that course.

    What the plan says itself is always right; `left`: the courses that it will not make.
    """
    not_made = {r.course.name for r in plan.to_make if r.course.pk in left}
    if name and name != renewal.following and name not in set(plan.names) - not_made:
        raise ValidationError(
            "«\u00a0%(name)s\u00a0» n'est pas un cours de l'année suivante\u00a0: choisissez dans"
            " la liste, ou laissez vide.",
            code="unknown_course",
            params={"name": name},
        )


@transaction.atomic
def roll_over(
    establishment: Establishment, year: SchoolYear, *, expected: int, choices: Choices | None = None
) -> list[Course]:
    """Makes what `plan_of` announces, as `choices` has it, and gives the courses made.

    `expected` is the number of courses that the page announced. Raises ValidationError: `changed`
    when there are more or fewer to make now (a colleague has just done it), `nothing`,
    `no_next_year`, `unknown_course` (check_following).
    """
    choices = choices or Choices()
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
    kept = [renewal for renewal in plan.to_make if renewal.course.pk not in choices.left]
    if not kept:
        raise ValidationError("Cochez au moins un cours à reconduire.", code="nothing")
    for renewal in plan.to_make:
        name = choices.following.get(renewal.course.pk, renewal.following)
        check_following(plan, name, renewal, choices.left)
    following_year = _year_after(year)
    made = Course.objects.bulk_create(
        [
            _copy(
                renewal.course,
                school_year=following_year,
                next_course=None,
                **_teacher_of(renewal.course, choices),
            )
            for renewal in kept
        ],
        batch_size=BATCH,
    )
    _copy_slots(kept, made, choices)
    _link(plan, choices, establishment, following_year)
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
    courses = Course.objects.filter(establishment=establishment, school_year=year)
    return courses.select_related("teacher")


def _there(course, coming, capacities):
    before, after = (capacities.get(each.pk, {}) for each in (course, coming))
    return There(course, changes_between(course, coming, before, after))


def _teacher_of(row, choices):
    return {"teacher": None} if row.teacher_id in choices.departing else {}


def _capacities(courses):
    """By course, then by slot: the places, but those added for one student too many."""
    found = {}
    slots = Slot.objects.filter(course__in=courses).select_related("course", "teacher")
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


def _copy_slots(kept, made, choices):
    """In the order of the plan, with new places."""
    copies = [
        (_copy(slot, course=course, closed_at=None, **_teacher_of(slot, choices)), places)
        for renewal, course in zip(kept, made, strict=True)
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


def _link(plan, choices, establishment, following_year):
    """What the former courses propose: as the agent chose, else where nobody has decided it."""
    coming = {course.name: course for course in _courses(establishment, following_year)}
    changed = []
    for renewal in plan.to_make:
        course = renewal.course
        name = choices.following.get(course.pk, renewal.following)
        if course.next_course_id and name == renewal.following:
            continue
        before, course.next_course = course.next_course_id, coming.get(name)
        if course.next_course_id != before:
            changed.append(course)
    Course.objects.bulk_update(changed, ["next_course"], batch_size=BATCH)


def _copy(row, **changes):
    """A new row like this one, whatever columns its table comes to have, but for the changes."""
    kept = [f for f in row._meta.concrete_fields if not f.primary_key and f.name not in changes]
    return type(row)(**{f.attname: getattr(row, f.attname) for f in kept}, **changes)
