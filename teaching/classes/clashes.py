"""What else is at the hour that a teacher wants: some of it forbids it, some is only doubtful.

Refused: another lesson of the teacher, or of the student. Doubtful, and asked again: the room is
taken (rooms are words, and two teachers may share one), or another student has exactly that hour in
the same course (a lesson for two). Of the student's other lesson the teacher reads the hours alone.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.prepared import prepared
from students.enums import WITHOUT_SLOT, EnrolmentStatus, Weekday
from students.models import Enrolment, SchoolYear, Slot, Student
from teaching.models import LessonTime


def check(enrolment: Enrolment, wanted) -> None:
    """Raises ValidationError, code `teacher_busy` or `student_busy`, under `starts_at`."""
    teacher = enrolment.course.teacher
    if teacher is not None:
        slots = _slots_at(enrolment, wanted).taught_by(teacher)
        times = _times_at(enrolment, wanted).filter(course__teacher=teacher)
        if found := _first(slots, times.exclude(_paired(enrolment, wanted))):
            raise _busy("teacher_busy", f"{teacher} a déjà cours à cette heure\u00a0: {found}.")
    if found := _of_student(enrolment, wanted):
        raise _busy(
            "student_busy",
            f"{enrolment.student} a un autre cours au conservatoire ce jour-là, de {found.hours}.",
        )


def doubts(enrolment: Enrolment, wanted) -> list[str]:
    """French sentences; empty when nothing is odd."""
    found = []
    pairs = _times_at(enrolment, wanted).filter(_paired(enrolment, wanted))
    names = [str(time.enrolment.student) for time in pairs.select_related("enrolment__student")]
    if names:
        pair = ", ".join(names)
        found.append(f"Cette heure est déjà celle de {pair}, dans ce cours\u00a0: un cours à deux.")
    if wanted.room:
        here = Q(room__iexact=wanted.room, course__establishment=enrolment.course.establishment_id)
        slots = _slots_at(enrolment, wanted).filter(here)
        times = _times_at(enrolment, wanted).filter(here)
        if other := _first(slots, times.exclude(_paired(enrolment, wanted))):
            found.append(f"La salle {wanted.room} est prise à cette heure\u00a0: {other}.")
    return found


def fixed_hours_at(student: Student, slot: Slot, *, but_of: list[int]) -> list[LessonTime]:
    """The student's fixed hours at the time of a slot, of one student or of a whole course.

    But of the courses `but_of`, and but those that are over. One query; for whoever claims a slot
    (settings.STUDENT_HOURS).
    """
    return _fixed_hours_at(
        student.pk,
        but_of,
        slot.course.school_year_id,
        Weekday(slot.weekday),
        slot.starts_at,
        slot.ends_at,
        timezone.localdate(),
    )


@prepared
def _fixed_hours_at(
    student: int,
    but_of: list[int],
    school_year: int,
    weekday: Weekday,
    starts_at: dt.time,
    ends_at: dt.time,
    today: dt.date,
) -> QuerySet[LessonTime]:
    lasting = Q(ends_on=None) | Q(ends_on__gte=today)
    own = Enrolment.objects.live().filter(
        lasting,
        student=student,
        course__school_year=school_year,
        course__scheduling__in=WITHOUT_SLOT,
    )
    own = own.exclude(course__in=but_of).order_by()
    # A union, each half by its index: an OR over two tables reads every hour of the town.
    ours = LessonTime.objects.filter(enrolment__in=own.values("pk")).order_by().values("pk")
    of_all = LessonTime.objects.filter(enrolment=None, course__in=own.values("course"))
    ours = ours.union(of_all.order_by().values("pk"))
    times = LessonTime.objects.filter(
        lasting, pk__in=ours, weekday=weekday, starts_at__lt=ends_at, ends_at__gt=starts_at
    )
    return times.select_related("course")


def fixed_hours_of(
    students: Iterable[int] | QuerySet, year: SchoolYear
) -> Iterator[tuple[int, LessonTime]]:
    """Each of these students, by key, with each fixed hour of the year that is not over.

    Of his own lessons and of his whole courses, asked for or confirmed. Two queries, one if no
    hour is fixed yet.
    """
    today = timezone.localdate()
    lasting = Q(ends_on=None) | Q(ends_on__gte=today)
    own = Enrolment.objects.live().filter(
        lasting, student__in=students, course__school_year=year, course__scheduling__in=WITHOUT_SLOT
    )
    own = own.order_by("pk").values_list("student", "pk", "course")
    times = LessonTime.objects.filter(lasting, course__school_year=year).order_by("pk")
    by_enrolment, of_all = defaultdict(list), defaultdict(list)
    for time in times:
        if time.enrolment_id:
            by_enrolment[time.enrolment_id].append(time)
        else:
            of_all[time.course_id].append(time)
    if not (by_enrolment or of_all):  # as a rule, in the spring, for the coming year
        return
    for student, enrolment, course in own:
        for time in [*by_enrolment[enrolment], *of_all[course]]:
            yield student, time


def _slots_at(enrolment, wanted):
    return Slot.objects.filter(_at(enrolment, wanted)).select_related("course")


def _times_at(enrolment, wanted):
    """Those of others that have not ended by then, nor left the course."""
    lasting = Q(ends_on=None) | Q(ends_on__gte=wanted.from_day)
    still_there = Q(enrolment=None) | Q(
        Q(enrolment__ends_on=None) | Q(enrolment__ends_on__gte=wanted.from_day),
        enrolment__status=EnrolmentStatus.CONFIRMED,
    )
    times = LessonTime.objects.filter(_at(enrolment, wanted), lasting, still_there)
    return times.exclude(enrolment=enrolment).select_related("course")


def _at(enrolment, wanted):
    return Q(
        course__school_year=enrolment.course.school_year_id,
        weekday=wanted.weekday,
        starts_at__lt=wanted.ends_at,
        ends_at__gt=wanted.starts_at,
    )


def _paired(enrolment, wanted):
    """Another student's hour in this course, from the same minute to the same one."""
    return Q(
        course=enrolment.course_id,
        enrolment__isnull=False,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
    )


def _of_student(enrolment, wanted):
    lasting = Q(ends_on=None) | Q(ends_on__gte=wanted.from_day)
    others = Enrolment.objects.live().filter(lasting, student=enrolment.student_id)
    others = others.exclude(pk=enrolment.pk).order_by()
    slots = _slots_at(enrolment, wanted).filter(pk__in=others.values("place__slot"))
    times = _times_at(enrolment, wanted).filter(
        Q(enrolment__in=others.values("pk"))
        | Q(
            enrolment=None,
            course__in=others.filter(course__scheduling__in=WITHOUT_SLOT).values("course"),
        )
    )
    return _first(slots, times)


def _first(slots, times):
    return slots.first() or times.first()


def _busy(code, message):
    return ValidationError({"starts_at": ValidationError(message, code=code)})
