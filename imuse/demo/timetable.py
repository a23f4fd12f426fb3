"""What became of some lessons of the coming days: cancelled, moved, replaced, by the services."""

import datetime as dt

from accounts.models import User
from imuse.demo.clock import Clock
from imuse.demo.town import Town
from students.models import Student, Teacher
from teaching.lessons import Occurrence, hours_of_students, lessons
from teaching.models import TimetableSettings
from teaching.timetable import services
from teaching.timetable.services import Where

LOOK_AHEAD = dt.timedelta(days=60)


def change_lessons(town: Town, clock: Clock, parent: User, secretary: User) -> None:
    """Three of the parent's next lessons; the dance school lets its teachers change theirs."""
    TimetableSettings.objects.create(establishment=town.dance_school, teachers_change_lessons=True)
    first = clock.today + dt.timedelta(days=1)
    students = Student.objects.visible_to(parent)
    found = lessons(
        hours_of_students(students, first, first + LOOK_AHEAD), first, first + LOOK_AHEAD
    )
    by_hour = {}
    for lesson in found:
        by_hour.setdefault(lesson.hour, lesson)
    cancelled, moved, replaced = [*by_hour.values(), None, None, None][:3]
    if cancelled:
        services.cancel([cancelled], actor=secretary, reason="Enseignant souffrant")
    if moved:
        _move_a_day_later(moved, secretary)
    if replaced:
        _replace(replaced, secretary)


def _move_a_day_later(lesson: Occurrence, secretary: User) -> None:
    where = Where(
        lesson.planned_on + dt.timedelta(days=1),
        lesson.starts.time(),
        lesson.ends.time(),
        "Auditorium",
    )
    services.move(
        lesson, where, actor=secretary, reason="Salle en travaux", despite="Démonstration"
    )


def _replace(lesson: Occurrence, secretary: User) -> None:
    others = Teacher.objects.exclude(pk=lesson.usual_teacher.pk if lesson.usual_teacher else 0)
    services.replace([lesson], substitute=others.first(), actor=secretary, despite="Démonstration")
