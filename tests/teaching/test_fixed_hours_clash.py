"""Nobody sits in a class at the hour of his individual lesson, or of his whole course (CHAM)."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from students import services
from students.enums import Cycle, EnrolmentStatus, Scheduling, Weekday
from students.obstacles import check_no_clash
from teaching.classes.clashes import fixed_hours_at, fixed_hours_of
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    make_time,
)

pytestmark = pytest.mark.django_db

TUESDAY_AT_FIVE = {
    "weekday": Weekday.TUESDAY,
    "starts_at": dt.time(17, 15),
    "ends_at": dt.time(18, 15),
}


@pytest.fixture
def piano(student):
    """Louise's lesson: on Tuesdays, from 17:00 to 17:30."""
    course = CourseFactory(name="Piano", scheduling=Scheduling.TEACHER)
    return make_time(course, EnrolmentFactory(student=student, course=course))


@pytest.fixture
def cham(student):
    """On Tuesdays from 17:00 to 17:30, for the whole course."""
    course = CourseFactory(name="Chœur CHAM", scheduling=Scheduling.SCHOOL)
    EnrolmentFactory(student=student, course=course, status=EnrolmentStatus.REQUESTED)
    return make_time(course)


def soon():
    return timezone.now() + dt.timedelta(minutes=30)


def refusal(call, *args, **kwargs):
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return caught.value.code, caught.value.messages[0].replace("\u00a0", " ")


class TestRefused:
    def test_the_hour_of_his_lesson(self, student, piano):
        slot = SlotFactory(**TUESDAY_AT_FIVE, course__name="Formation musicale")

        code, said = refusal(services.hold, student, slot, until=soon())

        assert code == "clash"
        assert said == (
            "Le créneau « Formation musicale A – MARDI – 17 h 15 à 18 h 15 » est en même temps que"
            " « Piano – MARDI – 17 h à 17 h 30 », dont l'heure est déjà fixée : choisissez un autre"
            " créneau."
        )

    def test_the_hour_of_his_whole_course(self, student, cham):
        slot = SlotFactory(**TUESDAY_AT_FIVE)

        assert refusal(services.claim, student, slot, cycle=Cycle.FIRST)[0] == "clash"

    def test_an_agent_too(self, student, piano):
        slot = SlotFactory(**TUESDAY_AT_FIVE)
        enrolment = services.enrol_without_place(student, slot.course, cycle=Cycle.FIRST)

        assert refusal(services.place, enrolment, slot)[0] == "clash"


class TestAllowed:
    @pytest.mark.parametrize(
        "changes",
        [
            {"weekday": Weekday.WEDNESDAY},
            {"starts_at": dt.time(17, 30)},
            {"starts_at": dt.time(16), "ends_at": dt.time(17)},
        ],
        ids=["another day", "just after", "just before"],
    )
    def test_another_time(self, student, piano, cham, changes):
        check_no_clash(student, SlotFactory(**TUESDAY_AT_FIVE | changes))

    def test_another_year(self, student, piano, cham):
        check_no_clash(student, SlotFactory(**TUESDAY_AT_FIVE, course=CourseFactory(coming=True)))

    def test_another_student(self, piano, cham):
        check_no_clash(StudentFactory(), SlotFactory(**TUESDAY_AT_FIVE))

    def test_an_hour_that_is_over(self, student, piano, cham):
        for time in (piano, cham):
            time.ends_on = timezone.localdate() - dt.timedelta(days=1)
            time.save()

        check_no_clash(student, SlotFactory(**TUESDAY_AT_FIVE))

    def test_a_lesson_that_he_has_left(self, student, piano):
        piano.enrolment.ends_on = timezone.localdate() - dt.timedelta(days=1)
        piano.enrolment.save()

        check_no_clash(student, SlotFactory(**TUESDAY_AT_FIVE))

    def test_an_enrolment_given_back(self, student, piano, cham):
        for enrolment in student.enrolments.all():
            services.release(enrolment)

        check_no_clash(student, SlotFactory(**TUESDAY_AT_FIVE))

    def test_the_lesson_that_he_leaves_for_the_slot(self, student, piano):
        slot = SlotFactory(**TUESDAY_AT_FIVE)

        check_no_clash(student, slot, leaving=piano.enrolment)


class TestQueries:
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_one_to_know_whatever_the_count(self, student, count, django_assert_num_queries):
        slot = SlotFactory(**TUESDAY_AT_FIVE)
        for number in range(count):
            course = CourseFactory(name=f"Piano {number}", scheduling=Scheduling.TEACHER)
            make_time(course, EnrolmentFactory(student=student, course=course))

        with django_assert_num_queries(1):
            assert len(fixed_hours_at(student, slot, but_of=[slot.course_id])) == count

    def test_none_for_a_student_without_such_a_course(self, student, piano, cham):
        """As a family picks its slots, in the spring: nothing of the coming year is his yet."""
        other, slot = StudentFactory(), SlotFactory(course=CourseFactory(coming=True), places=9)

        for whose in (other, student):
            with CaptureQueriesContext(connection) as queries:
                services.hold(whose, slot, until=soon())
            asked = [query for query in queries if "teaching_lessontime" in query["sql"]]
            assert asked == []


class TestOfMany:
    def test_each_with_his_own(self, student, piano, cham, django_assert_num_queries):
        other = StudentFactory()
        EnrolmentFactory(student=other, course=cham.course)
        year = piano.course.school_year

        with django_assert_num_queries(2):
            found = list(fixed_hours_of([student.pk, other.pk], year))

        assert sorted(found, key=lambda each: (each[0], each[1].pk)) == sorted(
            [(student.pk, piano), (student.pk, cham), (other.pk, cham)],
            key=lambda each: (each[0], each[1].pk),
        )

    def test_nothing_fixed_one_query(self, student, piano, django_assert_num_queries):
        coming = SchoolYearFactory.coming()

        with django_assert_num_queries(1):
            assert list(fixed_hours_of([student.pk], coming)) == []
