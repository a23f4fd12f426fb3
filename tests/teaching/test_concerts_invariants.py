"""What check_invariants says of concerts, broken behind the services' back."""

import pytest
from django.utils import timezone

from imuse import invariants
from teaching.concerts import services
from teaching.concerts.invariants import concerts
from teaching.models import ConcertPerformer
from tests.factories import ConcertFactory, EnrolmentFactory, SchoolYearFactory, make_turn


@pytest.fixture
def announced(registrar):
    concert = ConcertFactory()
    make_turn(concert, EnrolmentFactory(student__first_name="Louise"))
    return services.publish(concert, actor=registrar)


def test_all_is_well(announced):
    make_turn(ConcertFactory(), EnrolmentFactory())  # a draft tells nobody

    assert list(concerts()) == []
    assert concerts in invariants.CHECKS


def test_somebody_plays_and_was_not_told(announced):
    ConcertPerformer.objects.update(told_at=None)

    [sentence] = concerts()

    assert sentence.startswith("Louise Martin joue à")
    assert sentence.endswith("sans que sa famille soit prévenue.")


def test_somebody_of_another_year(announced):
    other = EnrolmentFactory(course__school_year=SchoolYearFactory(offset=-1))
    make_turn(announced, other, told_at=timezone.now())

    [sentence] = concerts()

    assert "pour un cours d'une autre année ou d'un autre site." in sentence
