"""Nobody can sit in two lessons at once."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from students import services
from students.enums import Cycle, Weekday
from students.models import Hold
from tests.factories import CourseFactory, SchoolYearFactory, SlotFactory, StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def orchestra(student):
    """Louise is there on Mondays, from 18:30 to 19:30."""
    slot = SlotFactory(course=CourseFactory(name="Orchestre"), group="")
    services.claim(student, slot, cycle=Cycle.FIRST)
    return slot


def soon():
    return timezone.now() + dt.timedelta(minutes=30)


def at(start, end, **kwargs):
    times = [dt.time.fromisoformat(time) for time in (start, end)]
    return SlotFactory(starts_at=times[0], ends_at=times[1], **kwargs)


def clashes(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ValidationError as error:
        return {"clash": error.messages[0]}[error.code]
    return ""


@pytest.mark.parametrize(
    ("start", "end", "clash"),
    [
        ("17:30", "18:30", False),  # one ends as the other begins
        ("17:30", "18:31", True),
        ("18:45", "19:00", True),
        ("18:00", "20:00", True),
        ("19:29", "20:00", True),
        ("19:30", "20:30", False),
    ],
)
def test_the_minutes_that_clash(student, orchestra, start, end, clash):
    assert bool(clashes(services.hold, student, at(start, end), until=soon())) == clash


def test_the_sentence_names_both(student, orchestra):
    choir = SlotFactory(course=CourseFactory(name="Chœur"), group="")

    said = clashes(services.claim, student, choir, cycle=Cycle.FIRST).replace("\u00a0", " ")

    assert said == (
        "Le créneau « Chœur – LUNDI – 18 h 30 à 19 h 30 » est en même temps que "
        "« Orchestre – LUNDI – 18 h 30 à 19 h 30 » : choisissez-en un autre pour l'un des deux "
        "cours."
    )


def test_what_is_held_counts_until_its_time_is_over(student):
    services.hold(student, SlotFactory(), until=soon())
    other = SlotFactory()
    assert clashes(services.hold, student, other, until=soon())

    Hold.objects.update(until=timezone.now())

    assert not clashes(services.hold, student, other, until=soon())


def test_so_it_does_for_a_place_that_is_claimed(student):
    services.hold(student, SlotFactory(), until=soon())
    other = SlotFactory()
    assert clashes(services.claim, student, other, cycle=Cycle.FIRST)

    Hold.objects.update(until=timezone.now())

    assert not clashes(services.claim, student, other, cycle=Cycle.FIRST)


def test_an_enrolment_given_back_does_not(student, orchestra):
    services.release(student.enrolments.get())

    assert not clashes(services.hold, student, SlotFactory(), until=soon())


@pytest.mark.parametrize(
    "elsewhere",
    [
        lambda: SlotFactory(weekday=Weekday.TUESDAY),
        lambda: SlotFactory(course=CourseFactory(school_year=SchoolYearFactory.coming())),
    ],
    ids=["another day", "another year"],
)
def test_another_day_or_year_does_not(student, orchestra, elsewhere):
    assert not clashes(services.claim, student, elsewhere(), cycle=Cycle.FIRST)


def test_another_student_does_not(orchestra):
    assert not clashes(services.claim, StudentFactory(), SlotFactory(), cycle=Cycle.FIRST)


def test_the_group_that_he_leaves_for_another_of_the_course_does_not(student, orchestra):
    other = SlotFactory(course=orchestra.course, group="B")

    assert not clashes(services.place, student.enrolments.get(), other)


def test_the_course_that_he_leaves_for_another_does_not(student, orchestra):
    leaving = student.enrolments.get()

    assert not clashes(services.claim, student, SlotFactory(), cycle=Cycle.FIRST, leaving=leaving)


def test_an_agent_is_told_too(student, orchestra):
    course = CourseFactory()
    enrolment = services.enrol_without_place(student, course, cycle=Cycle.FIRST)

    assert clashes(services.place, enrolment, SlotFactory(course=course))
