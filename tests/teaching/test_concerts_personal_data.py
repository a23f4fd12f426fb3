"""What a household's copy says of its concerts, and what an erasure leaves of them."""

import pytest
from django.utils import timezone

from families.holdings import Copy
from teaching.concerts.personal_data import ConcertsPart
from teaching.models import ConcertPerformer, ConcertTurn
from tests.factories import ConcertFactory, CustodyFactory, EnrolmentFactory, make_turn


@pytest.fixture
def louise(parent, student):
    return EnrolmentFactory(student=student)


def test_the_copy_holds_what_was_announced_and_nobody_else(parent, louise):
    other = EnrolmentFactory(student__first_name="Paul")
    announced = ConcertFactory(published=True)
    make_turn(announced, louise, other, told_at=timezone.now(), accompanist="Jean Morel")
    make_turn(announced, other, title="D'un autre")
    make_turn(ConcertFactory(), louise, title="En préparation")

    [concert] = ConcertsPart().export(Copy(parent.guardian))["auditions"]

    assert concert["titre"] == "Audition de printemps"
    assert concert["passage"]["œuvre"] == "Gymnopédie n° 1"
    for hidden in ("Paul", "Jean Morel", "D'un autre", "En préparation"):
        assert hidden not in str(concert)


def test_an_erasure_keeps_the_works_and_forgets_who_played(family, louise):
    announced = ConcertFactory(published=True)
    other = EnrolmentFactory()
    make_turn(announced, louise, other)
    make_turn(announced, louise, composer="Louise Martin", title="Ma valse")
    [holding] = ConcertsPart().holdings(family)
    assert holding.count == 2

    ConcertsPart().erase(family)

    assert [each.enrolment for each in ConcertPerformer.objects.all()] == [other]
    assert [str(turn) for turn in ConcertTurn.objects.all()] == [
        "Erik Satie, Gymnopédie n° 1",
        "Élève, Composition d'élève",
    ]


def test_a_child_of_two_homes_stays_on_the_programme(family, louise):
    CustodyFactory(student=louise.student, rank=2)
    make_turn(ConcertFactory(published=True), louise)

    ConcertsPart().erase(family)

    assert ConcertPerformer.objects.exists()
