import pytest
from django.http import Http404

from students.selectors import household_students
from tests.factories import CustodyFactory, FamilyFactory, StudentFactory


def test_one_query_gives_the_students_the_chosen_one_and_the_households(
    parent, family, student, django_assert_num_queries
):
    brother = StudentFactory(first_name="Élie", family=family)
    other = CustodyFactory(student=student, family=FamilyFactory(name="Benali"), rank=2).family
    StudentFactory(family=other)  # of the other household only

    with django_assert_num_queries(1):
        selection = household_students(parent, student.pk)
        communes = [custody.family.commune.name for custody in selection.custodies]

    assert selection.students == [brother, student]
    assert selection.student == student
    assert [(custody.family, custody.own) for custody in selection.custodies] == [
        (family, True),
        (other, False),
    ]
    assert selection.own_family == family
    assert communes == ["Tourcoing", "Tourcoing"]


def test_the_second_household_is_its_own(stranger, student):
    CustodyFactory(student=student, family=stranger.guardian.family, rank=2)

    selection = household_students(stranger, student.pk)

    assert selection.own_family == stranger.guardian.family
    assert [custody.own for custody in selection.custodies] == [False, True]


def test_the_student_of_others_does_not_exist(stranger, student):
    with pytest.raises(Http404):
        household_students(stranger, student.pk)


def test_an_unknown_student_does_not_exist(parent, student):
    with pytest.raises(Http404):
        household_students(parent, student.pk + 1)
