"""The waiting list: who is next by the rule, how long a place waits, what is logged."""

import datetime as dt
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from families.enums import Zone
from students import services, waiting
from students.enums import Criterion, Cycle, WaitingState, Weekday
from students.models import Enrolment, Hold, Place, Slot, WaitingEntry, WaitingMove
from students.selectors import may_pick, slots_for
from students.waiting_order import Rule, lines_of
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    EnrolmentFactory,
    FamilyFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

DELAY = dt.timedelta(hours=48)


@pytest.fixture
def course():
    return CourseFactory(coming=True)


@pytest.fixture
def slot(course):
    """Its one place is taken."""
    slot = SlotFactory(course=course)
    EnrolmentFactory(course=course, place=slot.places.get())
    return slot


@pytest.fixture
def other_slot(course):
    """The same course on Tuesday, full too."""
    slot = SlotFactory(course=course, weekday=Weekday.TUESDAY)
    EnrolmentFactory(course=course, place=slot.places.get())
    return slot


@pytest.fixture
def by_time():
    return rule()


@pytest.fixture
def agent():
    return UserFactory()


def rule(*criteria):
    return Rule(criteria, SchoolYearFactory().pk)


def wait(student, *wishes, course=None):
    course = course or next(slot.course for slot in wishes if slot)
    waiting.set_wishes(student, course, wishes, actor=None)
    return WaitingEntry.objects.live().filter(student=student).order_by("preference").first()


def free(slot):
    """Whoever had the places of the slot gives them back."""
    for enrolment in Enrolment.objects.filter(place__slot=slot):
        services.release(enrolment)


def late(entry):
    Hold.objects.filter(entry=entry).update(until=timezone.now())


def state_of(entry):
    return WaitingEntry.objects.get(pk=entry.pk).state


def states_of(student):
    entries = WaitingEntry.objects.filter(student=student).order_by("preference", "pk")
    return list(entries.values_list("state", flat=True))


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        function(*args, **kwargs)
    return refusal.value.code


class TestSetWishes:
    def test_joins_in_the_order_of_preference(self, slot, other_slot):
        student = StudentFactory()

        wait(student, other_slot, slot, None)

        entries = WaitingEntry.objects.order_by("preference")
        assert [entry.slot for entry in entries] == [other_slot, slot, None]
        assert {move.to_state for move in WaitingMove.objects.all()} == {WaitingState.WAITING}

    def test_a_wish_that_stays_keeps_its_place_in_the_line(self, slot, other_slot):
        student = StudentFactory()
        since = wait(student, slot).since

        wait(student, other_slot, slot)

        kept = WaitingEntry.objects.get(slot=slot)
        assert (kept.since, kept.preference) == (since, 2)

    def test_a_wish_that_goes_is_logged_and_loses_its_place(self, slot, other_slot, by_time):
        first, second = StudentFactory.create_batch(2)
        wait(first, slot)
        wait(second, slot)

        wait(first, other_slot)
        wait(first, other_slot, slot)

        assert [e.student for e in lines_of([slot.course], by_time).of(slot)] == [second, first]
        assert WaitingState.LEFT in states_of(first)

    def test_a_slot_of_another_course_is_refused(self, slot):
        elsewhere = SlotFactory(course=CourseFactory(coming=True))

        assert code_of(wait, StudentFactory(), elsewhere, course=slot.course) == "wrong_course"

    def test_the_same_slot_twice_is_refused(self, slot):
        assert code_of(wait, StudentFactory(), slot, slot) == "twice"

    @pytest.mark.parametrize("any_slot", [True, False])
    def test_who_has_the_place_does_not_wait_for_it(self, slot, any_slot):
        seated = slot.places.get().enrolment.student

        wishes = [None] if any_slot else [slot]

        assert code_of(wait, seated, *wishes, course=slot.course) == "already_there"

    def test_who_has_another_place_may_wait_for_a_better_one(self, slot, other_slot):
        seated = slot.places.get().enrolment.student

        wait(seated, other_slot)

        assert states_of(seated) == [WaitingState.WAITING]

    def test_the_database_keeps_one_live_wish_per_slot(self, slot):
        entry = wait(StudentFactory(), slot)

        with pytest.raises(IntegrityError), transaction.atomic():
            WaitingEntry.objects.create(
                student=entry.student, course=slot.course, slot=slot, since=timezone.now()
            )

    def test_the_database_keeps_one_live_wish_for_any_slot(self, slot):
        entry = wait(StudentFactory(), None, course=slot.course)

        with pytest.raises(IntegrityError), transaction.atomic():
            WaitingEntry.objects.create(
                student=entry.student, course=slot.course, since=timezone.now()
            )


class TestOrder:
    def line(self, slot, rule):
        return [entry.student for entry in lines_of([slot.course], rule).of(slot)]

    def test_is_by_time_without_criteria(self, slot, by_time):
        students = StudentFactory.create_batch(3)
        for student in students:
            wait(student, slot)

        assert self.line(slot, by_time) == students

    def test_who_is_enrolled_in_the_discipline_this_year_comes_first(self, slot):
        newcomer, enrolled = StudentFactory.create_batch(2)
        EnrolmentFactory(student=enrolled, course=CourseFactory())
        wait(newcomer, slot)
        wait(enrolled, slot)

        assert self.line(slot, rule(Criterion.ENROLLED)) == [enrolled, newcomer]

    def test_who_has_a_sibling_that_day_comes_first(self, slot):
        family = FamilyFactory()
        alone, brother, sister = (
            StudentFactory(),
            StudentFactory(family=family),
            StudentFactory(family=family),
        )
        monday = SlotFactory(course=CourseFactory(coming=True))
        EnrolmentFactory(student=sister, course=monday.course, place=monday.places.get())
        wait(alone, slot)
        wait(brother, slot)

        assert self.line(slot, rule(Criterion.SIBLING)) == [brother, alone]

    def test_his_own_lesson_that_day_makes_nobody_his_sibling(self, slot):
        alone, busy = StudentFactory(), StudentFactory(family=FamilyFactory())
        monday = SlotFactory(
            course=CourseFactory(coming=True), starts_at=dt.time(14), ends_at=dt.time(15)
        )
        EnrolmentFactory(student=busy, course=monday.course, place=monday.places.get())
        wait(alone, slot)
        wait(busy, slot)

        assert self.line(slot, rule(Criterion.SIBLING)) == [alone, busy]

    def test_a_sibling_on_another_day_does_not_count(self, slot):
        family = FamilyFactory()
        alone, brother, sister = (
            StudentFactory(),
            StudentFactory(family=family),
            StudentFactory(family=family),
        )
        friday = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.FRIDAY)
        EnrolmentFactory(student=sister, course=friday.course, place=friday.places.get())
        wait(alone, slot)
        wait(brother, slot)

        assert self.line(slot, rule(Criterion.SIBLING)) == [alone, brother]

    def test_a_resident_of_either_household_comes_first(self, slot):
        outside = StudentFactory(family=FamilyFactory(commune=CommuneFactory(zone=Zone.OUTSIDE)))
        inside = CommuneFactory(insee_code="59009", zone=Zone.RESIDENT)
        resident = StudentFactory(family=FamilyFactory(commune=inside))
        wait(outside, slot)
        wait(resident, slot)

        assert self.line(slot, rule(Criterion.RESIDENT)) == [resident, outside]

    def test_the_first_criterion_weighs_more_than_all_that_follow(self, slot):
        inside = CommuneFactory(insee_code="59009", zone=Zone.RESIDENT)
        resident = StudentFactory(family=FamilyFactory(commune=inside))
        enrolled = StudentFactory()
        EnrolmentFactory(student=enrolled, course=CourseFactory())
        wait(resident, slot)
        wait(enrolled, slot)

        assert self.line(slot, rule(Criterion.ENROLLED, Criterion.RESIDENT))[0] == enrolled
        assert self.line(slot, rule(Criterion.RESIDENT, Criterion.ENROLLED))[0] == resident

    def test_a_published_draw_comes_before_time(self, slot, by_time):
        early, drawn = StudentFactory.create_batch(2)
        wait(early, slot)
        WaitingEntry.objects.filter(pk=wait(drawn, slot).pk).update(draw=7)

        assert self.line(slot, by_time) == [drawn, early]

    def test_a_student_stands_once_in_a_line(self, slot, by_time):
        student = StudentFactory()
        wait(student, slot, None)

        lines = lines_of([slot.course], by_time)
        assert [entry.student for entry in lines.of(slot)] == [student]
        assert lines.rank(student, slot) == 1
        assert lines.rank(StudentFactory(), slot) is None

    def test_takes_one_query_whatever_the_number(self, slot, other_slot, django_assert_num_queries):
        for _ in range(5):
            wait(StudentFactory(), slot, other_slot)

        every_criterion = rule(*Criterion)
        with django_assert_num_queries(1):
            lines = lines_of([slot.course], every_criterion)
            assert [len(lines.of(each)) for each in (slot, other_slot)] == [5, 5]


class TestAFreePlace:
    """While somebody waits, it is nobody else's."""

    def test_is_not_offered_to_another_family(self, slot):
        wait(StudentFactory(), slot)
        free(slot)

        assert [s for s in slots_for(StudentFactory()) if may_pick(s)] == []

    def test_is_refused_to_another_family(self, slot):
        wait(StudentFactory(), slot)
        free(slot)
        passer_by = StudentFactory()

        until = timezone.now() + DELAY
        assert code_of(services.hold, passer_by, slot, until=until) == "slot_awaited"
        assert code_of(services.claim, passer_by, slot, cycle=Cycle.FIRST) == "slot_awaited"

    def test_is_awaited_for_any_slot_of_the_course_too(self, slot):
        wait(StudentFactory(), None, course=slot.course)
        free(slot)

        assert code_of(services.claim, StudentFactory(), slot, cycle=Cycle.FIRST) == "slot_awaited"

    def test_those_beyond_the_number_who_wait_are_open(self, slot):
        wait(StudentFactory(), slot)
        free(slot)
        services.set_capacity(slot, 2)

        assert [s for s in slots_for(StudentFactory()) if may_pick(s)] == [slot]
        services.claim(StudentFactory(), slot, cycle=Cycle.FIRST)
        assert code_of(services.claim, StudentFactory(), slot, cycle=Cycle.FIRST) == "slot_awaited"

    def test_is_given_ahead_by_the_staff(self, slot):
        wait(StudentFactory(), slot)
        free(slot)

        seated = services.claim(StudentFactory(), slot, cycle=Cycle.FIRST, ahead=True)

        assert seated.slot == slot

    def test_the_only_one_who_waits_may_pick_it(self, slot):
        student = StudentFactory()
        wait(student, slot)
        free(slot)

        services.hold(student, slot, until=timezone.now() + DELAY)

        assert states_of(student) == [WaitingState.ACCEPTED]


class TestOfferNext:
    def offer(self, slot, rule):
        return waiting.offer_next(slot, rule, delay=DELAY)

    def test_keeps_the_place_for_the_first(self, slot, by_time):
        first, second = StudentFactory.create_batch(2)
        wait(first, slot)
        wait(second, slot)
        free(slot)

        entry = self.offer(slot, by_time)

        assert (entry.student, state_of(entry)) == (first, WaitingState.OFFERED)
        held = Hold.objects.get()
        assert (held.entry, held.student, held.place.slot) == (entry, first, slot)
        assert abs(held.until - timezone.now() - DELAY) < dt.timedelta(minutes=1)
        assert code_of(services.claim, second, slot, cycle=Cycle.FIRST) == "slot_full"

    def test_logs_the_rank_and_the_criteria(self, slot):
        student = StudentFactory()
        EnrolmentFactory(student=student, course=CourseFactory())
        wait(StudentFactory(), slot)
        wait(student, slot)
        free(slot)

        entry = self.offer(slot, rule(Criterion.ENROLLED))

        log = entry.moves.first()
        assert (log.rank, log.waiting, log.slot, log.actor) == (1, 2, slot, None)
        assert log.reason == Criterion.ENROLLED.label

    def test_offers_nothing_that_is_not_free(self, slot, by_time):
        wait(StudentFactory(), slot)

        assert self.offer(slot, by_time) is None

    def test_offers_to_nobody_who_does_not_wait(self, slot, by_time):
        free(slot)

        assert self.offer(slot, by_time) is None

    def test_frees_what_was_held_too_long(self, course, by_time):
        slot = SlotFactory(course=course)
        services.hold(StudentFactory(), slot, until=timezone.now())
        entry = wait(StudentFactory(), slot)

        assert self.offer(slot, by_time) == entry

    def test_passes_on_what_was_not_answered(self, slot, by_time):
        first, second = wait(StudentFactory(), slot), wait(StudentFactory(), slot)
        free(slot)
        self.offer(slot, by_time)
        late(first)

        assert self.offer(slot, by_time) == second
        assert state_of(first) == WaitingState.EXPIRED

    def test_is_not_made_twice_to_one_student_for_one_slot(self, course, by_time):
        slot = SlotFactory(course=course, places=2)
        for place in slot.places.all():
            EnrolmentFactory(course=course, place=place)
        entry = wait(StudentFactory(), slot, None)
        second = wait(StudentFactory(), slot)
        free(slot)

        offered = [waiting.offer_next(slot, by_time, delay=DELAY) for _ in range(3)]

        assert offered == [entry, second, None]

    def test_who_has_one_offered_leaves_the_others_open(self, course, by_time):
        slot = SlotFactory(course=course, places=2)
        for place in slot.places.all():
            EnrolmentFactory(course=course, place=place)
        wait(StudentFactory(), slot, None)
        free(slot)
        waiting.offer_next(slot, by_time, delay=DELAY)

        passer_by = StudentFactory()

        assert [may_pick(each) for each in slots_for(passer_by).filter(pk=slot.pk)] == [True]
        services.claim(passer_by, slot, cycle=Cycle.FIRST)

    def test_is_not_made_twice_for_one_place(self, slot, by_time):
        wait(StudentFactory(), slot)
        wait(StudentFactory(), slot)
        free(slot)

        assert self.offer(slot, by_time) is not None
        assert self.offer(slot, by_time) is None

    def test_fulfils_a_wish_for_any_slot(self, slot, by_time):
        entry = wait(StudentFactory(), None, course=slot.course)
        free(slot)

        assert self.offer(slot, by_time) == entry
        assert entry.moves.first().slot == slot

    def test_a_place_offered_is_not_removed_with_the_capacity(self, slot, by_time):
        wait(StudentFactory(), slot)
        free(slot)
        self.offer(slot, by_time)

        assert code_of(services.set_capacity, slot, 0) == "capacity_below_taken"


class TestEndUnsuited:
    """The ages or the levels of a course were changed while somebody waits."""

    @pytest.fixture
    def for_adults(self, course, slot, other_slot):
        """Monday, Tuesday and « any » were wished for; then a group for others is made."""
        return partial(SlotFactory, course=course, weekday=Weekday.FRIDAY, age_from=18)

    def test_any_slot_becomes_each_of_those_for_him(self, course, slot, other_slot, for_adults):
        entry = wait(StudentFactory(), None, course=course)

        waiting.end_unsuited(for_adults())

        wishes = WaitingEntry.objects.waiting().order_by("slot")
        told = [(wish.slot, wish.preference, wish.since) for wish in wishes]
        assert told == [(slot, 1, entry.since), (other_slot, 1, entry.since)]
        assert state_of(entry) == WaitingState.LEFT

    def test_a_wish_for_one_of_them_keeps_the_better_date(self, course, slot, for_adults):
        student = StudentFactory()
        entry = wait(student, None, course=course)
        wait(student, None, slot)

        waiting.end_unsuited(for_adults())

        assert WaitingEntry.objects.waiting().get(slot=slot).since == entry.since

    def test_its_places_are_then_open_to_others(self, course, for_adults):
        wait(StudentFactory(), None, course=course)
        adults = for_adults()
        assert code_of(services.claim, StudentFactory(), adults, cycle=Cycle.FIRST) == (
            "slot_awaited"
        )

        waiting.end_unsuited(adults)

        services.claim(StudentFactory(), adults, cycle=Cycle.FIRST)

    def test_one_served_leaves_the_others(self, course, slot, other_slot, for_adults):
        """They were as much liked."""
        student = StudentFactory()
        wait(student, None, course=course)
        waiting.end_unsuited(for_adults())
        free(slot)

        services.claim(student, slot, cycle=Cycle.FIRST)

        assert states_of(student) == [
            WaitingState.LEFT,
            WaitingState.ACCEPTED,
            WaitingState.LEFT,
        ]

    def test_a_wish_for_the_slot_itself_ends(self, slot, other_slot):
        student = StudentFactory()
        wait(student, slot, other_slot)
        Slot.objects.filter(pk=slot.pk).update(age_from=18)

        waiting.end_unsuited(Slot.objects.get(pk=slot.pk))

        assert states_of(student) == [WaitingState.LEFT, WaitingState.WAITING]

    def test_who_suits_goes_on(self, slot, for_adults):
        entry = wait(StudentFactory(), slot)

        waiting.end_unsuited(slot)
        waiting.end_unsuited(for_adults())

        assert state_of(entry) == WaitingState.WAITING


class TestAnswer:
    @pytest.fixture
    def offered(self, slot, other_slot, by_time):
        """Offered Monday, which he likes best; Tuesday and « any » come after."""
        student = StudentFactory()
        entry = wait(student, slot, other_slot, None)
        free(slot)
        waiting.offer_next(slot, by_time, delay=DELAY)
        return WaitingEntry.objects.get(pk=entry.pk)

    def test_being_seated_accepts_and_ends_what_he_likes_less(self, offered, slot):
        services.claim(offered.student, slot, cycle=Cycle.FIRST)

        assert states_of(offered.student) == [
            WaitingState.ACCEPTED,
            WaitingState.LEFT,
            WaitingState.ACCEPTED,  # « any » is fulfilled
        ]
        assert not Hold.objects.exists()

    def test_what_he_likes_better_goes_on(self, slot, other_slot, by_time):
        student = StudentFactory()
        wait(student, other_slot, slot)
        free(slot)
        waiting.offer_next(slot, by_time, delay=DELAY)

        services.claim(student, slot, cycle=Cycle.FIRST)

        assert states_of(student) == [WaitingState.WAITING, WaitingState.ACCEPTED]

    def test_picking_it_in_a_draft_keeps_it_as_long_as_the_offer(self, offered, slot):
        until = offered.hold.until

        held = services.hold(offered.student, slot, until=timezone.now())

        assert (held.until, held.entry) == (until, None)
        assert states_of(offered.student) == [
            WaitingState.ACCEPTED,
            WaitingState.LEFT,
            WaitingState.ACCEPTED,  # « any » is fulfilled
        ]

    def test_moving_to_it_gives_the_former_seat_back(self, offered, slot, other_slot, course):
        free(other_slot)
        student = offered.student
        seat = services.claim(student, other_slot, cycle=Cycle.FIRST)

        services.place(seat, slot)

        assert Place.objects.filter(slot=other_slot, enrolment=None, hold=None).exists()
        assert Enrolment.objects.live().get(student=student).slot == slot

    def test_declining_gives_the_place_to_the_next(self, offered, slot, by_time, agent):
        nexts = wait(StudentFactory(), slot)

        waiting.decline(offered, actor=agent)

        assert state_of(offered) == WaitingState.DECLINED
        assert offered.moves.first().slot == slot
        # His « any » comes before: he declined Monday, not the course.
        line = [entry.student for entry in lines_of([slot.course], by_time).of(slot)]
        assert line == [offered.student, nexts.student]

    def test_declining_twice_is_refused(self, offered, agent):
        waiting.decline(offered, actor=agent)

        assert code_of(waiting.decline, offered, actor=agent) == "bad_transition"

    def test_an_offer_that_ended_passes_before_nobody(self, offered, slot, course):
        wait(StudentFactory(), slot)
        late(offered)

        for pick in (
            lambda: services.hold(offered.student, slot, until=timezone.now() + DELAY),
            lambda: services.claim(offered.student, slot, cycle=Cycle.FIRST),
        ):
            assert code_of(pick) == "slot_awaited"

    def test_an_offer_that_ended_is_told_apart(self, offered):
        late(offered)

        assert code_of(waiting.check_offer_runs, offered) == "too_late"

    def test_nothing_runs_for_who_only_waits(self, slot):
        entry = wait(StudentFactory(), slot)

        assert code_of(waiting.check_offer_runs, entry) == "bad_transition"

    def test_leaving_the_course_gives_the_offer_back(self, offered, slot):
        enrolment = EnrolmentFactory(student=offered.student, course=slot.course)

        services.release(enrolment)

        assert set(states_of(offered.student)) == {WaitingState.LEFT}
        assert not Hold.objects.exists()


class TestOfferTo:
    @pytest.fixture
    def lined_up(self, slot):
        first, second = wait(StudentFactory(), slot), wait(StudentFactory(), slot)
        free(slot)
        return first, second

    def test_the_first_needs_no_reason(self, lined_up, slot, by_time, agent):
        entry = waiting.offer_to(lined_up[0], slot, by_time, delay=DELAY, actor=agent, reason="")

        assert state_of(entry) == WaitingState.OFFERED

    def test_before_others_it_says_why(self, lined_up, slot, by_time, agent):
        offer = {"delay": DELAY, "actor": agent}

        code = code_of(waiting.offer_to, lined_up[1], slot, by_time, reason=" ", **offer)
        assert code == "reason_required"
        too_long = "x" * (waiting.REASON_LENGTH + 1)
        code = code_of(waiting.offer_to, lined_up[1], slot, by_time, reason=too_long, **offer)
        assert code == "reason_too_long"

        entry = waiting.offer_to(lined_up[1], slot, by_time, reason="Handicap.", **offer)
        log = entry.moves.first()
        assert (log.actor, log.rank, log.reason) == (agent, 2, "Handicap.")

    def test_without_a_free_place_it_is_refused(self, slot, by_time, agent):
        entry = wait(StudentFactory(), slot)

        code = code_of(waiting.offer_to, entry, slot, by_time, delay=DELAY, actor=agent, reason="x")
        assert code == "slot_full"

    def test_another_slot_than_the_wish_is_refused(self, lined_up, other_slot, by_time, agent):
        code = code_of(
            waiting.offer_to, lined_up[0], other_slot, by_time, delay=DELAY, actor=agent, reason=""
        )
        assert code == "wrong_course"

    def test_who_waits_no_more_is_offered_nothing(self, lined_up, slot, by_time, agent):
        waiting.remove(lined_up[0], actor=agent, reason="Déménagement.")

        code = code_of(
            waiting.offer_to, lined_up[0], slot, by_time, delay=DELAY, actor=agent, reason=""
        )
        assert code == "bad_transition"

    def test_removing_says_why(self, lined_up, agent):
        assert code_of(waiting.remove, lined_up[0], actor=agent, reason="") == "reason_required"
        waiting.remove(lined_up[0], actor=agent, reason="Déménagement.")
        assert lined_up[0].moves.first().reason == "Déménagement."
