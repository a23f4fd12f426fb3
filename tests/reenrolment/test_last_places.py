"""The opening evening through the pages, on PostgreSQL: many families at the same button."""

import re

import pytest
from django.urls import reverse

from imuse.invariants import violations
from reenrolment.models import CourseChoice, Reenrolment
from reenrolment.services import drafts, submission
from students import services as students
from students.enums import Weekday
from students.models import Enrolment, Hold, Slot
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    EnrolmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
)
from tests.races import Browser, no_deadlock, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

FAMILIES, ROUNDS = 50, 4  # twenty rounds are played by the services, in test_races.py
# Filled as one saves; since the page was opened; on the way to the recap.
SENTENCES = ("est complet", "être complet", "est maintenant complet")


class Visitor:
    """A household at its dossier: one course of this year for each of `courses`, in this order."""

    def __init__(self, *courses):
        guardian = GuardianFactory()
        self.browser = Browser(guardian.user)
        self.campaign = CampaignFactory()
        self.student = StudentFactory(family=guardian.family)
        self.followed = {
            course: EnrolmentFactory(student=self.student, course=_leading_to(course, rank))
            for rank, course in enumerate(courses)
        }

    @property
    def dossier(self):
        return Reenrolment.objects.get(student=self.student)

    def pick(self, *slots, button="save"):
        """Posts the page, opened before anybody had picked, with a slot for each course."""
        data = {"initial-administrative": "False", "administrative": "on", button: ""}
        for slot in slots:
            section = f"course-{self.followed[slot.course].pk}"
            data |= {f"initial-{section}-wanted": "False", f"{section}-wanted": "on"}
            data |= {f"initial-{section}-slot_id": "", f"{section}-slot_id": str(slot.pk)}
        return self.browser.post(self._url("edit"), data)

    def submit(self):
        """« Valider » on the recap as it is read now, and the page to which it leads."""
        recap = self.browser.get(self._url("check"))
        if recap.status_code == 302:  # the slot is full already
            return self.browser.get(recap.url)
        hidden = dict(re.findall(r'name="(terms|fingerprint)"\s+value="(\w+)"', _text(recap)))
        answer = self.browser.post(self._url("submit"), hidden | {"accept": "on"})
        return self.browser.get(answer.url)

    def pick_and_submit(self, *slots):
        picked = self.pick(*slots, button="check")
        return self.submit() if picked.status_code == 302 else picked

    def is_confirmed_by(self, answer):
        return answer.status_code == 200 and self.dossier.reference in _text(answer)

    def _url(self, name):
        return reverse(f"reenrolment:{name}", args=[self.student.pk])


def is_told(answer):
    """The page comes back with the sentence: neither an error nor a place."""
    return answer.status_code == 200 and any(each in _text(answer) for each in SENTENCES)


def start_over():
    """Every dossier is a draft again, in which nobody has picked anything."""
    for dossier in Reenrolment.objects.exclude(submitted_by=None):
        submission.withdraw(dossier, actor=dossier.submitted_by)
        submission.take_up(dossier, actor=dossier.submitted_by)
    Hold.objects.all().delete()
    Reenrolment.objects.update(administrative=False)
    CourseChoice.objects.update(wanted=False, slot=None)


def winner_of(visitors, slot):
    """The number of the one whose student is enrolled in the slot."""
    student = Enrolment.objects.get(place__slot=slot).student
    [number] = [n for n, visitor in enumerate(visitors) if visitor.student == student]
    return number


class TestTheLastPlace:
    @pytest.fixture
    def course(self, establishment):
        return CourseFactory(coming=True)

    @pytest.fixture
    def visitors(self, course):
        return [Visitor(course) for _ in range(FAMILIES)]

    def test_fifty_families_pick_it_and_one_submits(self, course, visitors):
        with no_deadlock():
            for _ in range(ROUNDS):
                slot = SlotFactory(course=course)

                answers = run_together(
                    lambda n, slot=slot: visitors[n].pick_and_submit(slot), FAMILIES
                )

                won = winner_of(visitors, slot)
                assert visitors[won].is_confirmed_by(answers.pop(won))
                assert all(is_told(answer) for answer in answers)
                assert list(violations()) == []
                start_over()

    def test_fifty_families_whose_holds_have_ended_submit_and_one_wins(self, course, visitors):
        for visitor in visitors:
            drafts.save_draft(visitor.campaign, visitor.student, {})
        with no_deadlock():
            for _ in range(ROUNDS):
                slot = SlotFactory(course=course)
                Reenrolment.objects.update(administrative=True)
                CourseChoice.objects.update(wanted=True, slot=slot)

                answers = run_together(lambda n: visitors[n].submit(), FAMILIES)

                won = winner_of(visitors, slot)
                assert visitors[won].is_confirmed_by(answers.pop(won))
                assert all(is_told(answer) for answer in answers)
                assert list(violations()) == []
                start_over()


class TestTwoLastPlacesInOppositeOrder:
    ROUNDS = 10

    @pytest.fixture
    def courses(self, establishment):
        return CourseFactory.create_batch(2, coming=True)

    @pytest.fixture
    def visitors(self, courses):
        """Half of them have the two courses in one order on their page, half in the other."""
        return [Visitor(*courses[:: (-1) ** n]) for n in range(10)]

    @staticmethod
    def play(courses, visitors):
        days = (Weekday.MONDAY, Weekday.TUESDAY)
        slots = [SlotFactory(course=c, weekday=d) for c, d in zip(courses, days, strict=True)]
        answers = run_together(
            lambda n: visitors[n].pick_and_submit(*slots[:: (-1) ** n]), len(visitors)
        )
        return slots, answers

    def test_go_together_to_one_family(self, courses, visitors):
        with no_deadlock():
            for _ in range(self.ROUNDS):
                slots, answers = self.play(courses, visitors)

                [won] = {winner_of(visitors, slot) for slot in slots}
                assert visitors[won].is_confirmed_by(answers.pop(won))
                assert all(is_told(answer) for answer in answers)
                assert list(violations()) == []
                start_over()

    def test_without_the_order_of_the_locks_they_deadlock(self, courses, visitors, monkeypatch):
        """Proves that the test above can fail: each row then locks its slot when its turn comes."""
        monkeypatch.setattr(drafts, "_lock_slots_of", _slots_not_locked)
        monkeypatch.setattr(drafts.students, "hold_in", _lock_at_its_turn)

        with pytest.raises(AssertionError), no_deadlock():
            self.play(courses, visitors)


class TestFortySlotsOfOnePlace:
    """Rivals in pairs want each slot, and the next one when it is full; the last one has no next.

    One big slot under two workers misses a wrong implementation half of the time; here sixteen
    connections are at eight slots at any moment.
    """

    SLOTS, CONNECTIONS, ROUNDS = 40, 16, 3

    @pytest.fixture
    def visitors(self, establishment):
        course = CourseFactory(coming=True)
        return [Visitor(course) for _ in range(2 * self.SLOTS)]

    def play(self, visitors):
        """What each visitor was answered for its slot, and for the next one."""
        [course] = visitors[0].followed
        slots = [SlotFactory(course=course, group=str(n)) for n in range(self.SLOTS)]

        def post_in_turn(connection):
            answers = {}
            for n in range(connection, len(visitors), self.CONNECTIONS):
                answers[n] = [visitors[n].pick(slots[n // 2])]
                if is_told(answers[n][0]):
                    answers[n].append(visitors[n].pick(slots[(n // 2 + 1) % self.SLOTS]))
            return answers

        played = run_together(post_in_turn, self.CONNECTIONS)
        return slots, {n: each for answers in played for n, each in answers.items()}

    def check(self, visitors, slots, answers):
        """Everybody has a place or the sentence, and each place went to one who was told so."""
        saved = {n for n, given in answers.items() if given[-1].status_code == 302}
        assert all(is_told(answer) for given in answers.values() for answer in given[:-1])
        assert all(is_told(answers[n][-1]) for n in answers.keys() - saved)
        held = {hold.place.slot: hold.student for hold in Hold.objects.all()}
        assert set(held) == set(slots)
        assert sorted(student.pk for student in held.values()) == sorted(
            visitors[n].student.pk for n in saved
        )
        assert list(violations()) == []

    def test_each_goes_to_one(self, visitors):
        with no_deadlock():
            for _ in range(self.ROUNDS):
                self.check(visitors, *self.play(visitors))
                start_over()

    def test_without_the_lock_the_test_above_fails(self, visitors, monkeypatch):
        monkeypatch.setattr(students, "lock_slots", _without_locking)
        with pytest.raises(AssertionError):
            self.check(visitors, *self.play(visitors))


def _leading_to(course, rank):
    """A course of this year that leads to this one; the page lists them by name."""
    name = f"{rank} mène à {course}"
    return course.previous_courses.filter(name=name).first() or CourseFactory(
        name=name, next_course=course
    )


def _slots_not_locked(changes, choices):
    picked = {mine["slot_id"] for _, mine in changes if "slot_id" in mine}
    picked |= {choice.slot_id for choice in choices}
    return _without_locking(picked - {None})


def _lock_at_its_turn(slot, student, *, hold_in=students.hold_in, **named):
    students.lock_slots([slot.pk])
    return hold_in(slot, student, **named)


def _without_locking(slot_pks):
    return {slot.pk: slot for slot in Slot.objects.select_related("course").filter(pk__in=slot_pks)}


def _text(response):
    return response.content.decode()
