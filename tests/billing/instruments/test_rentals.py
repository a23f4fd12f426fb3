"""An instrument is one student's at a time, and leaves insured."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing.instruments import invariants, park, rentals
from billing.instruments.enums import Condition, DepositState, RentalEvent, RentalState
from billing.models import Rental
from tests.billing.instruments.refusals import refusal_of
from tests.factories import (
    CustodyFactory,
    FamilyFactory,
    InstrumentFactory,
    RentalFactory,
    SchoolYearFactory,
    StudentFactory,
    UserFactory,
)
from tests.races import run_together

DAY = dt.timedelta(days=1)


@pytest.fixture
def year(db):
    return SchoolYearFactory()


@pytest.fixture
def reserve(student, family, year, accountant, today):
    """Reserves an instrument for Louise from today to the end of the year, or as told."""

    def reserve(instrument=None, **kwargs):
        given = {
            "student": student,
            "family": family,
            "starts_on": today,
            "ends_on": year.ends_on,
            "rent": Decimal("150"),
            "months": 10,
            "deposit": Decimal("200"),
            "actor": accountant,
        }
        return rentals.reserve(instrument or InstrumentFactory(), **given | kwargs)

    return reserve


def events(rental):
    return [RentalEvent(move.event) for move in rental.moves.all()]


class TestReserve:
    def test_keeps_the_instrument_for_these_days(self, reserve, family, student, accountant):
        rental = reserve()

        rental = Rental.objects.get()
        assert (rental.state, rental.student, rental.family) == ("reserved", student, family)
        assert (rental.deposit_state, rental.deposit) == (DepositState.DUE, Decimal("200.00"))
        [move] = rental.moves.all()
        assert (move.event, move.actor) == (RentalEvent.RESERVED, accountant)
        assert move.details.startswith("Du ")

    def test_without_a_deposit_there_is_none_to_receive(self, reserve):
        assert reserve(deposit=Decimal(0)).deposit_state == DepositState.NONE

    def test_rounds_the_amounts_half_up(self, reserve):
        rental = reserve(rent=Decimal("150.005"), deposit=Decimal("0.125"))

        assert (rental.rent, rental.deposit) == (Decimal("150.01"), Decimal("0.13"))

    def test_refuses_a_household_that_is_not_the_student_s(self, reserve):
        assert refusal_of(reserve, family=FamilyFactory())[0] == "not_household"

    def test_either_household_of_alternating_custody_rents(self, reserve, student):
        other = CustodyFactory(student=student, rank=2).family

        assert reserve(family=other).family == other

    def test_refuses_days_out_of_the_school_year(self, reserve, year):
        code, text = refusal_of(reserve, ends_on=year.ends_on + DAY)

        assert code == "outside_year"
        assert text.startswith(f"L'année {year} va du 1er\u00a0septembre")

    def test_refuses_a_day_of_no_school_year(self, reserve, year):
        day = year.starts_on - DAY

        assert refusal_of(reserve, starts_on=day)[0] == "outside_year"

    def test_refuses_an_end_before_the_beginning(self, reserve, today):
        with pytest.raises(ValidationError, match="finir après avoir commencé"):
            reserve(ends_on=today - DAY)

    def test_refuses_a_negative_amount(self, reserve):
        with pytest.raises(ValidationError, match="Un loyer n'est pas négatif"):
            reserve(rent=Decimal(-1))

    def test_refuses_days_that_are_another_s(self, reserve, year):
        first = reserve(ends_on=year.ends_on - 30 * DAY)

        code, text = refusal_of(reserve, first.instrument, starts_on=first.ends_on)

        assert code == "taken"
        assert text.startswith("Cet instrument est réservé pour Louise Martin, du ")

    def test_the_day_after_the_last_one_is_free(self, reserve, year):
        first = reserve(ends_on=year.ends_on - 30 * DAY)

        second = reserve(first.instrument, starts_on=first.ends_on + DAY)

        assert second.state == RentalState.RESERVED

    def test_a_cancelled_or_finished_one_leaves_it_free(
        self, reserve, make_rental, accountant, today
    ):
        rental = make_rental(handed_over=True)
        rentals.take_back(rental, on=today, condition=Condition.GOOD, actor=accountant)
        second = reserve(rental.instrument)
        rentals.cancel(second, reason="Désistement.", actor=accountant)

        assert reserve(rental.instrument).state == RentalState.RESERVED

    def test_one_that_did_not_come_back_is_still_taken(self, reserve, make_overdue):
        late = make_overdue()

        code, text = refusal_of(reserve, late.instrument)

        assert code == "taken"
        assert text.startswith("Cet instrument n'est pas revenu\u00a0: Louise")

    def test_refuses_an_instrument_out_of_service(self, reserve, today):
        instrument = park.retire(InstrumentFactory(), on=today)

        assert refusal_of(reserve, instrument)[0] == "retired"

    def test_refuses_the_days_of_a_repair(self, reserve, today):
        instrument = InstrumentFactory()
        park.send_to_repair(instrument, starts_on=today, ends_on=None, workshop="", reason="Âme")

        code, text = refusal_of(reserve, instrument)

        assert code == "in_repair"
        assert text.startswith("Cet instrument est en réparation depuis le ")


class TestHandOver:
    def hand_over(self, rental, actor, **kwargs):
        given = {"on": rental.starts_on, "condition": Condition.GOOD, "note": "Housse comprise."}
        return rentals.hand_over(rental, **given | kwargs, actor=actor)

    def test_notes_the_day_and_the_state(self, make_rental, accountant):
        rental = self.hand_over(make_rental(), accountant, condition=Condition.WORN)

        rental.refresh_from_db()
        assert (rental.state, rental.condition_out) == ("ongoing", "worn")
        assert rental.handed_over_on == rental.starts_on
        assert rental.instrument.condition == Condition.WORN
        move = rental.moves.last()
        assert (move.event, move.condition, move.details) == (
            *("handed_over", "worn"),
            "Housse comprise.",
        )

    def test_refuses_without_insurance(self, make_rental, accountant):
        rental = make_rental(insured=False)

        code, text = refusal_of(self.hand_over, rental, accountant)

        assert code == "not_insured"
        assert text.startswith("L'assurance est obligatoire avant de remettre l'instrument")
        rental.refresh_from_db()
        assert rental.state == RentalState.RESERVED

    def test_refuses_an_insurance_that_is_over(self, make_rental, accountant, today):
        rental = make_rental(insured_until=today - DAY)

        assert refusal_of(self.hand_over, rental, accountant, on=today)[0] == "not_insured"

    def test_the_database_refuses_it_too(self, make_rental, today):
        rental = make_rental(insured=False)
        rental.state, rental.handed_over_on, rental.condition_out = "ongoing", today, "good"

        with pytest.raises(IntegrityError):
            rental.save()

    def test_refuses_a_day_to_come_or_out_of_the_rental(self, make_rental, accountant, today):
        rental = make_rental()

        assert refusal_of(self.hand_over, rental, accountant, on=today + DAY)[0] == "in_future"
        early = rental.starts_on - DAY
        assert refusal_of(self.hand_over, rental, accountant, on=early)[0] == "too_early"
        Rental.objects.update(ends_on=today - DAY, starts_on=today - 2 * DAY)
        assert refusal_of(self.hand_over, rental, accountant, on=today)[0] == "too_late"

    def test_refuses_one_that_is_still_with_the_student_before(
        self, make_overdue, make_rental, accountant, today
    ):
        late = make_overdue()
        rental = make_rental(instrument=late.instrument, starts_on=today)

        assert refusal_of(self.hand_over, rental, accountant)[0] == "taken"

    def test_only_once(self, make_rental, accountant):
        rental = make_rental(handed_over=True)

        assert refusal_of(self.hand_over, rental, accountant) == (
            "bad_transition",
            "Action déjà faite ou impossible\u00a0: cette location est en cours.",
        )

    def test_the_database_refuses_two_students_with_one_instrument(self, make_rental):
        rental = make_rental(handed_over=True)
        rental.pk = None

        with pytest.raises(IntegrityError):
            rental.save(force_insert=True)


class TestTakeBack:
    def test_notes_the_day_and_the_state(self, make_rental, accountant, today):
        rental = rentals.take_back(
            make_rental(handed_over=True),
            on=today,
            condition=Condition.DAMAGED,
            note="Chevalet cassé.",
            actor=accountant,
        )

        rental.refresh_from_db()
        assert (rental.state, rental.returned_on, rental.condition_back) == (
            *("returned", today),
            "damaged",
        )
        assert rental.instrument.condition == Condition.DAMAGED
        assert events(rental)[-1] == RentalEvent.RETURNED

    def test_refuses_a_day_to_come_or_before_it_left(self, make_rental, accountant, today):
        rental = make_rental(handed_over=True)

        def back(on):
            return refusal_of(rentals.take_back, rental, on=on, condition="good", actor=accountant)[
                0
            ]

        assert back(today + DAY) == "in_future"
        assert back(rental.handed_over_on - DAY) == "before_handing_over"

    def test_refuses_one_that_never_left(self, make_rental, accountant, today):
        refusal = refusal_of(
            rentals.take_back, make_rental(), on=today, condition="good", actor=accountant
        )

        assert refusal[0] == "bad_transition"


class TestExtend:
    def test_moves_the_last_day(self, reserve, year, accountant):
        rental = reserve(ends_on=year.ends_on - 30 * DAY)

        rentals.extend(rental, ends_on=year.ends_on, actor=accountant)

        rental.refresh_from_db()
        assert rental.ends_on == year.ends_on
        assert events(rental)[-1] == RentalEvent.EXTENDED

    def test_refuses_an_earlier_day_and_the_next_year(self, reserve, year, accountant):
        rental = reserve()

        def to(day):
            return refusal_of(rentals.extend, rental, ends_on=day, actor=accountant)[0]

        assert to(rental.ends_on) == "not_later"
        assert to(year.ends_on + DAY) == "outside_year"

    def test_refuses_the_days_of_the_next_student(self, reserve, year, accountant):
        first = reserve(ends_on=year.ends_on - 30 * DAY)
        reserve(first.instrument, starts_on=first.ends_on + DAY)

        refusal = refusal_of(rentals.extend, first, ends_on=year.ends_on, actor=accountant)

        assert refusal[0] == "taken"

    def test_goes_on_while_the_instrument_is_repaired(self, make_rental, year, accountant, today):
        rental = make_rental(handed_over=True, ends_on=year.ends_on - 30 * DAY)
        park.send_to_repair(
            rental.instrument, starts_on=today, ends_on=None, workshop="", reason="Âme"
        )

        rentals.extend(rental, ends_on=year.ends_on, actor=accountant)

        rental.refresh_from_db()
        assert rental.ends_on == year.ends_on


class TestCancel:
    def test_leaves_the_reason(self, make_rental, accountant):
        rental = rentals.cancel(make_rental(), reason="Trop grand.", actor=accountant)

        assert rental.state == RentalState.CANCELLED
        assert rental.moves.last().details == "Trop grand."

    def test_refuses_while_the_deposit_is_held(self, make_rental, accountant):
        rental = make_rental(deposit_held=True)

        assert refusal_of(rentals.cancel, rental, reason="x", actor=accountant)[0] == "deposit_held"

    def test_refuses_once_handed_over(self, make_rental, accountant):
        rental = make_rental(handed_over=True)

        refusal = refusal_of(rentals.cancel, rental, reason="x", actor=accountant)

        assert refusal[0] == "bad_transition"


class TestInsure:
    def test_notes_the_attestation(self, make_rental, accountant, today):
        rental = rentals.insure(
            make_rental(insured=False),
            insurer="MAIF",
            policy_number="12 M",
            insured_until=today,
            actor=accountant,
        )

        rental.refresh_from_db()
        assert rental.is_insured
        assert events(rental) == [RentalEvent.INSURED]

    def test_refuses_one_that_is_over(self, make_rental, accountant, today):
        refusal = refusal_of(
            rentals.insure,
            make_rental(),
            insurer="MAIF",
            policy_number="12 M",
            insured_until=today - DAY,
            actor=accountant,
        )

        assert refusal[0] == "insurance_over"

    def test_must_be_renewed_before_the_instrument_comes_back(self, make_rental, today):
        rental = make_rental(handed_over=True)
        assert not rental.must_renew_insurance

        rental.insured_until = today + 10 * DAY
        assert rental.must_renew_insurance == (rental.ends_on > rental.insured_until)


# --- Two agents at once -----------------------------------------------------------------------


def _code(call):
    try:
        call()
    except ValidationError as error:
        return error.code
    return "done"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everybody_reserves_the_same_instrument_at_once(today):
    instrument, year, actor = InstrumentFactory(), SchoolYearFactory(), UserFactory()
    students = [StudentFactory(family=FamilyFactory()) for _ in range(20)]

    def reserve(n):
        return _code(
            lambda: rentals.reserve(
                instrument,
                student=students[n],
                family=students[n].families.get(),
                starts_on=today,
                ends_on=year.ends_on,
                rent=Decimal(150),
                months=10,
                deposit=Decimal(0),
                actor=actor,
            )
        )

    assert sorted(run_together(reserve, 20)) == ["done"] + ["taken"] * 19
    assert Rental.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everybody_hands_it_over_at_once():
    """One rental, twenty clicks: it leaves once."""
    rental, actor = RentalFactory(insured=True), UserFactory()

    def hand_over(_):
        return _code(
            lambda: rentals.hand_over(
                rental, on=rental.starts_on, condition=Condition.GOOD, actor=actor
            )
        )

    assert sorted(run_together(hand_over, 20)) == ["bad_transition"] * 19 + ["done"]
    assert rental.moves.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_it_is_sent_to_repair_while_others_reserve_it(today):
    """Either it is repaired or it is lent, for the same days: twenty rounds."""
    year, actor = SchoolYearFactory(), UserFactory()
    student = StudentFactory(family=FamilyFactory())

    for _ in range(20):
        instrument = InstrumentFactory()

        def act(n, instrument=instrument):
            if n % 2:
                return _code(
                    lambda: park.send_to_repair(
                        instrument, starts_on=today, ends_on=None, workshop="", reason="Âme"
                    )
                )
            return _code(
                lambda: rentals.reserve(
                    instrument,
                    student=student,
                    family=student.families.get(),
                    starts_on=today,
                    ends_on=year.ends_on,
                    rent=Decimal(150),
                    months=10,
                    deposit=Decimal(0),
                    actor=actor,
                )
            )

        assert run_together(act, 4).count("done") == 1
        with transaction.atomic():
            assert instrument.rentals.count() + instrument.repairs.count() == 1


# --- What check_invariants sees ---------------------------------------------------------------


def test_the_invariants_see_an_instrument_promised_twice(make_rental):
    rental = make_rental()
    assert list(invariants.rentals()) == []

    RentalFactory(instrument=rental.instrument)

    [told] = invariants.rentals()
    assert told.startswith(f"{rental.instrument} est promis deux fois le même jour")


def test_the_invariants_see_a_state_that_the_log_does_not_tell(make_rental):
    rental = make_rental(handed_over=True)
    assert list(invariants.rentals()) == []

    rental.moves.all().delete()

    assert list(invariants.rentals()) == [
        f"{rental}\u00a0: location {rental.state_label}, et son journal ne le dit pas."
    ]
