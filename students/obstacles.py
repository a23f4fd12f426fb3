"""What forbids a student a slot, whoever claims it for him, or a slot its size or its course.

Each check reads what it needs.
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.prepared import prepared
from students.enums import Weekday
from students.models import Course, Enrolment, Hold, Slot, Student
from students.suitability import Level, misfits


def check_has_slots(course: Course) -> None:
    """Raises ValidationError, code `without_slots`, for a course whose lessons have none."""
    if not course.has_slots:
        raise ValidationError(
            "Ce cours n'a pas de créneau\u00a0: son horaire est %(scheduling)s.",
            code="without_slots",
            params={"scheduling": course.get_scheduling_display()},
        )


def check_capacity_of(taken: int, capacity: int) -> None:
    """Raises ValidationError, code `capacity_below_taken`."""
    if capacity < taken:
        raise ValidationError(
            "%(taken)d places sont déjà prises ou réservées dans ce créneau\u00a0: sa capacité"
            " ne peut pas descendre à %(capacity)d."
            if taken > 1
            else "Une place est déjà prise ou réservée dans ce créneau\u00a0: sa capacité ne peut"
            " pas descendre à %(capacity)d.",
            code="capacity_below_taken",
            params={"taken": taken, "capacity": capacity},
        )


def check_not_enrolled(student: Student, course: Course) -> list[Enrolment]:
    """Raises ValidationError, code `already_enrolled`, for a second live enrolment.

    Gives his live enrolments of that year, each with its course, for `check_no_clash`. One query.
    """
    live = _live_enrolments(student.pk, course.school_year_id)
    if any(enrolment.course_id == course.pk for enrolment in live):
        raise ValidationError(
            "%(student)s est déjà inscrit au cours «\u00a0%(course)s\u00a0».",
            code="already_enrolled",
            params={"student": student, "course": course},
        )
    return live


@dataclass(frozen=True)
class Taken:
    """What may keep a student out of a slot: see `taken_by`."""

    enrolments: list[Enrolment]  # live, of the slot's year, in other courses
    picked: list[Hold]  # by his family, in any course, be their time over

    def check_no_clash(self, student: Student, slot: Slot) -> None:
        """As the function of this name, for somebody who leaves no other course."""
        now = timezone.now()
        others = [each.place.slot for each in self.enrolments if each.place]
        others += [held.place.slot for held in self.picked if held.until > now]
        for other in others:
            if other.course_id != slot.course_id and _are_at_once(other, slot):
                raise _clash(slot, other)
        _check_fixed_hours(student, slot, {slot.course_id}, self.enrolments)

    def picked_in(self, course: Course) -> Hold | None:
        return next((held for held in self.picked if held.course_id == course.pk), None)


def taken_by(student: Student, slot: Slot) -> Taken:
    """Two queries, for whoever needs the hold besides the checks.

    Raises as `check_not_enrolled`.
    """
    return Taken(
        enrolments=check_not_enrolled(student, slot.course),
        picked=_picked_by(student.pk),
    )


def check_suited(student: Student, slot: Slot, level: Level | None) -> None:
    """Raises ValidationError, code `not_suited`, for a slot outside his age or his level to come.

    A family does not choose it; an agent may place him there all the same (`claim`, `place`).
    """
    if misfits(slot, student, level):
        raise ValidationError(
            "Le créneau «\u00a0%(slot)s\u00a0» ne correspond plus à l'âge ou au niveau de l'élève.",
            code="not_suited",
            params={"slot": slot},
        )


def check_no_clash(
    student: Student,
    slot: Slot,
    *,
    leaving: Enrolment | None = None,
    live: list[Enrolment] | None = None,
) -> None:
    """Raises ValidationError, code `clash`, if he has, or picked, a lesson at the same time.

    A place that is only offered to him forbids nothing, nor does one of the same course, or of
    the enrolment that he is leaving: this slot takes its place. The hours that are no slot are
    those that settings.STUDENT_HOURS knows of; they are not asked for where `live`, what
    `check_not_enrolled` gave, holds no course without slots.
    """
    left = {slot.course_id} | ({leaving.course_id} if leaving else set())
    clashing = _lessons_at(
        student.pk,
        sorted(left),
        slot.course.school_year_id,
        Weekday(slot.weekday),
        slot.starts_at,
        slot.ends_at,
        timezone.now(),
    )
    if clashing:
        raise _clash(slot, clashing[0])
    _check_fixed_hours(student, slot, left, live)


def _check_fixed_hours(student, slot, left, live):
    """The hours that are no slot: those that settings.STUDENT_HOURS knows of."""
    if live is not None and all(enrolment.course.has_slots for enrolment in live):
        return
    for hours_at in settings.STUDENT_HOURS:
        if fixed := import_string(hours_at)(student, slot, but_of=sorted(left)):
            raise ValidationError(
                "Le créneau «\u00a0%(slot)s\u00a0» est en même temps que «\u00a0%(other)s\u00a0»,"
                " dont l'heure est déjà fixée\u00a0: choisissez un autre créneau.",
                code="clash",
                params={"slot": slot, "other": fixed[0]},
            )


def _clash(slot, other):
    return ValidationError(
        "Le créneau «\u00a0%(slot)s\u00a0» est en même temps que «\u00a0%(other)s\u00a0»\u00a0:"
        " choisissez-en un autre pour l'un des deux cours.",
        code="clash",
        params={"slot": slot, "other": other},
    )


def _are_at_once(slot, other):
    """As `SlotQuerySet.at_the_time_of`."""
    return (
        slot.course.school_year_id == other.course.school_year_id
        and slot.weekday == other.weekday
        and slot.starts_at < other.ends_at
        and slot.ends_at > other.starts_at
    )


@prepared
def _picked_by(student: int) -> QuerySet[Hold]:
    holds = Hold.objects.filter(student=student, entry=None)
    return holds.select_related("place__slot__course").order_by()


@prepared
def _live_enrolments(student: int, school_year: int) -> QuerySet[Enrolment]:
    live = Enrolment.objects.live().filter(student=student, course__school_year=school_year)
    return live.select_related("course", "place__slot__course").order_by()


@prepared
def _lessons_at(
    student: int,
    but_of: list[int],
    school_year: int,
    weekday: Weekday,
    starts_at: dt.time,
    ends_at: dt.time,
    now: dt.datetime,
) -> QuerySet[Slot]:
    """The slots that he has, or picked, at that time, but of those courses."""
    taken = Enrolment.objects.live().filter(student=student, place__isnull=False).order_by()
    held = Hold.objects.filter(student=student, until__gt=now, entry=None).order_by()
    # Each by the index of its students: one condition or the other would try every slot.
    his = taken.values("place__slot").union(held.values("place__slot"))
    when = Slot(weekday=weekday, starts_at=starts_at, ends_at=ends_at)
    when.course = Course(school_year_id=school_year)
    others = Slot.objects.at_the_time_of(when).exclude(course__in=but_of)
    return others.filter(pk__in=his).select_related("course")
