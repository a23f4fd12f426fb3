"""A school year around today, and lessons of next week: whatever the day the tests are played."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from students.enums import Scheduling, Weekday
from students.models import Course, SchoolYear
from teaching.lessons import find
from teaching.models import LessonTime
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory, TeacherFactory


def around_today() -> SchoolYear:
    today = timezone.localdate()
    year, _ = SchoolYear.objects.get_or_create(
        starts_on=today - dt.timedelta(days=100), ends_on=today + dt.timedelta(days=200)
    )
    return year


def next_monday() -> dt.date:
    today = timezone.localdate()
    return today + dt.timedelta(days=7 - today.weekday())


def plan(lesson) -> str:
    """The page where the staff cancel, move or replace it."""
    return reverse("admin:teaching_lesson_plan", args=[lesson.key])


def make_slot(*students, **fields):
    """« Formation musicale A », on Mondays from 18 h 30 to 19 h 30, in « Salle Ravel »."""
    fields = {"course__name": _name("Formation musicale"), "room": "Salle Ravel"} | fields
    slot = SlotFactory(course__school_year=around_today(), places=5, **fields)
    for student, place in zip(students, slot.places.all(), strict=False):
        EnrolmentFactory(student=student, course=slot.course, place=place)
    return slot


def make_time(student, teacher=None, **fields):
    """« Piano » of one student, on Tuesdays from 17 h to 17 h 30, in « Studio 3 »."""
    course = CourseFactory(
        name=fields.pop("name", None) or _name("Piano"),
        school_year=around_today(),
        scheduling=Scheduling.TEACHER,
        teacher=teacher or TeacherFactory(user=None),
        **{key: fields.pop(key) for key in list(fields) if key == "establishment"},
    )
    fields = {
        "weekday": Weekday.TUESDAY,
        "starts_at": dt.time(17),
        "ends_at": dt.time(17, 30),
        "room": "Studio 3",
    } | fields
    enrolment = EnrolmentFactory(student=student, course=course)
    return LessonTime.objects.create(course=course, enrolment=enrolment, **fields)


def _name(wanted):
    """The first course has the plain name; one name by site and year."""
    others = Course.objects.filter(name__startswith=wanted).count()
    return f"{wanted} {others + 1}" if others else wanted


def next_lesson(hour):
    """That of next week."""
    return find(hour, next_monday() + dt.timedelta(days=hour.weekday - 1))
