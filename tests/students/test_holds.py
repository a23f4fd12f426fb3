"""A place kept while a family finishes: nobody else's meanwhile, anybody's afterwards."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from students import services
from students.enums import Cycle, EnrolmentStatus, Weekday
from students.models import Enrolment, Hold, Slot
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory, StudentFactory

pytestmark = pytest.mark.django_db


def soon(minutes=30):
    return timezone.now() + dt.timedelta(minutes=minutes)


def late(held):
    Hold.objects.filter(pk=held.pk).update(until=timezone.now())


def code_of(call, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        call(*args, **kwargs)
    return refusal.value.code


def left(slot):
    return Slot.objects.with_places().get(pk=slot.pk).places_left


@pytest.fixture
def slot(establishment):
    """The last place."""
    return SlotFactory(course=CourseFactory(name="Solfège"))


@pytest.fixture
def rival(db):
    return StudentFactory()


class TestHold:
    def test_takes_the_place_from_the_others(self, slot, student, rival):
        services.hold(student, slot, until=soon())

        assert left(slot) == 0
        assert code_of(services.hold, rival, slot, until=soon()) == "slot_full"
        assert code_of(services.claim, rival, slot, cycle=Cycle.FIRST) == "slot_full"

    def test_is_seen_by_its_own_family_alone(self, slot, student, rival):
        held = services.hold(student, slot, until=soon())

        assert [s.held_until for s in Slot.objects.seen_by(student)] == [held.until]
        assert [s.held_until for s in Slot.objects.seen_by(rival)] == [None]

    def test_past_its_time_it_stands_for_nothing(self, slot, student, rival):
        late(services.hold(student, slot, until=soon()))

        assert left(slot) == 1
        assert [s.held_until for s in Slot.objects.seen_by(student)] == [None]
        services.hold(rival, slot, until=soon())
        assert [held.student for held in Hold.objects.all()] == [rival]

    def test_is_made_longer_on_the_same_place(self, slot, student):
        first = services.hold(student, slot, until=soon(10))

        again = services.hold(student, slot, until=soon(30))

        assert (again.pk, again.place) == (first.pk, first.place)
        assert again.until > first.until

    def test_late_it_is_taken_up_as_long_as_nobody_took_the_place(self, slot, student):
        first = services.hold(student, slot, until=soon())
        late(first)

        assert services.hold(student, slot, until=soon()).place == first.place

    def test_in_another_slot_lets_the_first_go_once_the_second_is_taken(self, slot, student):
        other = SlotFactory(course=slot.course, group="B")
        services.hold(student, slot, until=soon())

        services.hold(student, other, until=soon())

        assert (left(slot), left(other)) == (1, 0)

    def test_in_a_full_slot_keeps_the_first(self, slot, student):
        full = SlotFactory(course=slot.course, group="B", places=0)
        services.hold(student, slot, until=soon())

        assert code_of(services.hold, student, full, until=soon()) == "slot_full"
        assert Hold.objects.get().place.slot == slot

    def test_in_two_courses_makes_two(self, slot, student):
        other = SlotFactory(weekday=Weekday.WEDNESDAY)

        for each in (slot, other):
            services.hold(student, each, until=soon())

        assert (left(slot), left(other)) == (0, 0)

    def test_is_not_for_somebody_already_enrolled(self, slot, student):
        EnrolmentFactory(student=student, course=slot.course)

        assert code_of(services.hold, student, slot, until=soon()) == "already_enrolled"

    def test_of_a_slot_that_is_gone(self, slot, student):
        Slot.objects.filter(pk=slot.pk).delete()

        assert code_of(services.hold, student, slot, until=soon()) == "slot_gone"

    def test_given_back_is_anybodys(self, slot, student):
        services.hold(student, slot, until=soon())

        services.let_go(student, slot.course)

        assert left(slot) == 1

    def test_the_database_lets_nobody_hold_a_place_twice(self, slot, student, rival):
        held = services.hold(student, slot, until=soon())

        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.create(
                place=held.place, student=rival, course=slot.course, until=held.until
            )


class TestThenClaimed:
    def test_the_place_held_becomes_the_students(self, slot, student):
        held = services.hold(student, slot, until=soon())

        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)

        assert (enrolment.place, enrolment.status) == (held.place, EnrolmentStatus.REQUESTED)
        assert not Hold.objects.exists()

    def test_late_but_still_free_too(self, slot, student):
        late(services.hold(student, slot, until=soon()))

        services.claim(student, slot, cycle=Cycle.FIRST)

        assert Enrolment.objects.get().student == student

    def test_late_and_taken_by_another(self, slot, student, rival):
        late(services.hold(student, slot, until=soon()))
        services.claim(rival, slot, cycle=Cycle.FIRST)

        assert code_of(services.claim, student, slot, cycle=Cycle.FIRST) == "slot_full"

    def test_his_own_place_comes_before_a_free_one(self, student):
        slot = SlotFactory(places=3)
        StudentFactory()
        services.hold(StudentFactory(), slot, until=soon())
        held = services.hold(student, slot, until=soon())

        assert services.claim(student, slot, cycle=Cycle.FIRST).place == held.place

    def test_a_claim_elsewhere_in_the_course_lets_the_hold_go(self, slot, student):
        services.hold(student, slot, until=soon())

        services.claim(student, SlotFactory(course=slot.course, group="B"), cycle=Cycle.FIRST)

        assert left(slot) == 1

    def test_enrolled_without_a_place_he_holds_none(self, slot, student):
        services.hold(student, slot, until=soon())

        services.enrol_without_place(student, slot.course, cycle=Cycle.FIRST)

        assert left(slot) == 1


class TestCapacity:
    def test_does_not_take_a_place_held(self, slot, student):
        services.hold(student, slot, until=soon())

        assert code_of(services.set_capacity, slot, 0) == "capacity_below_taken"

    def test_takes_a_place_whose_time_is_over(self, slot, student):
        late(services.hold(student, slot, until=soon()))

        services.set_capacity(slot, 0)

        assert slot.places.count() == 0
