"""A student leaves a course in the middle of the year: nothing of him stays in what is to come."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from accounts.models import Mail
from students import services as students
from students.models import Enrolment
from teaching.classes import hours
from teaching.classes.hours import Wanted
from teaching.classes.lists import GONE, class_lists
from teaching.enums import Space
from teaching.lessons import find, hours_of_teacher, lessons
from teaching.models import Absence, Lesson
from teaching.register.selectors import not_called, sheet_of
from teaching.timetable import conflicts, feeds, services
from teaching.timetable.rooms import rooms_of
from teaching.timetable.services import Where
from tests.factories import EnrolmentFactory, StudentFactory, TeacherFactory
from tests.teaching.register_cases import ABSENT, Case, well_begun
from tests.teaching.timetable_cases import make_slot, make_time, next_lesson, next_monday

NEXT_WEEK = dt.timedelta(days=7)


@pytest.fixture
def piano(student, parent, teacher):
    """Louise's weekly hour with Cécile Vasseur."""
    return make_time(student, teacher)


def leave(how, student):
    """Her enrolment is given back, or has ended."""
    for enrolment in Enrolment.objects.filter(student=student):
        if how == "released":
            students.release(enrolment)
        else:
            enrolment.ends_on = timezone.localdate() - dt.timedelta(days=1)
            enrolment.save(update_fields=["ends_on"])


@pytest.fixture(params=["released", "ended"])
def how(request):
    return request.param


class TestIndividualLessons:
    def to_come(self, teacher, site):
        first, last = next_monday(), next_monday() + NEXT_WEEK * 3
        return lessons(hours_of_teacher(teacher, [site], first, last), first, last)

    @pytest.fixture(params=["as planned", "cancelled", "moved", "replaced"])
    def changed(self, request, piano, registrar):
        """Next week's lesson, beforehand."""
        lesson = next_lesson(piano)
        if request.param == "cancelled":
            services.cancel([lesson], actor=registrar)
        elif request.param == "moved":
            where = Where(lesson.planned_on + dt.timedelta(days=1), dt.time(17), dt.time(18))
            services.move(lesson, where, actor=registrar)
        elif request.param == "replaced":
            services.replace([lesson], substitute=TeacherFactory(), actor=registrar)
        return lesson

    def test_none_is_to_come(self, how, changed, piano, student, teacher, establishment):
        assert self.to_come(teacher, establishment)

        leave(how, student)

        assert self.to_come(teacher, establishment) == []
        assert find(_fresh(piano), changed.planned_on) is None

    def test_the_calendars_hold_none(self, client, how, changed, piano, student, parent, teacher):
        leave(how, student)

        today = timezone.localdate()
        for user, space in ((parent, Space.FAMILY), (teacher.user, Space.TEACHER)):
            feed = feeds.make(user, space)
            answer = client.get(reverse("teaching:calendar", args=[feeds.SIGNER.sign(feed.key)]))
            found = Calendar.from_ical(answer.content).walk("VEVENT")
            assert [event for event in found if event["DTSTART"].dt.date() > today] == []

    def test_neither_the_weeks_nor_the_rooms(
        self, client, how, changed, piano, student, parent, teacher, establishment
    ):
        leave(how, student)

        for user, page in (
            (parent, reverse("teaching:week")),
            (teacher.user, reverse("teacher:week")),
            (teacher.user, reverse("teacher:index")),
        ):
            client.force_login(user)
            assert "Piano" not in client.get(f"{page}?semaine={changed.planned_on}").text
        for offset in (0, 1):
            day = changed.planned_on + dt.timedelta(days=offset)
            assert not any(room.lessons for room in rooms_of(establishment, day))

    def test_his_hour_is_free_for_another(self, how, piano, student, teacher, registrar):
        other = EnrolmentFactory(course=piano.course)
        wanted = Wanted(
            piano.weekday, dt.time(17, 15), dt.time(17, 45), next_monday(), room="Studio 3"
        )
        with pytest.raises(ValidationError):
            hours.fix(other, wanted)

        leave(how, student)

        assert hours.fix(other, wanted).room == "Studio 3"

    def test_nor_is_it_a_lesson_for_two(self, how, piano, student):
        other = EnrolmentFactory(course=piano.course)
        leave(how, student)

        assert hours.fix(other, Wanted(piano.weekday, dt.time(17), dt.time(17, 30), next_monday()))

    def test_the_plans_of_the_staff_see_no_conflict(self, how, piano, student, teacher, registrar):
        slot = make_slot(
            StudentFactory(),
            teacher=teacher,
            weekday=piano.weekday,
            starts_at=dt.time(17, 15),
            ends_at=dt.time(18),
            room="Studio 3",
        )
        year, site = slot.course.school_year, slot.course.establishment
        assert len(conflicts.overlaps_of(site, year)) == 2  # the teacher, the room
        assert len(conflicts.warnings_of(slot)) == 2

        leave("released", student)

        assert conflicts.overlaps_of(site, year) == []
        assert conflicts.warnings_of(slot) == []

    def test_his_hour_is_not_to_be_fixed_anew(self, client, how, piano, student, teacher):
        piano.delete()
        client.force_login(teacher.user)
        assert "sans horaire" in client.get(reverse("teacher:index")).text

        leave(how, student)

        assert "sans horaire" not in client.get(reverse("teacher:index")).text

    def test_the_page_of_his_hour_is_gone(self, client, piano, student, teacher):
        client.force_login(teacher.user)
        url = reverse("teacher:hour", args=[piano.enrolment_id])
        assert client.get(url).status_code == 200

        leave("released", student)

        assert client.get(url).status_code == 404

    def test_nobody_is_told_of_his_lessons_any_more(self, piano, student, parent, registrar):
        lesson = next_lesson(piano)
        leave("released", student)

        services.cancel([lesson], actor=registrar)

        assert not Mail.objects.filter(to=parent.guardian.email).exists()


class TestWhatWas:
    def test_a_lesson_that_was_called_stays(self, piano, student, teacher, establishment):
        """History: the teacher's past weeks say it."""
        past = next_monday() - NEXT_WEEK * 2 + dt.timedelta(days=piano.weekday - 1)
        Lesson.objects.create(time=piano, planned_on=past)

        leave("released", student)

        found = lessons(hours_of_teacher(teacher, [establishment], past, past), past, past)
        assert [lesson.planned_on for lesson in found] == [past]

    def test_his_absences_stay_and_his_name_leaves_the_sheet(self, teacher):
        case = Case(teacher, year=well_begun())
        case.call(ABSENT)

        leave("released", case.enrolments[0].student)

        assert case.enrolments[0].pk not in sheet_of(case.lesson).marks
        assert Absence.objects.live().count() == 1


class TestClasses:
    @pytest.fixture
    def case(self, teacher):
        return Case(teacher, students=1, year=well_begun())

    def test_gone_for_a_week_then_not_at_all(self, how, case):
        leave(how, case.enrolments[0].student)

        [gone] = class_lists([_fresh(case.slot)])[0].gone
        assert gone.change == GONE
        later = timezone.now() + dt.timedelta(days=9)
        [listed] = class_lists([_fresh(case.slot)], now=later)
        assert listed.everybody == []

    def test_there_is_no_register_to_call(self, client, case, teacher):
        leave("released", case.enrolments[0].student)
        client.force_login(teacher.user)

        assert not_called([case.lesson]) in ([], [case.lesson])  # by the hour of the day
        for page in ("teacher:registers", "teacher:index"):
            assert case.url not in client.get(reverse(page)).text

    def test_his_place_is_free(self, case):
        leave("released", case.enrolments[0].student)

        assert case.slot.places.filter(enrolment=None).count() == case.slot.places.count()


def _fresh(row):
    return type(row).objects.get(pk=row.pk)
