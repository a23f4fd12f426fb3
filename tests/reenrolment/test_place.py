"""The administration seats a student, or moves him; the last place goes to one student."""

import pytest
from django.core.exceptions import ValidationError

from reenrolment.models import CourseChoice
from reenrolment.services import decisions
from students.enums import EnrolmentStatus, Scheduling, Weekday
from students.models import Course, Enrolment
from tests.factories import CourseFactory, EstablishmentFactory, SlotFactory, StudentFactory
from tests.races import run_together
from tests.reenrolment.conftest import make_case

ROUNDS = 20


def codes(caught):
    return sorted({error.code for error in caught.value.error_list})


def free_places(slot) -> int:
    return slot.places.filter(enrolment=None).count()


def test_placing_seats_the_student_in_the_allotted_course(case, submitted, choir_slot):
    requested = case.choice(case.choir).granted

    choice = decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)

    assert choice.granted == requested
    assert Enrolment.objects.get(pk=requested.pk).slot == choir_slot


def test_placing_in_another_slot_gives_the_first_place_back(case, submitted):
    other = SlotFactory(course=case.slot.course, group="B")
    granted = case.choice(case.theory).granted

    decisions.place(case.choice(case.theory), course=case.slot.course, slot=other)

    granted.refresh_from_db()
    assert (granted.slot, granted.status) == (other, EnrolmentStatus.REQUESTED)
    assert (free_places(case.slot), free_places(other)) == (1, 0)


def test_placing_in_another_course_releases_the_first_enrolment(case, submitted):
    before = case.choice(case.theory).granted
    harder = SlotFactory(course=CourseFactory(coming=True, name="Formation musicale C1-4"))

    choice = decisions.place(case.choice(case.theory), course=harder.course, slot=harder)

    before.refresh_from_db()
    assert (before.status, before.place) == (EnrolmentStatus.RELEASED, None)
    assert (choice.granted.course, choice.granted.slot) == (harder.course, harder)
    assert free_places(case.slot) == 1


def test_placing_where_no_course_was_known_makes_the_enrolment(case, parent, choir_slot):
    Course.objects.filter(pk=case.choir.course_id).update(next_course=None)
    case.fill_in()
    case.submit(parent)
    assert case.choice(case.choir).granted is None

    decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)

    assert case.choice(case.choir).granted.slot == choir_slot


def test_a_course_whose_hour_the_teacher_fixes_needs_no_slot(case, submitted):
    taught = CourseFactory(coming=True, scheduling=Scheduling.TEACHER)

    choice = decisions.place(case.choice(case.choir), course=taught)

    assert (choice.granted.course, choice.granted.is_placed) == (taught, True)


def test_a_full_slot_is_refused_and_nothing_changes(case, submitted):
    full = SlotFactory(course=case.slot.course, group="B", places=0)

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.theory), course=case.slot.course, slot=full)

    assert codes(caught) == ["slot_full"]
    assert case.choice(case.theory).granted.slot == case.slot


def test_a_full_slot_of_another_course_keeps_the_first_enrolment(case, submitted):
    full = SlotFactory(course=CourseFactory(coming=True), places=0)

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.theory), course=full.course, slot=full)

    assert codes(caught) == ["slot_full"]
    assert case.choice(case.theory).granted.slot == case.slot


def test_a_course_of_another_year_is_refused(case, submitted):
    slot = SlotFactory()

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=slot.course, slot=slot)

    assert codes(caught) == ["wrong_year"]


def test_a_course_of_another_establishment_is_refused(case, submitted):
    elsewhere = CourseFactory(coming=True, establishment=EstablishmentFactory(name="Annexe"))

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=elsewhere)

    assert codes(caught) == ["wrong_establishment"]


def test_a_slot_of_another_course_is_refused(case, submitted):
    of_this_year = SlotFactory()

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=case.choir_course, slot=of_this_year)

    assert codes(caught) == ["wrong_course"]


def test_a_course_with_slots_needs_one(case, submitted):
    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=case.choir_course)

    assert codes(caught) == ["slot_required"]


def test_a_course_that_the_family_stops_is_not_placed(case, submitted):
    choice = case.choice(case.choir)
    CourseChoice.objects.filter(pk=choice.pk).update(wanted=False, granted=None)

    with pytest.raises(ValidationError) as caught:
        decisions.place(choice, course=case.choir_course, slot=SlotFactory())

    assert codes(caught) == ["not_wanted"]


def test_a_second_place_in_the_same_course_is_refused(case, submitted):
    other = SlotFactory(course=case.slot.course, group="B")

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=other.course, slot=other)

    assert codes(caught) == ["already_enrolled"]


def test_a_draft_is_not_placed(case, parent, choir_slot):
    case.fill_in()

    with pytest.raises(ValidationError) as caught:
        decisions.place(case.choice(case.choir), course=case.choir_course, slot=choir_slot)

    assert codes(caught) == ["bad_transition"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_and_one_last_place(parent, registrar):
    family = parent.guardian.family
    theory = SlotFactory(course=CourseFactory(coming=True), places=2)
    cases = [make_case(StudentFactory(family=family), slot=theory) for _ in range(2)]
    for case in cases:
        case.fill_in()
        case.submit(parent)
    choices = [case.choice(case.choir) for case in cases]
    course = cases[0].choir_course
    for _ in range(ROUNDS):
        last = SlotFactory(course=course, weekday=Weekday.WEDNESDAY)

        results = run_together(
            lambda n, last=last: decisions.place(choices[n], course=course, slot=last), 2
        )

        refused = [result for result in results if isinstance(result, Exception)]
        assert [(type(error), error.code) for error in refused] == [(ValidationError, "slot_full")]
        assert free_places(last) == 0
