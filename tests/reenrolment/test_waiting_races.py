"""The waiting list on PostgreSQL: two senders, two parents, a withdrawal, at the same moment."""

import time
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.enums import MailKind
from accounts.models import Mail
from imuse.invariants import violations
from reenrolment.services import submission, waiting
from students import services as students
from students import waiting as lists
from students import waiting_moves
from students.enums import Cycle, WaitingState, Weekday
from students.models import Enrolment, Hold, WaitingEntry
from tests.factories import CourseFactory, EnrolmentFactory, SlotFactory, StudentFactory
from tests.races import no_deadlock, run_together
from tests.reenrolment.conftest import make_case

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 10


def fill(slot):
    for place in slot.places.filter(enrolment=None):
        EnrolmentFactory(course=slot.course, place=place)


def empty(slot):
    for enrolment in Enrolment.objects.filter(place__slot=slot):
        students.release(enrolment)


def make_waiting(parent, slot):
    """A dossier deposited that waits for the slot, which is full."""
    case = make_case(StudentFactory(family=parent.guardian.family), slot=slot)
    case.fill_in(slot_id=None)
    case.submit(parent)
    waiting.wish(case.campaign, case.student, slot.course, [slot], actor=parent)
    return case


def entry_of(case):
    return WaitingEntry.objects.select_related("student", "course").get(student=case.student)


def raised(results):
    return [error for error in results if isinstance(error, Exception)]


def test_two_senders_offer_each_place_once(parent):
    for _ in range(ROUNDS):
        slot = SlotFactory(course=CourseFactory(coming=True), places=3)
        fill(slot)
        cases = [make_waiting(parent, slot) for _ in range(5)]
        empty(slot)
        Mail.objects.filter(kind=MailKind.PLACE_OFFERED).delete()

        run_together(lambda _: [waiting.offer_next() for _ in range(5)], 4)
        while waiting.offer_next():
            pass

        states = [entry_of(case).state for case in cases]
        assert states == [WaitingState.OFFERED] * 3 + [WaitingState.WAITING] * 2
        assert Hold.objects.filter(place__slot=slot).count() == 3
        assert Mail.objects.filter(kind=MailKind.PLACE_OFFERED).count() == 3
        assert list(violations()) == []


def test_a_free_place_goes_to_the_list_and_not_to_a_passer_by(parent):
    """At the very moment when the place frees itself, ten families pick it and a sender offers."""
    for _ in range(ROUNDS):
        slot = SlotFactory(course=CourseFactory(coming=True))
        fill(slot)
        case = make_waiting(parent, slot)
        passers_by = [StudentFactory() for _ in range(10)]

        def play(number, slot=slot, passers_by=passers_by):
            if number == 0:
                return empty(slot)
            if number == 1:
                return waiting.offer_next()
            return students.claim(passers_by[number - 2], slot, cycle=Cycle.FIRST)

        results = run_together(play, 12)

        codes = {error.code for error in raised(results)}
        assert codes <= {"slot_full", "slot_awaited"}
        assert len(raised(results)) == 10
        waiting.offer_next()
        assert entry_of(case).state == WaitingState.OFFERED


def test_two_parents_who_answer_at_once_are_answered_once(parent):
    for _ in range(ROUNDS):
        slot = SlotFactory(course=CourseFactory(coming=True))
        fill(slot)
        case = make_waiting(parent, slot)
        empty(slot)
        waiting.offer_next()
        entry = entry_of(case)

        def answer(number, entry=entry):
            if number:
                return lists.decline(entry, actor=parent)
            return waiting.accept(entry, actor=parent)

        (refused,) = raised(run_together(answer, 2))

        assert isinstance(refused, ValidationError)
        assert refused.code == "bad_transition"
        seated = Enrolment.objects.filter(student=case.student, place__slot=slot).exists()
        assert seated == (entry_of(case).state == WaitingState.ACCEPTED)
        assert list(violations()) == []


def test_a_withdrawal_leaves_no_offer_behind(parent):
    for _ in range(ROUNDS):
        slot = SlotFactory(course=CourseFactory(coming=True))
        fill(slot)
        first, second = make_waiting(parent, slot), make_waiting(parent, slot)
        empty(slot)

        def play(number, first=first):
            if number:
                return waiting.offer_next()
            return submission.withdraw(first.reenrolment, actor=parent)

        assert raised(run_together(play, 4)) == []
        while waiting.offer_next():
            pass

        assert entry_of(first).state == WaitingState.LEFT
        assert entry_of(second).state == WaitingState.OFFERED
        assert [held.student for held in Hold.objects.filter(place__slot=slot)] == [second.student]


def test_an_agent_who_releases_the_seat_and_the_family_that_leaves_it_do_not_block(parent):
    """Each takes the enrolment first, then the wishes."""
    seat = SlotFactory(course=CourseFactory(coming=True))
    better = SlotFactory(course=seat.course, weekday=Weekday.THURSDAY)
    case = make_case(StudentFactory(family=parent.guardian.family), slot=seat)
    case.fill_in()
    case.submit(parent)
    fill(better)
    waiting.wish(case.campaign, case.student, seat.course, [better], actor=parent)
    empty(better)
    waiting.offer_next()
    entry, seated = entry_of(case), case.choice(case.theory).granted
    released = Barrier(2)

    def play(number):
        if number:
            released.wait(timeout=30)
            return waiting.accept(entry, actor=parent)
        with transaction.atomic():  # students.release, slowly
            students.lock_enrolment(seated)
            released.wait(timeout=30)
            until_somebody_waits_for_a_lock()
            waiting_moves.leave_all(case.student, seat.course, reason="Rendue.")
            Enrolment.objects.filter(pk=seated.pk).update(status="released", place=None)

    with no_deadlock():
        (refused,) = raised(run_together(play, 2))

    assert isinstance(refused, ValidationError)
    assert refused.code == "bad_transition"
    assert entry_of(case).state == WaitingState.LEFT


def until_somebody_waits_for_a_lock():
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("Nobody waits.")
