"""Both parents choose at the same instant in how many parts they pay: one choice is left."""

import pytest

from billing.models import PaymentPlanChoice
from billing.services.plans import choose_parts
from tests.factories import FamilyFactory, PaymentPlanFactory, UserFactory
from tests.races import no_deadlock, run_together

ROUNDS = 20
PARTS = [1, 2, 3, 2]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_choice_is_left_and_nobody_is_refused():
    plan, actor = PaymentPlanFactory(), UserFactory()
    for _ in range(ROUNDS):
        family = FamilyFactory()

        def choose(number, family=family):
            return choose_parts(plan, family, parts=PARTS[number], actor=actor).parts

        with no_deadlock():
            results = run_together(choose, len(PARTS))

        assert results == PARTS
        assert PaymentPlanChoice.objects.get(family=family).parts in PARTS
