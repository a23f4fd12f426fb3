"""An agent confirms or ends, on its own page, an enrolment that a dossier was granted."""

import pytest
from django.core.exceptions import ValidationError

from reenrolment.enums import Status
from reenrolment.services import decisions, submission
from reenrolment.worklist import unplaced_choices
from students import services as students
from students.enums import EnrolmentStatus, Scheduling
from tests.factories import CourseFactory


@pytest.fixture
def ended(case, submitted):
    """The place of Formation musicale was given back by hand."""
    students.release(case.choice(case.theory).granted)
    return submitted


def test_a_dossier_is_withdrawn_though_a_place_was_given_back(case, ended, parent):
    submission.withdraw(ended, actor=parent)

    assert case.reenrolment.status == Status.WITHDRAWN
    assert case.choice(case.choir).granted.status == EnrolmentStatus.RELEASED


def test_a_dossier_is_refused_though_a_place_was_given_back(case, ended, registrar):
    decisions.refuse(ended, reason="Plus de place.", actor=registrar)

    assert case.reenrolment.status == Status.REFUSED


def test_the_student_is_placed_again_in_the_same_course(case, ended):
    choice = decisions.place(case.choice(case.theory), course=case.slot.course, slot=case.slot)

    assert choice.granted.status == EnrolmentStatus.REQUESTED
    assert choice.granted.slot == case.slot


def test_a_course_ended_by_hand_is_to_place_even_without_slots(case, submitted, registrar):
    taught = CourseFactory(coming=True, scheduling=Scheduling.TEACHER)
    for followed in (case.theory, case.choir):
        choice = decisions.place(case.choice(followed), course=taught)
        students.release(choice.granted)

    with pytest.raises(ValidationError) as caught:
        decisions.validate(submitted, actor=registrar)

    assert [error.code for error in caught.value.error_list] == ["not_placed"]
    assert unplaced_choices().count() == 2, "the agents' list says so too"


def test_a_dossier_is_validated_though_a_place_was_confirmed(case, placed, registrar):
    students.confirm(case.choice(case.theory).granted)

    decisions.validate(placed, actor=registrar)

    granted = [case.choice(followed).granted for followed in (case.theory, case.choir)]
    assert {enrolment.status for enrolment in granted} == {EnrolmentStatus.CONFIRMED}
