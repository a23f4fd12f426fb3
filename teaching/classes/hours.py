"""The hours that are fixed, of individual lessons and of whole courses: every write and refusal.

What was given stays as it was. A lesson is named by its weekly hour and its day: to rewrite an hour
would move the lessons whose register was called, and change the names that calendars know. So an
hour of which a lesson lies behind is ended the day before, and another one follows it; one that
has not begun is rewritten. The room alone is written over: it says where, not when.

Lock order: teacher, student, enrolment (docs/architecture.md).
"""

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from students.enums import EnrolmentStatus, Scheduling
from students.models import Course, Enrolment, Student, Teacher
from students.services import lock_enrolment
from teaching.classes import clashes, emails
from teaching.models import Lesson, LessonChange, LessonTime, Register

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """A weekly hour as it is asked for; from `from_day` on, which counts."""

    weekday: int
    starts_at: dt.time
    ends_at: dt.time
    from_day: dt.date
    room: str = ""

    def is_hour_of(self, time: LessonTime) -> bool:
        """Without its room."""
        mine = (self.weekday, self.starts_at, self.ends_at)
        return mine == (time.weekday, time.starts_at, time.ends_at)


def first_day(course: Course) -> dt.date:
    """From when a new hour counts unless told otherwise: today, or the first day of lessons."""
    opens, closes = course.school_year.lesson_days
    return min(max(timezone.localdate(), opens), closes)


@transaction.atomic
def fix(enrolment: Enrolment, wanted: Wanted, *, even_so: bool = False) -> LessonTime:
    """The student's weekly hour in the course is this one from `wanted.from_day` on.

    His family is told, unless nothing changes. `even_so`: in spite of what `clashes.doubts` finds.
    Raises ValidationError: `not_fixed_by_teacher`, `not_confirmed`; under the field at fault
    `outside_year`, `ends_before_start`, `lessons_given`; `teacher_busy`, `student_busy`; and
    `doubtful`, one message each, when there are doubts.
    """
    enrolment = check(enrolment, wanted, even_so=even_so)
    times = _times_from(enrolment, wanted.from_day)
    if len(times) == 1 and wanted.is_hour_of(times[0]):
        return _keep(times[0], wanted)
    reused = _end_all(times, wanted.from_day, keep_one=True)
    time = reused or LessonTime(course=enrolment.course, enrolment=enrolment, revision=0)
    emails.tell_fixed(_write(time, wanted), changed=bool(times))
    return time


@transaction.atomic
def check(enrolment: Enrolment, wanted: Wanted, *, even_so: bool = False) -> Enrolment:
    """Raises what `fix` would, but for `lessons_given`; gives the enrolment, fresh and locked.

    The answer holds until the caller's transaction ends.
    """
    enrolment = _lock(enrolment)
    _check(enrolment, wanted)
    clashes.check(enrolment, wanted)
    if not even_so and (found := clashes.doubts(enrolment, wanted)):
        raise ValidationError([ValidationError(each, code="doubtful") for each in found])
    return enrolment


@transaction.atomic
def end(enrolment: Enrolment, from_day: dt.date) -> None:
    """The student has no hour in the course from that day on; his family is told.

    None already: nothing happens. Raises ValidationError `lessons_given`.
    """
    enrolment = _lock(enrolment)
    times = _times_from(enrolment, from_day)
    if not times:
        return
    told = times[-1]
    key, revision = told.pk, told.revision + 1
    _end_all(times, from_day, keep_one=False)
    emails.tell_ended(enrolment, f"{key}.{revision}", from_day)


@transaction.atomic
def fix_for_all(course: Course, wanted: Wanted, *, former: LessonTime | None = None) -> LessonTime:
    """An hour of the whole course, on school time (CHAM): a new one, or what `former` becomes.

    The families of its students are told, unless nothing changes. Raises ValidationError
    `has_slots`, and as `fix` `outside_year`, `ends_before_start`, `lessons_given`.
    """
    course = _lock_course(course.pk)
    if course.has_slots:
        raise ValidationError(
            "Ce cours a des créneaux\u00a0: son horaire est le leur.", "has_slots"
        )
    _check_days(course, wanted)
    times = _locked(former, until=wanted.from_day) if former is not None else []
    if times and wanted.is_hour_of(times[0]):
        return _keep(times[0], wanted)
    reused = _end_all(times, wanted.from_day, keep_one=True)
    time = _write(reused or LessonTime(course=course, revision=0), wanted)
    emails.tell_all_fixed(time, former=former)
    return time


@transaction.atomic
def end_for_all(time: LessonTime, from_day: dt.date) -> None:
    """The whole course has that hour no more from that day on; the families are told.

    Ended by then already: nothing happens. Raises `lessons_given`.
    """
    _lock_course(time.course_id)
    times = _locked(time, until=from_day)
    if times:
        emails.tell_all_ended(times[0], from_day)
        _end_all(times, from_day, keep_one=False)


def _lock_course(pk):
    courses = Course.objects.select_related("school_year", "establishment", "teacher")
    return courses.select_for_update(of=["self"], no_key=True).get(pk=pk)


def _locked(time, *, until=None):
    """A fresh row, or none if another agent was quicker, or if it ends before `until`."""
    rows = LessonTime.objects.select_related(
        "course__school_year", "course__establishment", "course__teacher"
    )
    if until is not None:
        rows = rows.filter(Q(ends_on=None) | Q(ends_on__gte=until))
    return list(rows.filter(pk=time.pk, enrolment=None))


def _lock(enrolment):
    """Of two tabs, or two teachers of one student, the second sees what the first wrote."""
    known = Enrolment.objects.select_related("course").get(pk=enrolment.pk)
    if known.course.teacher_id:
        Teacher.objects.select_for_update(no_key=True).get(pk=known.course.teacher_id)
    Student.objects.select_for_update(no_key=True).get(pk=known.student_id)
    locked = lock_enrolment(known)
    locked.course = Course.objects.select_related("school_year", "establishment", "teacher").get(
        pk=locked.course_id
    )
    return locked


def _check(enrolment, wanted):
    course = enrolment.course
    if course.scheduling != Scheduling.TEACHER:
        raise ValidationError(
            "L'horaire de ce cours n'est pas fixé par l'enseignant.", code="not_fixed_by_teacher"
        )
    if enrolment.status != EnrolmentStatus.CONFIRMED:
        raise ValidationError(
            "L'inscription de cet élève n'est pas confirmée\u00a0: son horaire se fixera ensuite.",
            code="not_confirmed",
        )
    _check_days(course, wanted)


def _check_days(course, wanted):
    if wanted.ends_at <= wanted.starts_at:
        message = "Le cours doit finir après avoir commencé."
        raise ValidationError({"ends_at": ValidationError(message, code="ends_before_start")})
    opens, closes = course.school_year.lesson_days
    if not opens <= wanted.from_day <= closes:
        message = f"Les cours vont du {opens:%d/%m/%Y} au {closes:%d/%m/%Y}."
        raise ValidationError({"from_day": ValidationError(message, code="outside_year")})


def _times_from(enrolment, day):
    """Those that last on that day or later, the oldest first."""
    times = enrolment.lesson_times.select_related("course__school_year")
    lasting = [time for time in times if time.ends_on is None or time.ends_on >= day]
    return sorted(lasting, key=lambda time: (time.starts_on or dt.date.min, time.pk))


def _keep(time, wanted):
    """The hour is that one already: the room, an earlier beginning, no end any more may be new."""
    starts_on = time.starts_on
    if starts_on and wanted.from_day < starts_on:
        starts_on = _starts_on(time.course, wanted.from_day)
    if (time.room, time.starts_on, time.ends_on) == (wanted.room, starts_on, None):
        return time
    time.room, time.starts_on, time.ends_on = wanted.room, starts_on, None
    _save(time)
    if time.enrolment_id:
        emails.tell_fixed(time, changed=True)
    else:
        emails.tell_all_fixed(time, former=time)
    return time


def _starts_on(course, day):
    opens, _ = course.school_year.lesson_days
    return day if day > opens else None


def _end_all(times, day, *, keep_one):
    """Ends them the day before; gives one without a past, to be written over, or None."""
    reused = None
    for time in times:
        _drop_plans(time, day)
        if _has_a_past(time, day):
            time.ends_on = day - ONE_DAY
            time.revision += 1
            time.save(update_fields=["ends_on", "revision"])
        elif keep_one and reused is None:
            reused = time
        else:
            time.delete()
    return reused


def _has_a_past(time, day):
    opens, closes = time.lesson_days
    days_to_weekday = dt.timedelta(days=(time.weekday - opens.isoweekday()) % 7)
    return opens + days_to_weekday <= min(closes, day - ONE_DAY) or time.lessons.exists()


def _drop_plans(time, day):
    """What was changed beforehand of lessons to come goes with the former hour, and its log: they
    will not have been. Given ones forbid it."""
    rows = time.lessons.filter(planned_on__gte=day).select_for_update(of=["self"])
    rows = list(rows.order_by("planned_on"))
    keys = [row.pk for row in rows]
    called = set(Register.objects.filter(lesson__in=keys).values_list("lesson", flat=True))
    today = timezone.localdate()
    given = [row for row in rows if row.pk in called or row.planned_on < today]
    if given:
        raise _given(given[-1].planned_on)
    LessonChange.objects.filter(lesson__in=keys).delete()
    Lesson.objects.filter(pk__in=keys).delete()


def _given(day):
    message = (
        f"La séance du {day:%d/%m/%Y} est déjà notée à l'ancien horaire\u00a0: choisissez un jour"
        " plus tard."
    )
    return ValidationError({"from_day": ValidationError(message, code="lessons_given")})


def _write(time, wanted):
    time.weekday, time.room = wanted.weekday, wanted.room
    time.starts_at, time.ends_at = wanted.starts_at, wanted.ends_at
    time.starts_on, time.ends_on = _starts_on(time.course, wanted.from_day), None
    return _save(time)


def _save(time):
    time.revision += 1
    time.full_clean(exclude=["course", "enrolment"])
    time.save()
    return time
