"""Is a slot for this student: his age, and the level that he will have (docs/decisions.md)?

A slot that says an age says all of it: those of its course then do not count; nor do its years of
the cycle where the slot says one. What nobody said, and what is not known, excludes nobody.
"""

from dataclasses import dataclass

from django.db.models import Q

from students.enums import Cycle, Misfit
from students.models import Course, Enrolment, SchoolYear, Slot, Student
from students.models.enrolments import ordinal

Bounds = tuple[int | None, int | None]

EVERYBODY = (None, None)


@dataclass(frozen=True)
class Level:
    """`year` of the cycle: None when it is not known."""

    cycle: Cycle
    year: int | None


def coming_level(enrolment: Enrolment) -> Level | None:
    """What this year's enrolment leads to in the coming one; None: nobody knows (the jury).

    One year more of the same cycle, or the first year of the one that the proposed course belongs
    to. A course of the same cycle that a jury chose may be the same year again: not known.
    """
    course = enrolment.proposed_course
    if course is None:
        return None
    # A collective practice has its own cycle, and keeps students of another.
    if course.cycle not in (enrolment.cycle, enrolment.course.cycle):
        return Level(Cycle(course.cycle), 1)
    goes_on = enrolment.cycle_year and not enrolment.next_course_id
    return Level(Cycle(enrolment.cycle), enrolment.cycle_year + 1 if goes_on else None)


def level_towards(course: Course, student: Student) -> Level | None:
    """`coming_level` of the enrolment that leads the student to the course. One query."""
    leads_there = Q(next_course=course) | Q(next_course=None, course__next_course=course)
    leading = Enrolment.objects.live().filter(leads_there, student=student)
    enrolment = leading.select_related("course__next_course", "next_course").first()
    return enrolment and coming_level(enrolment)


def age_in(year: SchoolYear, student: Student) -> int:
    """Years reached on the 31 December that follows the beginning of the school year."""
    return year.starts_on.year - student.birth_date.year


def misfits(slot: Slot, student: Student, level: Level | None) -> list[Misfit]:
    """Why the slot is not for the student; empty when it is. The whole rule is here.

    `level`: his in the slot's school year. Reads the slot's course and its school year.
    """
    found = []
    if not _within(ages_of(slot), age_in(slot.course.school_year, student)):
        found.append(Misfit.AGE)
    years = cycle_years_of(slot)
    if level is not None and years != EVERYBODY:
        is_of_the_cycle = level.cycle == slot.course.cycle
        if not is_of_the_cycle or (level.year is not None and not _within(years, level.year)):
            found.append(Misfit.LEVEL)
    return found


def ages_of(lesson: Slot | Course) -> Bounds:
    """From and to, both included; None: no bound on this side."""
    return _own_or_courses(lesson, "ages")


def cycle_years_of(lesson: Slot | Course) -> Bounds:
    """As `ages_of`, in years of the cycle of the course."""
    return _own_or_courses(lesson, "cycle_years")


def audience_of(lesson: Slot | Course) -> str:
    """« 7 à 9 ans, dès la 2e année du cycle »; empty: everybody."""
    ages, years = ages_of(lesson), cycle_years_of(lesson)
    words = [
        _in_words(ages, number=str, unit="an" if max(_said(ages), default=0) < 2 else "ans"),
        _in_words(years, number=ordinal, unit="année du cycle", article="la "),
    ]
    return ", ".join(filter(None, words))


def _own_or_courses(lesson, name):
    own = getattr(lesson, name)
    return getattr(lesson.course, name) if own == EVERYBODY and isinstance(lesson, Slot) else own


def _within(bounds, value):
    low, high = bounds
    return (low is None or low <= value) and (high is None or value <= high)


def _said(bounds):
    return [bound for bound in bounds if bound is not None]


def _in_words(bounds, *, number, unit, article=""):
    low, high = (None if bound is None else number(bound) for bound in bounds)
    if low == high:
        return f"{low} {unit}" if low else ""
    if low is None:
        return f"jusqu'à {article}{high} {unit}"
    return f"dès {article}{low} {unit}" if high is None else f"{low} à {high} {unit}"
