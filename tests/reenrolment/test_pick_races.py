"""The script's address for a slot picked, on PostgreSQL: many at the same instant."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from imuse.invariants import violations
from reenrolment.models import CourseChoice
from students import services as students
from students.models import Hold
from tests.factories import CourseFactory, CustodyFactory, GuardianFactory, SlotFactory
from tests.races import Browser, no_deadlock, run_together
from tests.reenrolment.test_last_places import Visitor, _without_locking

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FAMILIES, ROUNDS = 12, 20


def pick(browser, visitor, slot, shown=None):
    """As the script sends it, of a page on which `shown`, or no slot, is picked."""
    section = f"course-{visitor.followed[slot.course].pk}"
    data = {"line": section, f"{section}-wanted": "on", f"{section}-slot_id": str(slot.pk)}
    data |= {f"initial-{section}-wanted": str(shown is not None)}
    data |= {f"initial-{section}-slot_id": str(shown.pk) if shown else ""}
    return browser.post(reverse("reenrolment:pick", args=[visitor.student.pk]), data)


def is_granted(answer):
    return answer.status_code == 200 and not _error_of(answer)


def is_told(answer):
    return answer.status_code == 200 and "complet" in _error_of(answer)


def start_over():
    Hold.objects.all().delete()
    CourseChoice.objects.update(wanted=False, slot=None)


@pytest.fixture
def course(establishment):
    return CourseFactory(coming=True)


@pytest.fixture
def visitors(course):
    return [Visitor(course) for _ in range(FAMILIES)]


def play_last_place(course, visitors):
    slot = SlotFactory(course=course)
    return slot, run_together(lambda n: pick(visitors[n].browser, visitors[n], slot), len(visitors))


def check_last_place(slot, visitors, answers):
    [held] = Hold.objects.filter(place__slot=slot)
    for visitor, answer in zip(visitors, answers, strict=True):
        won = visitor.student == held.student
        assert is_granted(answer) if won else is_told(answer)
    picked = CourseChoice.objects.filter(slot=slot).values_list("enrolment__student", flat=True)
    assert list(picked) == [held.student_id]
    assert list(violations()) == []


def play_and_check(course, visitors):
    for _ in range(ROUNDS):
        slot, answers = play_last_place(course, visitors)
        check_last_place(slot, visitors, answers)
        start_over()


def test_the_last_place_goes_to_one_family_and_the_others_are_told(course, visitors):
    with no_deadlock():
        play_and_check(course, visitors)


def test_without_the_lock_the_test_above_fails(course, visitors, monkeypatch):
    monkeypatch.setattr(students, "lock_slots", _without_locking)
    with pytest.raises(AssertionError):
        play_and_check(course, visitors)


def test_a_double_click_holds_one_place(course, visitors):
    slot = SlotFactory(course=course, places=5)
    visitor = visitors[0]
    for _ in range(ROUNDS):
        answers = run_together(lambda _: pick(visitor.browser, visitor, slot), 4)

        assert all(is_granted(answer) for answer in answers)
        assert Hold.objects.count() == 1
        start_over()


def test_two_tabs_on_two_slots_hold_the_one_that_is_written(course, visitors):
    """The second to come is told that the other was there first: it has seen nothing of it."""
    slots = [SlotFactory(course=course, group=group) for group in "AB"]
    visitor = visitors[0]
    pick(visitor.browser, visitor, slots[0])  # the dossier is there by now
    start_over()
    for _ in range(ROUNDS):
        answers = run_together(lambda n: pick(visitor.browser, visitor, slots[n]), 2)

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [won] = [slot for slot, each in zip(slots, answers, strict=True) if is_granted(each)]
        assert [held.place.slot for held in Hold.objects.all()] == [won]
        assert CourseChoice.objects.get(wanted=True).slot == won
        start_over()


def test_two_parents_who_move_at_once_hold_one_place(course, visitors):
    """From the same slot to two others, each in his own household."""
    first, *others = [SlotFactory(course=course, group=group) for group in "ABC"]
    visitor = visitors[0]
    father = GuardianFactory()
    CustodyFactory(student=visitor.student, family=father.family, rank=2)
    browsers = [visitor.browser, Browser(father.user)]
    with no_deadlock():
        for _ in range(ROUNDS):
            pick(browsers[0], visitor, first)

            answers = run_together(lambda n: pick(browsers[n], visitor, others[n], shown=first), 2)

            assert sorted(answer.status_code for answer in answers) == [200, 409]
            assert Hold.objects.count() == 1
            assert Hold.objects.get().place.slot == CourseChoice.objects.get(wanted=True).slot
            start_over()


def test_a_hold_whose_time_is_over_goes_to_one(course, visitors):
    """Its family moves to another slot at the very moment when the others pick the place."""
    for _ in range(ROUNDS):
        slot, other = (SlotFactory(course=course, group=group) for group in "AB")
        mine, *rivals = visitors[:6]
        pick(mine.browser, mine, slot)
        Hold.objects.update(until=timezone.now())

        moved, *answers = run_together(
            lambda n, slot=slot, other=other, mine=mine, rivals=rivals: (
                pick(rivals[n - 1].browser, rivals[n - 1], slot)
                if n
                else pick(mine.browser, mine, other, shown=slot)
            ),
            6,
        )

        assert is_granted(moved)
        assert sum(is_granted(answer) for answer in answers) == 1
        assert sum(is_told(answer) for answer in answers) == 4
        assert Hold.objects.count() == 2
        assert list(violations()) == []
        start_over()


def test_two_families_that_exchange_their_slots_wait_for_nobody(course, visitors):
    slots = [SlotFactory(course=course, group=group) for group in "AB"]
    pair = visitors[:2]
    with no_deadlock():
        for _ in range(ROUNDS):
            for visitor, slot in zip(pair, slots, strict=True):
                pick(visitor.browser, visitor, slot)

            answers = run_together(
                lambda n: pick(pair[n].browser, pair[n], slots[1 - n], shown=slots[n]), 2
            )

            assert all(is_told(answer) for answer in answers)
            assert {held.place.slot for held in Hold.objects.all()} == set(slots)
            start_over()


def _error_of(answer):
    found = re.search(r'class="invalid-feedback.*?</p>', answer.text, re.S)
    return found[0] if found else ""
