"""Two agents share one student at the same instant: the parts stay one whole."""

import pytest

from billing.models import PayerShare
from billing.services import situations
from tests.factories import CustodyFactory
from tests.races import no_deadlock, run_together

ROUNDS = 20
PARTS = [(70, 30), (40, 60), (20, 80), (0, 100)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_parts_are_those_of_one_agent():
    for _ in range(ROUNDS):
        first = CustodyFactory()
        second = CustodyFactory(student=first.student, rank=2)

        def share(number, first=first, second=second):
            one, other = PARTS[number]
            situations.set_shares(first.student, {first.pk: one, second.pk: other})

        with no_deadlock():
            results = run_together(share, len(PARTS))

        assert results == [None] * len(PARTS)
        rows = PayerShare.objects.filter(custody__student=first.student)
        assert tuple(rows.order_by("custody").values_list("percent", flat=True)) in PARTS
