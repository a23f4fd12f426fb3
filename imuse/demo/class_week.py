"""The week that has just passed: who changed classes, an absence that a family has to justify."""

import datetime as dt
import random
import uuid
from contextlib import suppress

from django.core.exceptions import ValidationError

from accounts.models import User
from imuse.demo.clock import Clock
from imuse.demo.faces import WITHOUT
from imuse.demo.town import Town
from students import services as students
from students.models import Enrolment, Slot, Student, Teacher
from teaching.enums import Presence
from teaching.lessons import hours_of_students, lessons
from teaching.register import services
from teaching.register.marks import PRESENT, Mark
from teaching.register.selectors import sheet_of

MOVES = 2
LOOK_BACK = dt.timedelta(days=28)


def change_classes(town: Town, clock: Clock, rng: random.Random, teacher: User) -> None:
    """Some of the teacher's students go from one of his groups to another of the same course."""
    theirs = Slot.objects.taught_by(Teacher.objects.get(user=teacher))
    slots = list(theirs.filter(course__school_year=town.current, age_from=None).order_by("pk"))
    enrolments = (
        Enrolment.objects.confirmed()
        .filter(place__slot__in=slots)
        .exclude(student__families__guardians__user__username__in=WITHOUT)
    )
    left = MOVES
    found = list(enrolments.select_related("place__slot").order_by("pk"))
    for enrolment in rng.sample(found, len(found)):
        others = [s for s in slots if s.course_id == enrolment.course_id and s != enrolment.slot]
        if not left:
            return
        # Full, or at the hour of another of his courses: somebody else will.
        with suppress(ValidationError), clock.at(clock.moment(-3, 17)):
            students.place(enrolment, rng.choice(others))
            left -= 1


def miss_a_lesson(clock: Clock, rng: random.Random, parent: User, secretary: User) -> None:
    """The last lesson of one of the parent's children whose register was called."""
    last, children = clock.day(-1), set(Student.objects.visible_to(parent))
    hours = hours_of_students(children, last - LOOK_BACK, last)
    for lesson in reversed(lessons(hours, last - LOOK_BACK, last)):
        sheet = sheet_of(lesson)
        present = [
            line.enrolment
            for line in sheet.lines
            if line.enrolment.student in children and line.mark == PRESENT
        ]
        if sheet.is_called and present:
            teacher = lesson.teacher and lesson.teacher.user
            with clock.at(lesson.ends):
                services.call(
                    lesson,
                    {present[0].pk: Mark(Presence.ABSENT)},
                    version=sheet.version,
                    key=uuid.UUID(int=rng.getrandbits(128)),
                    actor=teacher or secretary,
                )
            return
