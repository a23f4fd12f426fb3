"""Seats: a slot is never oversold, and every refusal is a sentence."""

import datetime as dt
from itertools import islice

import pytest
from django.core.exceptions import ValidationError

from students import services
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import Enrolment, Place, Slot
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory, StudentFactory
from tests.races import run_together

STOPPED = "claim stopped by the constraint"
HOURS = "18\u00a0h\u00a030 à 19\u00a0h\u00a030"
FULL = f"Le créneau «\u00a0Solfège A – LUNDI – {HOURS}\u00a0» est complet."


@pytest.fixture
def course(db):
    return CourseFactory(name="Solfège")


@pytest.fixture
def slot(course):
    return SlotFactory(course=course)


def full_slot(course, **kwargs):
    slot = SlotFactory(course=course, **kwargs)
    services.claim(StudentFactory(), slot, cycle=Cycle.FIRST)
    return slot


def numbers(slot):
    return list(slot.places.values_list("number", flat=True))


class TestClaim:
    def test_takes_the_free_place_of_lowest_number(self, course, student):
        slot = full_slot(course, places=3)

        enrolment = services.claim(student, slot, cycle=Cycle.SECOND, cycle_year=1)

        assert Enrolment.objects.filter(student=student).values_list(
            "course", "place__number", "status", "cycle", "cycle_year"
        ).get() == (course.pk, 2, EnrolmentStatus.REQUESTED, Cycle.SECOND, 1)
        assert enrolment.slot == slot

    def test_a_full_slot_says_which(self, course, student):
        slot = full_slot(course)

        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle=Cycle.FIRST)

        assert refusal.value.code == "slot_full"
        assert refusal.value.params == {"slot": slot}
        assert refusal.value.messages == [FULL]
        assert not student.enrolments.exists()

    def test_a_slot_without_places_is_full(self, course, student):
        with pytest.raises(ValidationError, match="est complet"):
            services.claim(student, SlotFactory(course=course, places=0), cycle=Cycle.FIRST)

    def test_a_second_live_enrolment_in_the_course_is_refused(self, course, slot, student):
        EnrolmentFactory(student=student, course=course)

        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle=Cycle.FIRST)

        assert refusal.value.code == "already_enrolled"
        assert refusal.value.messages == [
            f"{student} est déjà inscrit au cours «\u00a0Solfège\u00a0»."
        ]

    def test_a_released_enrolment_does_not_stand_in_the_way(self, course, slot, student):
        EnrolmentFactory(student=student, course=course, status=EnrolmentStatus.RELEASED)

        assert services.claim(student, slot, cycle=Cycle.FIRST).slot == slot

    def test_a_slot_deleted_meanwhile_is_gone(self, slot, student):
        Slot.objects.filter(pk=slot.pk).delete()

        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle=Cycle.FIRST)

        assert refusal.value.code == "slot_gone"

    def test_an_unknown_cycle_is_not_taken_for_a_full_slot(self, slot, student):
        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle="c9")

        assert list(refusal.value.message_dict) == ["cycle"]

    def test_the_same_student_twice_at_once_is_already_enrolled(
        self, course, slot, student, monkeypatch
    ):
        """The other household's claim commits between our check and our insert."""
        check = services.check_not_enrolled

        def check_then_lose_the_race(student, course):
            monkeypatch.setattr(services, "check_not_enrolled", check)
            EnrolmentFactory(student=student, course=course)

        monkeypatch.setattr(services, "check_not_enrolled", check_then_lose_the_race)

        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle=Cycle.FIRST)

        assert refusal.value.code == "already_enrolled"
        assert list(Slot.objects.open()) == [slot]

    def test_the_constraint_stands_behind_the_lock(
        self, course, slot, student, caplog, monkeypatch
    ):
        """A place taken by someone who does not lock: refused, and somebody is told."""
        free = slot.places.get()
        EnrolmentFactory(course=course, place=free)
        monkeypatch.setattr(services, "first_free_place", lambda slot, student, **_: free)

        with pytest.raises(ValidationError) as refusal:
            services.claim(student, slot, cycle=Cycle.FIRST)

        assert refusal.value.code == "slot_full"
        assert [STOPPED in message for message in caplog.messages] == [True]


class TestEnrolWithoutPlace:
    def test_is_requested_and_holds_nothing(self, student):
        course = CourseFactory(scheduling=Scheduling.TEACHER)

        enrolment = services.enrol_without_place(student, course, cycle=Cycle.FIRST, cycle_year=3)

        assert Enrolment.objects.get() == enrolment
        assert (enrolment.status, enrolment.place, enrolment.level) == (
            EnrolmentStatus.REQUESTED,
            None,
            "Cycle 1, 3e année",
        )

    def test_twice_is_refused(self, course, student):
        services.enrol_without_place(student, course, cycle=Cycle.FIRST)

        with pytest.raises(ValidationError) as refusal:
            services.enrol_without_place(student, course, cycle=Cycle.FIRST)

        assert refusal.value.code == "already_enrolled"
        assert Enrolment.objects.count() == 1


class TestPlace:
    def test_seats_an_enrolment_that_waited(self, course, slot):
        enrolment = EnrolmentFactory(course=course)

        services.place(enrolment, slot)

        enrolment.refresh_from_db()
        assert enrolment.place == slot.places.get()

    def test_gives_the_old_seat_back_once_the_new_one_is_taken(self, course, slot, student):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)
        other = SlotFactory(course=course, group="B")

        services.place(enrolment, other)

        enrolment.refresh_from_db()
        assert enrolment.slot == other
        assert list(Slot.objects.open()) == [slot]

    def test_keeps_the_old_seat_when_the_new_slot_is_full(self, course, slot, student):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)
        other = full_slot(course, group="B")

        with pytest.raises(ValidationError) as refusal:
            services.place(enrolment, other)

        assert (refusal.value.code, refusal.value.params) == ("slot_full", {"slot": other})
        enrolment.refresh_from_db()
        assert enrolment.slot == slot

    def test_the_slot_where_it_sits_already_is_not_full_for_it(self, slot, student):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)

        assert services.place(enrolment, slot).slot == slot

    def test_refuses_the_slot_of_another_course(self, course):
        with pytest.raises(ValidationError) as refusal:
            services.place(EnrolmentFactory(course=course), SlotFactory())

        assert refusal.value.code == "wrong_course"

    def test_refuses_a_released_enrolment(self, course, slot):
        enrolment = EnrolmentFactory(course=course, status=EnrolmentStatus.RELEASED)

        with pytest.raises(ValidationError) as refusal:
            services.place(enrolment, slot)

        assert refusal.value.code == "bad_transition"


class TestMoves:
    def test_confirm_keeps_the_seat(self, slot, student):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)

        services.confirm(enrolment)

        enrolment.refresh_from_db()
        assert (enrolment.status, enrolment.slot) == (EnrolmentStatus.CONFIRMED, slot)

    @pytest.mark.parametrize("status", [EnrolmentStatus.REQUESTED, EnrolmentStatus.CONFIRMED])
    def test_release_gives_the_seat_back(self, slot, student, status):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)
        Enrolment.objects.update(status=status)

        services.release(enrolment)

        enrolment.refresh_from_db()
        assert (enrolment.status, enrolment.place) == (EnrolmentStatus.RELEASED, None)
        assert list(Slot.objects.open()) == [slot]

    @pytest.mark.parametrize(
        ("status", "move"),
        [
            (EnrolmentStatus.CONFIRMED, services.confirm),
            (EnrolmentStatus.RELEASED, services.confirm),
            (EnrolmentStatus.RELEASED, services.release),
        ],
    )
    def test_any_other_move_is_refused(self, db, status, move):
        enrolment = EnrolmentFactory(status=status)

        with pytest.raises(ValidationError) as refusal:
            move(enrolment)

        assert refusal.value.code == "bad_transition"
        enrolment.refresh_from_db()
        assert enrolment.status == status

    def test_a_stale_copy_does_not_decide(self, slot, student):
        stale = services.claim(student, slot, cycle=Cycle.FIRST)
        services.release(stale)

        with pytest.raises(ValidationError, match="Action déjà faite"):
            services.confirm(stale)


class TestSetCapacity:
    @pytest.mark.parametrize("capacity", [0, 1, 3, 5])
    def test_sets_the_number_of_places(self, course, capacity):
        slot = SlotFactory(course=course, places=3)

        services.set_capacity(slot, capacity)

        assert numbers(slot) == list(range(1, capacity + 1))

    def test_removes_free_places_only_highest_first(self, course):
        slot = SlotFactory(course=course, places=4)
        enrolment = EnrolmentFactory(course=course, place=slot.places.get(number=3))

        services.set_capacity(slot, 2)

        assert numbers(slot) == [1, 3]
        enrolment.refresh_from_db()
        assert enrolment.place.number == 3

    def test_fills_the_gaps_when_it_grows_again(self, course):
        slot = SlotFactory(course=course, places=0)
        for number in (1, 3):
            Place.objects.create(slot=slot, number=number)

        services.set_capacity(slot, 4)

        assert numbers(slot) == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("taken", "capacity", "sentence"),
        [
            (1, 0, "Une place est déjà prise ou réservée dans ce créneau\u00a0: sa capacité ne peut"
                   " pas descendre à 0."),
            (2, 1, "2 places sont déjà prises ou réservées dans ce créneau\u00a0: sa capacité ne"
                   " peut pas descendre à 1."),
        ],
    )  # fmt: skip
    def test_refuses_fewer_than_taken(self, course, taken, capacity, sentence):
        slot = SlotFactory(course=course, places=3)
        for place in slot.places.all()[:taken]:
            EnrolmentFactory(course=course, place=place)

        with pytest.raises(ValidationError) as refusal:
            services.set_capacity(slot, capacity)

        assert refusal.value.code == "capacity_below_taken"
        assert refusal.value.messages == [sentence]
        assert numbers(slot) == [1, 2, 3]


class TestAddPlace:
    def test_one_more_with_its_reason(self, slot):
        services.add_place(slot, reason="  Sœur de Louise, même horaire  ")

        assert list(slot.places.values_list("number", "reason")) == [
            (1, ""),
            (2, "Sœur de Louise, même horaire"),
        ]

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_refuses_to_add_without_a_reason(self, slot, reason):
        with pytest.raises(ValidationError) as refusal:
            services.add_place(slot, reason=reason)

        assert refusal.value.code == "reason_required"
        assert numbers(slot) == [1]

    def test_refuses_a_reason_that_is_too_long(self, slot):
        with pytest.raises(ValidationError) as refusal:
            services.add_place(slot, reason="x" * 201)

        assert list(refusal.value.message_dict) == ["reason"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestRaces:
    THREADS = 50
    ROUNDS = 20

    def play(self):
        """50 students for the last place, 20 times: the answers of each round."""
        students = StudentFactory.create_batch(self.THREADS)
        course = CourseFactory()
        for _ in range(self.ROUNDS):
            slot = SlotFactory(course=course, starts_at=dt.time(9), ends_at=dt.time(10))

            def claim(number, slot=slot):
                return services.claim(students[number], slot, cycle=Cycle.FIRST)

            yield run_together(claim, self.THREADS)
            assert Enrolment.objects.filter(place__slot=slot).count() == 1
            Enrolment.objects.update(status=EnrolmentStatus.RELEASED, place=None)

    @staticmethod
    def outcomes(answers):
        return sorted(
            "won" if isinstance(answer, Enrolment) else getattr(answer, "code", repr(answer))
            for answer in answers
        )

    def test_the_last_place_has_one_winner_and_the_lock_decides(self, caplog):
        for answers in self.play():
            assert self.outcomes(answers) == ["slot_full"] * (self.THREADS - 1) + ["won"]
        assert [message for message in caplog.messages if STOPPED in message] == []

    def test_without_the_lock_the_constraint_decides(self, caplog, monkeypatch):
        """Proves that the test above can see a race."""

        def fetch(slot_pks):
            return {slot.pk: slot for slot in Slot.objects.filter(pk__in=slot_pks)}

        monkeypatch.setattr(services, "lock_slots", fetch)
        for answers in islice(self.play(), 5):
            assert self.outcomes(answers) == ["slot_full"] * (self.THREADS - 1) + ["won"]
        assert [message for message in caplog.messages if STOPPED in message] != []

    def test_a_place_is_not_removed_while_it_is_being_taken(self):
        students = StudentFactory.create_batch(self.ROUNDS)
        for student in students:
            slot = SlotFactory()

            def act(number, slot=slot, student=student):
                if number:
                    return services.set_capacity(slot, 0)
                return services.claim(student, slot, cycle=Cycle.FIRST)

            claimed, shrunk = run_together(act, 2)

            taken = Enrolment.objects.filter(place__slot=slot).count()
            if isinstance(claimed, Enrolment):
                assert (shrunk.code, taken) == ("capacity_below_taken", 1)
            else:
                assert (claimed.code, shrunk, taken) == ("slot_full", None, 0)
