"""The allotment of ranked wishes: what it promises, played on small cases that hypothesis makes."""

import datetime as dt
import random
import time
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from students.allotment import (
    Applicant,
    Contest,
    Lesson,
    Siblings,
    Wish,
    allot,
    draw,
    fingerprint,
)
from students.enums import Fate

OBTAINED, FULL, CLASH, UNUSED = Fate.OBTAINED, Fate.FULL, Fate.CLASH, Fate.UNUSED


def lesson(slot, weekday=1, hour=17):
    return Lesson(slot, weekday, dt.time(hour), dt.time(hour + 1))


def applicant(student, *slots, draw=None, busy=(), met=()):
    wishes = [Wish(slot, tuple(met)) for slot in slots]
    return Applicant(student, draw=student if draw is None else draw, wishes=wishes, busy=busy)


def contest(*applicants, places, course=1, lessons=None):
    lessons = lessons or [lesson(slot, hour=8 + at) for at, slot in enumerate(places)]
    return Contest(course=course, lessons=lessons, places=places, applicants=applicants)


def slots_of(outcomes):
    return {student: outcome.slot for (student, _), outcome in outcomes.items()}


# --- By hand ------------------------------------------------------------------------------------


def test_the_smallest_number_gets_the_lesson_and_the_other_the_next_of_his_list():
    outcomes = allot(
        [contest(applicant(7, 1, 2, draw=2), applicant(8, 1, 2, draw=1), places={1: 1, 2: 1})]
    )

    first, second = outcomes[8, 1], outcomes[7, 1]
    assert (first.slot, first.preference, first.fates) == (1, 1, [OBTAINED, UNUSED])
    assert (second.slot, second.preference, second.fates) == (2, 2, [FULL, OBTAINED])


def test_a_criterion_comes_before_the_draw_and_the_first_before_the_second():
    outcomes = allot(
        [
            contest(
                applicant(1, 1, draw=1, met=[False, False]),
                applicant(2, 1, draw=2, met=[False, True]),
                applicant(3, 1, draw=3, met=[True, False]),
                places={1: 2},
            )
        ]
    )

    assert slots_of(outcomes) == {1: None, 2: 1, 3: 1}
    assert outcomes[1, 1].preference is None


def test_whoever_comes_second_to_his_first_wish_may_take_the_place_of_another_in_his_second():
    """2 loses slot 1 to 1 and takes slot 2 from 3, who had asked for it first."""
    outcomes = allot(
        [
            contest(
                applicant(1, 1), applicant(2, 1, 2), applicant(3, 2, 3), places={1: 1, 2: 1, 3: 1}
            )
        ]
    )

    assert slots_of(outcomes) == {1: 1, 2: 2, 3: 3}


def test_any_lesson_is_the_first_of_the_week_with_a_place_that_he_did_not_name():
    places = {1: 0, 2: 1, 3: 5, 4: 5}
    outcomes = allot([contest(applicant(1, 2), applicant(2, 2, 4, None), places=places)])
    assert slots_of(outcomes) == {1: 2, 2: 4}

    outcomes = allot([contest(applicant(1, 2), applicant(2, 2, None), places=places)])
    assert outcomes[2, 1].slot == 3
    assert outcomes[2, 1].preference == 2


def test_a_wish_that_clashes_is_skipped_and_says_so():
    busy = [lesson(99, weekday=1, hour=8)]
    outcomes = allot([contest(applicant(1, 1, 2, busy=busy), places={1: 1, 2: 1})])

    assert outcomes[1, 1].slot == 2
    assert outcomes[1, 1].fates == [CLASH, OBTAINED]


def test_any_lesson_clashes_when_they_all_do():
    outcomes = allot([contest(applicant(1, None, busy=[lesson(9, hour=8)]), places={1: 1})])

    assert outcomes[1, 1].fates == [CLASH]


def test_lessons_one_after_the_other_do_not_clash():
    assert not lesson(1, hour=8).clashes_with(lesson(2, hour=9))
    assert not lesson(1, weekday=1).clashes_with(lesson(2, weekday=2))
    assert lesson(1).clashes_with(lesson(2))


def test_a_lesson_got_in_the_first_course_clashes_in_the_next_one():
    first = contest(applicant(1, 1), places={1: 1}, course=1)
    second = contest(applicant(1, 2, 3), places={2: 1, 3: 1}, course=2)

    outcomes = allot([first, second])

    assert outcomes[1, 1].slot == 1
    assert outcomes[1, 2].slot == 3
    assert outcomes[1, 2].fates == [CLASH, OBTAINED]


def test_a_lesson_got_in_the_first_course_counts_for_the_sister_on_that_day():
    """3 has the smaller number, and no sister on Monday."""
    brother = contest(applicant(1, 1), places={1: 1}, course=1)
    applicants = [applicant(2, 2, met=[False], draw=20), applicant(3, 2, met=[False], draw=3)]
    monday = [lesson(2, weekday=1, hour=19)]
    sister = contest(*applicants, places={2: 1}, course=2, lessons=monday)
    siblings = Siblings(criterion=0, of={2: {1}, 1: {2}})

    assert slots_of(allot([sister])) == {2: None, 3: 2}
    assert slots_of(allot([brother, sister], siblings))[2] == 2


def test_without_a_wish_there_is_no_place():
    outcome = allot([contest(applicant(1), places={1: 1})])[1, 1]

    assert (outcome.slot, outcome.preference, outcome.fates) == (None, None, [])


def test_the_draw_is_made_of_the_seed_and_the_references_only():
    references = [f"R-{number:05}" for number in range(1, 8)]
    numbers = draw("graine", references)

    assert sorted(numbers.values()) == [1, 2, 3, 4, 5, 6, 7]
    assert draw("graine", reversed(references)) == numbers
    assert draw("autre", references) != numbers
    # printf '%s' 'graine:R-00001' | sha256sum
    assert fingerprint("graine", "R-00001").startswith("b0eaa62014d90cf4")


def test_a_withdrawal_changes_nobody_s_order_in_the_draw():
    references = [f"R-{number:05}" for number in range(1, 30)]
    before = draw("graine", references)
    after = draw("graine", [each for each in references if each != "R-00007"])

    assert sorted(after, key=after.get) == [
        each for each in sorted(before, key=before.get) if each != "R-00007"
    ]


# --- By hypothesis ------------------------------------------------------------------------------

SLOTS = [1, 2, 3]


@st.composite
def contests(draw, students=6):
    places = {slot: draw(st.integers(0, 2)) for slot in SLOTS}
    numbers = draw(st.permutations(range(1, students + 1)))
    applicants = []
    for student, number in zip(range(1, students + 1), numbers, strict=True):
        wishes = draw(st.lists(st.sampled_from([*SLOTS, None]), unique=True, max_size=4))
        met = {slot: draw(st.tuples(st.booleans(), st.booleans())) for slot in [*SLOTS, None]}
        busy = draw(st.lists(st.sampled_from([lesson(90 + n, hour=8 + n) for n in range(3)]),
                             max_size=1))  # fmt: skip
        applicants.append(
            Applicant(
                student, draw=number, wishes=[Wish(each, met[each]) for each in wishes], busy=busy
            )
        )
    return contest(*applicants, places=places)


def liked(one, contest):
    """The lessons that he may have, the preferred first, with the strength of his request."""
    seen, found = set(), []
    for wish in one.wishes:
        for each in contest.lessons:
            named = wish.slot in (None, each.slot) and each.slot not in seen
            if named:
                seen.add(each.slot)
            if named and not any(each.clashes_with(other) for other in one.busy):
                found.append((each.slot, (*wish.met, -one.draw)))
    return found


@given(contests())
def test_no_lesson_has_more_students_than_places_and_each_has_one_he_asked_for(contest):
    outcomes = allot([contest])
    slots = slots_of(outcomes)

    for slot, places in contest.places.items():
        assert list(slots.values()).count(slot) <= places
    for one in contest.applicants:
        assert slots[one.student] in {None, *(slot for slot, _ in liked(one, contest))}


@given(contests())
def test_nobody_misses_a_lesson_that_somebody_after_him_has(contest):
    """No blocking pair: no place free of what he prefers, no student there whom he precedes."""
    slots = slots_of(allot([contest]))
    strength = {
        (one.student, slot): power
        for one in contest.applicants
        for slot, power in liked(one, contest)
    }
    for one in contest.applicants:
        for slot, power in liked(one, contest):
            if slots[one.student] == slot:
                break
            there = [student for student, got in slots.items() if got == slot]
            assert len(there) == contest.places[slot]
            assert all(strength[student, slot] > power for student in there)


@given(contests(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(contest, shuffler):
    shuffled = list(contest.applicants)
    shuffler.shuffle(shuffled)
    again = Contest(contest.course, contest.lessons, contest.places, shuffled)

    assert allot([again]) == allot([contest])
    assert allot([contest]) == allot([contest])


@settings(max_examples=60)
@given(contests(students=4))
def test_nobody_gains_by_ranking_otherwise_than_he_likes(contest):
    """Every other list of one student, against the list that he truly likes."""
    truth = slots_of(allot([contest]))
    for one in contest.applicants:
        order = [slot for slot, _ in liked(one, contest)]
        liking = {slot: rank for rank, slot in enumerate(order)}
        met = dict(liked(one, contest))
        for length in range(len(SLOTS) + 1):
            for lie in permutations(SLOTS, length):
                wishes = [Wish(slot, met.get(slot, (True, True, 0))[:2]) for slot in lie]
                liar = Applicant(one.student, one.draw, wishes, one.busy)
                others = [each for each in contest.applicants if each != one]
                told = Contest(contest.course, contest.lessons, contest.places, [liar, *others])
                got = slots_of(allot([told]))[one.student]
                assert liking.get(got, 9) >= liking.get(truth[one.student], 9)


@given(st.lists(st.text("0123456789", min_size=1), unique=True), st.text(max_size=5))
def test_a_draw_gives_each_number_once(references, seed):
    assert sorted(draw(seed, references).values()) == list(range(1, len(references) + 1))


# --- In time ------------------------------------------------------------------------------------


def test_twenty_thousand_students_are_allotted_in_seconds():
    """50 courses of 10 lessons, five wishes each."""
    students, rng = 20_000, random.Random(4)
    numbers = draw("graine", [f"R-{n}" for n in range(students)])
    contests = []
    for course in range(50):
        lessons = [lesson(course * 100 + n, weekday=n % 5 + 1, hour=9 + n) for n in range(10)]
        applicants = [
            Applicant(
                n,
                numbers[f"R-{n}"],
                [Wish(each.slot, (rng.random() < 0.5,)) for each in rng.sample(lessons, 5)],
            )
            for n in range(course, students, 50)
        ]
        places = {each.slot: 32 for each in lessons}
        contests.append(Contest(course, lessons, places, applicants))
    began = time.perf_counter()

    outcomes = allot(contests)

    seconds = time.perf_counter() - began
    assert len(outcomes) == students
    assert seconds < 20
