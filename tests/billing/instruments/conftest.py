import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.instruments import deposits, rentals
from billing.instruments.enums import Condition
from tests.factories import RentalFactory


@pytest.fixture
def count_queries():
    """`count_queries(function)` calls it."""

    def count(function):
        with CaptureQueriesContext(connection) as queries:
            function()
        return len(queries)

    return count


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def make_rental(establishment, accountant, today):
    """Makes a rental: reserved, or `handed_over=True`, with the `deposit_held=True`."""

    def make(*, handed_over=False, deposit_held=False, **kwargs):
        rental = RentalFactory(**{"insured": True} | kwargs)
        if deposit_held:
            rental = deposits.receive(rental, on=today, reference="Chèque 12", actor=accountant)
        if handed_over:
            rental = rentals.hand_over(
                rental, on=rental.starts_on, condition=Condition.GOOD, actor=accountant
            )
        return rental

    return make


@pytest.fixture
def make_overdue(make_rental, today):
    """One that should have come back yesterday."""

    def make(**kwargs):
        rental = make_rental(handed_over=True, **kwargs)
        rental.ends_on = max(rental.starts_on, today - dt.timedelta(days=1))
        rental.save(update_fields=["ends_on"])
        return rental

    return make
