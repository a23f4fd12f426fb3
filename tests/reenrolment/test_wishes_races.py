"""Two parents who change the wishes of their child at the same moment, on PostgreSQL."""

import pytest
from django.core.exceptions import ValidationError

from reenrolment.services import waiting
from students.models import WaitingEntry
from tests.factories import SlotFactory
from tests.races import run_together
from tests.reenrolment.conftest import make_case

ROUNDS = 10


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_parents_one_is_told_what_the_other_wished(student):
    case = make_case(student)
    course = case.slot.course
    slots = [SlotFactory(course=course, weekday=day, places=0) for day in (3, 4)]
    seen = []
    for number in range(ROUNDS):
        wishes = [slots, slots[::-1]] if number % 2 else [slots[:1], slots[1:]]

        results = run_together(
            lambda parent, wishes=wishes, seen=seen: waiting.wish(
                case.campaign, student, course, wishes[parent], actor=None, seen=seen
            ),
            2,
        )

        [error] = [result for result in results if result is not None]
        assert isinstance(error, ValidationError)
        assert error.code == "stale"
        won = wishes[results.index(None)]
        live = WaitingEntry.objects.live().order_by("preference")
        assert [(e.slot, e.preference) for e in live] == [(s, n) for n, s in enumerate(won, 1)]
        seen = [slot.pk for slot in won]
