"""Who stands on a class list, and as what."""

import datetime as dt

import pytest
from django.utils import timezone

from students import services, waiting
from students.enums import ClassMove, EnrolmentStatus, Scheduling
from students.models import ClassChange
from teaching.classes.lists import GONE, NEW, TO_COME, class_lists
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    make_time,
)

TODAY = timezone.localdate
DAY = dt.timedelta(days=1)


@pytest.fixture
def slot(teacher):
    return SlotFactory(teacher=teacher, places=4)


def seat(slot, **kwargs):
    free = slot.places.filter(enrolment=None).order_by("number").first()
    return EnrolmentFactory(course=slot.course, place=free, **kwargs)


def of(each):
    (found,) = class_lists([each])
    return found


def news(each):
    return [(row.student.last_name, row.change, row.since) for row in of(each).rows]


def age(enrolment, days):
    """As if all that became of it were so much older."""
    at = timezone.now() - days * DAY
    ClassChange.objects.filter(enrolment=enrolment).update(at=at)


class TestNews:
    def test_whoever_was_confirmed_lately_is_new(self, slot):
        services.confirm(seat(slot, status=EnrolmentStatus.REQUESTED))

        assert news(slot) == [("Martin", NEW, TODAY())]

    def test_for_a_week(self, slot):
        enrolment = services.confirm(seat(slot, status=EnrolmentStatus.REQUESTED))
        age(enrolment, 7)

        assert news(slot) == [("Martin", "", None)]

    def test_a_request_is_not(self, slot):
        seat(slot, status=EnrolmentStatus.REQUESTED)

        assert news(slot) == [("Martin", "", None)]

    def test_whoever_leaves_is_gone_for_a_week(self, slot):
        enrolment = services.release(seat(slot))

        [row] = of(slot).gone
        assert (row.student, row.change, row.since) == (enrolment.student, GONE, TODAY())
        assert of(slot).rows == []
        age(enrolment, 7)
        assert of(slot).gone == []

    def test_a_request_given_back_leaves_no_trace(self, slot):
        services.release(seat(slot, status=EnrolmentStatus.REQUESTED))

        assert of(slot).gone == []

    def test_from_one_slot_to_another_he_is_gone_here_and_new_there(self, slot):
        other = SlotFactory(course=slot.course, weekday=3)

        services.place(seat(slot), other)

        assert [row.change for row in of(slot).gone] == [GONE]
        assert [row.change for row in of(other).rows] == [NEW]

    def test_there_and_back_he_is_here(self, slot):
        other = SlotFactory(course=slot.course, weekday=3)
        enrolment = services.place(seat(slot), other)

        services.place(enrolment, slot)

        assert of(slot).gone == []
        assert [row.change for row in of(slot).rows] == [NEW]

    def test_of_a_course_without_slots(self, piano):
        new = services.confirm(EnrolmentFactory(course=piano, status=EnrolmentStatus.REQUESTED))
        gone = services.release(EnrolmentFactory(course=piano))

        found = of(piano)

        assert [(row.enrolment, row.change) for row in found.rows] == [(new, NEW)]
        assert [row.student for row in found.gone] == [gone.student]

    def test_dates_say_when_he_begins_and_stops(self, slot):
        today = TODAY()
        for name, starts_on, ends_on in [
            ("Adam", today + DAY, None),
            ("Bach", today - 2 * DAY, None),
            ("Cage", None, today),
            ("Duke", None, today - DAY),
        ]:
            seat(slot, student__last_name=name, starts_on=starts_on, ends_on=ends_on)

        assert news(slot) == [
            ("Adam", TO_COME, today + DAY),
            ("Bach", NEW, today - 2 * DAY),
            ("Cage", "", None),
        ]
        [row] = of(slot).gone
        assert (row.student.last_name, row.since) == ("Duke", today - DAY)

    def test_who_stopped_more_than_a_week_ago_is_there_no_more(self, slot):
        seat(slot, ends_on=TODAY() - 8 * DAY)

        assert of(slot).everybody == []


class TestChangesAreNoted:
    """students.services writes them, in the move's own transaction."""

    def noted(self, enrolment):
        rows = ClassChange.objects.filter(enrolment=enrolment).order_by("pk")
        return [(row.kind, row.slot) for row in rows]

    def test_a_claim_is_not_a_change_and_its_confirmation_is(self, slot):
        enrolment = services.claim(StudentFactory(), slot, cycle="c1")
        assert self.noted(enrolment) == []

        services.confirm(enrolment)

        assert self.noted(enrolment) == [(ClassMove.ARRIVED, slot)]

    def test_the_slot_that_is_left_is_named(self, slot):
        enrolment = seat(slot)

        services.release(enrolment)

        assert self.noted(enrolment) == [(ClassMove.LEFT, slot)]


class TestWaiting:
    def test_those_who_wait_for_the_slot_or_any_of_the_course(self, teacher):
        slot = SlotFactory(teacher=teacher, places=0, course__coming=True)
        SlotFactory(course=slot.course, places=0, weekday=3)
        student, other = StudentFactory(last_name="Zola"), StudentFactory(last_name="Adam")
        waiting.set_wishes(student, slot.course, [slot], actor=None)
        waiting.set_wishes(other, slot.course, [None], actor=None)

        found = of(slot)

        assert [row.student for row in found.waiting] == [other, student]
        assert found.rows == []


class TestHours:
    def test_today_s_hour_and_the_one_that_follows(self, piano):
        enrolment = EnrolmentFactory(course=piano)
        now = make_time(piano, enrolment, ends_on=TODAY() + 3 * DAY)
        then = make_time(piano, enrolment, starts_on=TODAY() + 4 * DAY, starts_at=dt.time(16))
        make_time(piano, enrolment, ends_on=TODAY() - DAY)

        [row] = of(piano).rows

        assert (row.time, row.next_time) == (now, then)


class TestContacts:
    @pytest.fixture
    def student(self, slot):
        """Of two households; with one telephone each, and a guardian without any."""
        student = StudentFactory()
        first = GuardianFactory(mobile_phone="06 11 11 11 11", home_phone="03 11 11 11 11")
        GuardianFactory(family=first.family, mobile_phone="", home_phone="", last_name="Muet")
        second = GuardianFactory(
            first_name="Paul", last_name="Durand", mobile_phone="", home_phone="03 22 22 22 22"
        )
        CustodyFactory(student=student, family=first.family)
        CustodyFactory(student=student, family=second.family, rank=2)
        seat(slot, student=student)
        return student

    def test_none_unless_the_establishment_allows_it(self, slot, student):
        assert [row.contacts for row in of(slot).rows] == [[]]

    def test_the_guardians_of_both_households_first_the_mobile(self, slot, student):
        slot.course.establishment.shows_emergency_phone = True
        slot.course.establishment.save()

        [row] = of(slot).rows

        assert [(each.name, each.phone) for each in row.contacts] == [
            ("Claire Martin", "06 11 11 11 11"),
            ("Paul Durand", "03 22 22 22 22"),
        ]

    def test_of_that_establishment_s_classes_only(self, slot, student, piano):
        """The same teacher, the same student, a site that says nothing."""
        slot.course.establishment.shows_emergency_phone = True
        slot.course.establishment.save()
        other = CourseFactory(
            scheduling=Scheduling.TEACHER, establishment__name="Annexe", teacher=piano.teacher
        )
        EnrolmentFactory(student=student, course=other)

        here, there = class_lists([slot, other])

        assert [bool(each.rows[0].contacts) for each in (here, there)] == [True, False]


@pytest.mark.parametrize(("classes", "students"), [(2, 3), (8, 25)])
def test_queries(teacher, django_assert_num_queries, classes, students):
    """Of a teacher of 200 students as of one of six."""
    site = None
    found = []
    for number in range(classes):
        slot = SlotFactory(teacher=teacher, places=students, weekday=number % 7 + 1)
        site = slot.course.establishment
        for place in slot.places.all():
            guardian = GuardianFactory(user=None)
            student = StudentFactory(family=guardian.family)
            EnrolmentFactory(course=slot.course, place=place, student=student)
        course = CourseFactory(scheduling=Scheduling.TEACHER, teacher=teacher)
        make_time(course, EnrolmentFactory(course=course))
        found += [slot, course]
    site.shows_emergency_phone = True
    site.save()
    for each in found:
        owner = each.course if hasattr(each, "course") else each
        owner.establishment = site

    # enrolments, changes, hours, waiting, portraits, telephones
    with django_assert_num_queries(6):
        lists = class_lists(found)

    assert sum(len(each.rows) for each in lists) == classes * (students + 1)
