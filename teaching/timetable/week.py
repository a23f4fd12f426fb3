"""One week, day by day, of lessons and concerts: a household's, one student's, a teacher's."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.dates import french_time
from accounts.models import Establishment, User
from students.models import Student, Teacher
from teaching.concerts.selectors import Appearance, appearances_of, appearances_of_pupils
from teaching.lessons import (
    Attendees,
    Occurrence,
    hours_of_students,
    hours_of_teacher,
    lessons,
)
from teaching.models import Closure, Concert
from teaching.timetable import words

PARAMETER = "semaine"
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)
NEXT_LESSONS = 5
LOOK_AHEAD = dt.timedelta(days=28)


@dataclass(frozen=True)
class Entry:
    """A lesson on a day. `left`: it was to be that day, and takes place on another."""

    lesson: Occurrence
    left: bool = False

    @property
    def notes(self) -> list[str]:
        return [words.moved_to(self.lesson)] if self.left else words.what_became(self.lesson)

    @property
    def is_off(self) -> bool:
        return self.left or self.lesson.is_cancelled

    @property
    def hours(self) -> str:
        return self.lesson.hour.hours if self.left else self.lesson.hours

    @property
    def hour(self) -> dt.time:
        return self.lesson.hour.starts_at if self.left else self.lesson.starts.time()


@dataclass(frozen=True)
class ConcertEntry:
    """A concert on its day, where `student` plays, or the teacher's pupils."""

    appearance: Appearance
    student: Student | None

    @property
    def concert(self) -> Concert:
        return self.appearance.concert

    @property
    def has_page(self) -> bool:
        """Where teachers read it: those of the year under way (`concerts_at`)."""
        return self.concert.school_year.holds(timezone.localdate())

    @property
    def pupils(self) -> str:
        return ", ".join(map(str, self.appearance.students))

    @property
    def is_off(self) -> bool:
        return self.concert.is_cancelled

    @property
    def hours(self) -> str:
        """When to be there: nobody knows to the minute when it ends."""
        return french_time(self.hour)

    @property
    def hour(self) -> dt.time:
        return self.appearance.starts.time()


@dataclass(frozen=True)
class Column:
    """What one column of the week is made of."""

    label: str
    lessons: list[Occurrence]
    concerts: list[ConcertEntry]


@dataclass(frozen=True)
class Cell:
    """The lessons and the concerts of one day and one column, in order."""

    label: str
    entries: list[Entry | ConcertEntry]


@dataclass(frozen=True)
class Day:
    date: dt.date
    closures: list[str]
    cells: list[Cell]

    @property
    def label(self) -> str:
        return words.weekday(self.date)

    @property
    def is_today(self) -> bool:
        return self.date == timezone.localdate()

    @property
    def is_empty(self) -> bool:
        return not any(cell.entries for cell in self.cells)


@dataclass(frozen=True)
class Week:
    """`columns` are the labels of the cells of each day; one without a label stands alone."""

    monday: dt.date
    columns: list[str]
    days: list[Day]

    @property
    def label(self) -> str:
        """« du lundi 12 octobre 2026 au dimanche 18 octobre 2026 »."""
        return f"du {words.weekday(self.monday)} au {words.weekday(self.sunday)}"

    @property
    def sunday(self) -> dt.date:
        return self.monday + dt.timedelta(days=6)

    @property
    def previous(self) -> dt.date:
        return self.monday - dt.timedelta(days=7)

    @property
    def next(self) -> dt.date:
        return self.monday + dt.timedelta(days=7)

    @property
    def is_this_week(self) -> bool:
        return self.monday == _monday(timezone.localdate())

    @property
    def is_empty(self) -> bool:
        return all(day.is_empty for day in self.days)


def asked_monday(request) -> dt.date:
    """That of `?semaine=2026-10-14`, of this week when nothing, or nothing sensible, is asked."""
    try:
        day = dt.date.fromisoformat(request.GET.get(PARAMETER, ""))
    except ValueError:
        day = timezone.localdate()
    return _monday(day if FIRST <= day <= LAST else timezone.localdate())


def household_week(user: User, monday: dt.date) -> Week:
    """Of all the students of the user's household, side by side. Nine queries."""
    students = list(Student.objects.visible_to(user))
    return _week_of_students(students, user.establishments.all(), monday)


def student_week(student: Student, user: User, monday: dt.date) -> Week:
    """Of one; whoever calls has checked that the user may see him. Eight queries."""
    return _week_of_students([student], user.establishments.all(), monday)


def teacher_week(teacher: Teacher, sites: QuerySet[Establishment], monday: dt.date) -> Week:
    """His lessons, those that somebody else gives for him, those that he gives for others; the
    concerts of his students.

    At these sites. Six queries.
    """
    first, last = _days(monday)
    hours = hours_of_teacher(teacher, sites, first, last)
    found = lessons(hours, first, last, moved_away=True)
    his = [lesson for lesson in found if teacher in (lesson.teacher, lesson.usual_teacher)]
    led = appearances_of_pupils(teacher, sites, first, last)
    return _week(monday, [Column("", his, [ConcertEntry(each, None) for each in led])], sites)


def next_lessons(student: Student) -> list[Occurrence]:
    """The first that are to come, cancelled ones too. Six queries."""
    now = timezone.localtime()
    first, last = now.date(), now.date() + LOOK_AHEAD
    hours = hours_of_students([student], first, last)
    attendees = Attendees(hours, [student])
    to_come = (
        lesson
        for lesson in lessons(hours, first, last)
        if lesson.ends > now and attendees.of(lesson)
    )
    return [lesson for lesson, _ in zip(to_come, range(NEXT_LESSONS), strict=False)]


def _week_of_students(students, sites, monday):
    first, last = _days(monday)
    hours = hours_of_students(students, first, last)
    attendees = Attendees(hours, students)
    theirs = defaultdict(list)
    for lesson in lessons(hours, first, last, moved_away=True):
        for student in dict.fromkeys(each.student_id for each in attendees.of(lesson)):
            theirs[student].append(lesson)
    played = defaultdict(list)
    for appearance in appearances_of(students, first, last):
        for student in appearance.students:
            played[student.pk].append(ConcertEntry(appearance, student))
    columns = [
        Column(student.first_name, theirs[student.pk], played[student.pk]) for student in students
    ]
    return _week(monday, columns, sites)


def _week(monday, columns, sites):
    """One query: the closures of these sites."""
    dates = [monday + dt.timedelta(days=n) for n in range(7)]
    closures = _closures(sites, dates)
    days = [
        Day(date, closures[date], [Cell(each.label, _entries(each, date)) for each in columns])
        for date in dates
    ]
    if days[-1].is_empty:  # a Sunday, when there is something on it
        del days[-1]
    return Week(monday, [column.label for column in columns], days)


def _entries(column, date):
    entries = [each for each in column.concerts if each.appearance.starts.date() == date]
    for lesson in column.lessons:
        there = lesson.starts.date() == date
        if there or lesson.planned_on == date:
            entries.append(Entry(lesson, left=not there))
    return sorted(entries, key=lambda entry: entry.hour)


def _closures(sites, dates):
    """{day: what closes it}, named with its site where it closes one of several."""
    found = defaultdict(list)
    closures = Closure.objects.filter(
        Q(establishment=None) | Q(establishment__in=sites),
        first_on__lte=dates[-1],
        last_on__gte=dates[0],
    )
    for closure in closures.select_related("establishment"):
        where = f" ({closure.establishment})" if closure.establishment else ""
        for date in dates:
            if closure.first_on <= date <= closure.last_on:
                found[date].append(f"{closure}{where}")
    return found


def _days(monday):
    return monday, monday + dt.timedelta(days=6)


def _monday(day):
    return day - dt.timedelta(days=day.weekday())
