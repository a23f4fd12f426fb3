"""Where each instrument is, and when it may leave the park."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from billing.instruments import park
from billing.instruments.availability import with_availability
from billing.instruments.enums import Availability, Condition
from billing.models import Instrument, Repair
from tests.billing.instruments.refusals import refusal_of
from tests.factories import EstablishmentFactory, InstrumentFactory

DAY = dt.timedelta(days=1)


def repair(instrument, starts_on, ends_on=None):
    return park.send_to_repair(
        instrument, starts_on=starts_on, ends_on=ends_on, workshop="Atelier Lutz", reason="Âme"
    )


def availability(instrument):
    return with_availability(Instrument.objects.all()).get(pk=instrument.pk).availability


class TestAvailability:
    def test_free(self, db):
        assert availability(InstrumentFactory()) == Availability.FREE

    def test_reserved(self, make_rental):
        assert availability(make_rental().instrument) == Availability.RESERVED

    def test_rented(self, make_rental):
        assert availability(make_rental(handed_over=True).instrument) == Availability.RENTED

    def test_overdue_from_the_day_after(self, make_overdue):
        rental = make_overdue()
        expected = Availability.OVERDUE if rental.is_overdue else Availability.RENTED

        assert availability(rental.instrument) == expected

    def test_in_repair_until_the_last_day(self, db, today):
        instrument = InstrumentFactory()
        row = repair(instrument, today - 3 * DAY, today)
        assert availability(instrument) == Availability.IN_REPAIR

        Repair.objects.filter(pk=row.pk).update(ends_on=today - DAY)
        assert availability(instrument) == Availability.FREE

    def test_out_of_service(self, db, today):
        assert availability(park.retire(InstrumentFactory(), on=today)) == Availability.RETIRED


class TestRetire:
    def test_and_back(self, db, today):
        instrument = park.retire(InstrumentFactory(), on=today)
        assert instrument.retired_on == today

        assert park.reinstate(instrument).retired_on is None

    def test_refuses_twice_and_a_day_to_come(self, db, today):
        instrument = InstrumentFactory()

        assert refusal_of(park.retire, instrument, on=today + DAY)[0] == "in_future"
        park.retire(instrument, on=today)
        assert refusal_of(park.retire, instrument, on=today)[0] == "retired"
        park.reinstate(instrument)
        assert refusal_of(park.reinstate, instrument)[0] == "in_service"

    def test_refuses_one_that_is_lent(self, make_rental, today):
        assert refusal_of(park.retire, make_rental().instrument, on=today)[0] == "taken"


class TestRepair:
    def test_ends_with_the_state_of_the_instrument(self, db, today):
        instrument = InstrumentFactory(condition=Condition.DAMAGED)
        repair(instrument, today - DAY)

        park.end_repair(instrument, on=today, condition=Condition.GOOD)

        instrument.refresh_from_db()
        assert instrument.condition == Condition.GOOD
        assert instrument.repairs.get().ends_on == today

    def test_refuses_two_at_once(self, db, today):
        instrument = InstrumentFactory()
        repair(instrument, today)

        assert refusal_of(repair, instrument, today + DAY)[0] == "in_repair"

    def test_refuses_the_days_of_a_reservation_but_not_a_rental_under_way(self, make_rental, today):
        assert refusal_of(repair, make_rental().instrument, today)[0] == "taken"
        assert repair(make_rental(handed_over=True).instrument, today).ends_on is None

    def test_refuses_an_end_before_the_beginning(self, db, today):
        with pytest.raises(ValidationError, match="finir après avoir commencé"):
            repair(InstrumentFactory(), today, today - DAY)

    def test_ends_once_and_not_in_the_future(self, db, today):
        instrument = InstrumentFactory()
        end = {"condition": Condition.GOOD}

        assert refusal_of(park.end_repair, instrument, on=today, **end)[0] == "not_in_repair"
        repair(instrument, today)
        assert refusal_of(park.end_repair, instrument, on=today + DAY, **end)[0] == "in_future"


class TestConstraints:
    def test_an_inventory_number_is_unique_in_its_establishment(self, db):
        InstrumentFactory(inventory_number="V-1")
        InstrumentFactory(inventory_number="V-1", establishment=EstablishmentFactory(name="Annexe"))

        with pytest.raises(IntegrityError):
            InstrumentFactory(inventory_number="V-1")

    def test_its_name_says_what_it_is(self, db):
        instrument = InstrumentFactory(model="Student II", inventory_number="V-1")

        assert str(instrument) == "Violon 3/4 Stentor Student II (V-1)"
