"""The lessons of some days: computed from the weekly hours (teaching/lessons.py)."""

import datetime as dt

import pytest

from students.enums import EnrolmentStatus, Scheduling, Weekday
from students.models import Enrolment, SchoolYear, Slot
from teaching.absences.selectors import attended
from teaching.enums import ClosureKind, LessonState
from teaching.lessons import (
    Attendees,
    Hours,
    find,
    hours_of_site,
    hours_of_students,
    hours_of_teacher,
    lessons,
)
from teaching.models import Closure, Lesson, LessonTime
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.teaching.timetable_cases import make_slot, make_time, next_monday

MONDAY = dt.date(2026, 10, 12)
OCTOBER = MONDAY, dt.date(2026, 11, 8)  # four weeks; the clocks change on the 25th


@pytest.fixture
def year(db):
    return SchoolYear.objects.create(
        starts_on=dt.date(2026, 9, 1),
        ends_on=dt.date(2027, 8, 31),
        lessons_start_on=dt.date(2026, 9, 14),
        lessons_end_on=dt.date(2027, 6, 30),
    )


@pytest.fixture
def slot(year, teacher):
    return SlotFactory(
        course__school_year=year,
        course__name="Formation musicale",
        teacher=teacher,
        room="Salle Ravel",
        places=3,
    )


def close(first, last, establishment=None):
    return Closure.objects.create(
        kind=ClosureKind.HOLIDAYS,
        name="Toussaint",
        first_on=first,
        last_on=last,
        establishment=establishment,
    )


def days(hours, first=OCTOBER[0], last=OCTOBER[1]):
    return [lesson.starts.date().isoformat() for lesson in lessons(hours, first, last)]


def only(*slots):
    return Hours(list(slots), [])


class TestLessons:
    def test_each_week_at_the_same_hour_whatever_the_clocks_do(self, slot):
        found = lessons(only(slot), *OCTOBER)

        assert [lesson.starts.isoformat() for lesson in found] == [
            "2026-10-12T18:30:00+02:00",
            "2026-10-19T18:30:00+02:00",
            "2026-10-26T18:30:00+01:00",
            "2026-11-02T18:30:00+01:00",
        ]
        assert found[0].name == "Formation musicale A"
        assert found[0].hours == "18\u00a0h\u00a030 à 19\u00a0h\u00a030"
        assert found[0].key == f"c{slot.pk}-2026-10-12"

    def test_within_the_days_of_lessons_only(self, slot, year):
        assert days(only(slot), dt.date(2026, 9, 1), dt.date(2026, 9, 22)) == [
            "2026-09-14",
            "2026-09-21",
        ]
        assert days(only(slot), dt.date(2027, 6, 21), dt.date(2027, 8, 31)) == [
            "2027-06-21",
            "2027-06-28",
        ]

    def test_a_year_without_such_days_has_lessons_from_end_to_end(self, slot, year):
        year.lessons_start_on = year.lessons_end_on = None
        year.save()
        slot.refresh_from_db()

        assert days(only(slot), dt.date(2026, 8, 1), dt.date(2026, 9, 13)) == ["2026-09-07"]

    def test_none_in_the_holidays_first_and_last_day_included(self, slot):
        close(dt.date(2026, 10, 19), dt.date(2026, 11, 2))

        assert days(only(slot)) == ["2026-10-12"]

    def test_a_closed_site_closes_no_other(self, slot, year):
        other = SlotFactory(
            course__school_year=year,
            course__establishment=EstablishmentFactory(name="École de danse"),
        )
        close(MONDAY, MONDAY, establishment=other.course.establishment)

        assert days(only(slot), MONDAY, MONDAY) == ["2026-10-12"]
        assert days(only(other), MONDAY, MONDAY) == []

    def test_a_lesson_with_a_row_outlives_a_new_holiday(self, slot):
        Lesson.objects.create(slot=slot, planned_on=MONDAY)
        close(MONDAY, MONDAY)

        assert days(only(slot), MONDAY, MONDAY) == ["2026-10-12"]

    def test_a_cancelled_lesson_says_so(self, slot):
        Lesson.objects.create(
            slot=slot, planned_on=MONDAY, state=LessonState.CANCELLED, reason="Grève"
        )

        [lesson] = lessons(only(slot), MONDAY, MONDAY)

        assert lesson.is_cancelled
        assert lesson.reason == "Grève"

    def test_a_moved_lesson_is_where_it_went(self, slot):
        Lesson.objects.create(
            slot=slot,
            planned_on=MONDAY,
            state=LessonState.MOVED,
            moved_on=MONDAY + dt.timedelta(days=2),
            starts_at=dt.time(14),
            ends_at=dt.time(15),
            room="Auditorium",
        )

        assert days(only(slot), MONDAY, MONDAY) == []
        [lesson] = lessons(only(slot), MONDAY + dt.timedelta(days=2), OCTOBER[0] + dt.timedelta(4))
        assert (lesson.starts.isoformat(), lesson.room) == (
            "2026-10-14T14:00:00+02:00",
            "Auditorium",
        )
        assert lesson.key == f"c{slot.pk}-2026-10-12"  # its name for ever
        assert find(slot, MONDAY) == lesson

    def test_a_constant_number_of_queries(self, slot, year, django_assert_num_queries):
        slots = [slot, *[SlotFactory(course__school_year=year) for _ in range(5)]]
        hours = hours_of_site(slot.course.establishment, *OCTOBER)
        Lesson.objects.create(slot=slot, planned_on=MONDAY, substitute=TeacherFactory(user=None))

        with django_assert_num_queries(2):
            found = lessons(hours, *OCTOBER)
            assert [each.teacher and each.course.establishment.name for each in found]
        assert len(found) == 4 * len(slots)


class TestFind:
    def test_a_planned_lesson(self, slot):
        assert find(slot, MONDAY).starts.date() == MONDAY

    def test_none_on_another_weekday_in_the_holidays_or_out_of_the_year(self, slot):
        close(MONDAY, MONDAY)

        assert find(slot, MONDAY) is None
        assert find(slot, MONDAY + dt.timedelta(days=1)) is None
        assert find(slot, dt.date(2027, 7, 5)) is None


class TestHours:
    def test_of_a_teacher(self, slot, year, teacher):
        course = CourseFactory(
            school_year=year, teacher=teacher, scheduling=Scheduling.TEACHER, name="Piano"
        )
        time = _time(course)
        unnamed = SlotFactory(course__school_year=year, course__teacher=teacher)
        SlotFactory(course__school_year=year)
        replaced = SlotFactory(course__school_year=year)
        Lesson.objects.create(slot=replaced, planned_on=MONDAY, substitute=teacher)
        sites = teacher.user.establishments.all()

        hours = hours_of_teacher(teacher, sites, *OCTOBER)

        assert set(hours.slots) == {slot, unnamed, replaced}
        assert hours.times == [time]

    def test_not_at_a_site_that_left_the_account(self, slot, teacher):
        teacher.user.establishments.clear()

        assert not hours_of_teacher(teacher, teacher.user.establishments.all(), *OCTOBER)

    def test_of_a_student_his_slot_his_hour_and_the_whole_course_s(self, slot, year):
        student, other = StudentFactory(), StudentFactory()
        EnrolmentFactory(student=student, course=slot.course, place=slot.places.first())
        piano = CourseFactory(school_year=year, scheduling=Scheduling.TEACHER)
        mine = _time(piano, EnrolmentFactory(student=student, course=piano))
        _time(piano, EnrolmentFactory(student=other, course=piano))
        cham = CourseFactory(school_year=year, scheduling=Scheduling.SCHOOL)
        everybody = _time(cham)
        EnrolmentFactory(student=student, course=cham)

        hours = hours_of_students([student], *OCTOBER)

        assert hours.slots == [slot]
        assert set(hours.times) == {mine, everybody}

    def test_not_those_that_are_only_requested(self, slot):
        enrolment = EnrolmentFactory(
            course=slot.course, place=slot.places.first(), status=EnrolmentStatus.REQUESTED
        )

        assert not hours_of_students([enrolment.student], *OCTOBER)

    def test_not_those_of_another_year(self, slot):
        first, last = dt.date(2027, 9, 1), dt.date(2027, 12, 1)

        assert not hours_of_site(slot.course.establishment, first, last)


class TestAttendees:
    def test_those_who_have_begun_and_not_stopped(self, slot):
        places = iter(slot.places.all())
        late = EnrolmentFactory(
            course=slot.course,
            place=next(places),
            student__last_name="Zola",
            starts_on=MONDAY + dt.timedelta(days=7),
        )
        gone = EnrolmentFactory(
            course=slot.course, place=next(places), student__last_name="Adam", ends_on=MONDAY
        )
        first, second, *_ = lessons(only(slot), *OCTOBER)

        attendees = Attendees(only(slot))

        assert attendees.of(first) == [gone]
        assert attendees.of(second) == [late]

    def test_of_a_fixed_hour_its_student_or_the_whole_course(self, year):
        course = CourseFactory(school_year=year, scheduling=Scheduling.TEACHER)
        one, two = (
            EnrolmentFactory(course=course, student__last_name=name) for name in ("Adam", "Bizet")
        )
        alone, all_of_them = _time(course, one), _time(course)
        hours = Hours([], [alone, all_of_them])
        attendees = Attendees(hours)
        by_hour = {lesson.hour: lesson for lesson in lessons(hours, MONDAY, OCTOBER[1])}

        assert attendees.of(by_hour[alone]) == [one]
        assert attendees.of(by_hour[all_of_them]) == [one, two]


def _time(course, enrolment=None):
    return LessonTime.objects.create(
        course=course,
        enrolment=enrolment,
        weekday=Weekday.TUESDAY,
        starts_at=dt.time(17),
        ends_at=dt.time(17, 30),
    )


class TestAttended:
    """As Attendees says it, without reading everybody."""

    def both(self, *hours):
        slots = [hour for hour in hours if isinstance(hour, Slot)]
        these = Hours(slots, [hour for hour in hours if not isinstance(hour, Slot)])
        first = next_monday()
        found = lessons(these, first, first + dt.timedelta(days=13))
        attendees = Attendees(these)
        expected = [lesson for lesson in found if attendees.of(lesson)]
        assert attended(found) == expected
        return expected

    def test_of_a_slot(self, student):
        slot, empty = make_slot(student), make_slot(starts_at=dt.time(14), ends_at=dt.time(15))

        assert {lesson.hour for lesson in self.both(slot, empty)} == {slot}

    def test_who_begins_or_ends_between(self, student):
        slot = make_slot(student)
        Enrolment.objects.update(starts_on=next_monday() + dt.timedelta(days=1))
        assert [lesson.planned_on for lesson in self.both(slot)] == [
            next_monday() + dt.timedelta(days=7)
        ]
        Enrolment.objects.update(starts_on=None, ends_on=next_monday())
        assert [lesson.planned_on for lesson in self.both(slot)] == [next_monday()]

    def test_of_one_student_or_of_a_whole_course(self, student):
        own, of_all = make_time(student), make_time(StudentFactory(), weekday=Weekday.FRIDAY)
        LessonTime.objects.filter(pk=of_all.pk).update(enrolment=None)
        assert len(self.both(own, LessonTime.objects.get(pk=of_all.pk))) == 4

        Enrolment.objects.update(status=EnrolmentStatus.REQUESTED)
        own = LessonTime.objects.get(pk=own.pk)
        assert self.both(own, LessonTime.objects.get(pk=of_all.pk)) == []

    @pytest.mark.usefixtures("db")
    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_number(self, count, django_assert_num_queries):
        hours = [
            make_slot(
                *StudentFactory.create_batch(2), starts_at=dt.time(8 + n), ends_at=dt.time(9 + n)
            )
            for n in range(count)
        ]
        found = lessons(Hours(hours, []), next_monday(), next_monday())

        with django_assert_num_queries(1):  # no hour of a whole course: nothing to ask
            assert len(attended(found)) == count
