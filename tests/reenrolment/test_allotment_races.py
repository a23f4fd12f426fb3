"""The publication of an allotment on PostgreSQL, while others act at the same moment."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from imuse.invariants import violations
from reenrolment.enums import TO_EXAMINE
from reenrolment.models import Allocation, Allotment, Campaign, Reenrolment
from reenrolment.services import allotments, decisions, submission, waiting
from students.models import Enrolment, Hold
from tests.factories import CourseFactory, SlotFactory
from tests.races import run_together
from tests.reenrolment.ranking import Ranking, make_ranking, settle

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 6
STUDENTS = 5  # for three places


@pytest.fixture
def plan(establishment, parent, registrar):
    """Of a campaign that is closed: five dossiers of a new course, three of which get a place.

    What the round before has left is withdrawn, so that each round is alone.
    """
    first = make_ranking()

    def make():
        for dossier in Reenrolment.objects.filter(status__in=TO_EXAMINE):
            submission.withdraw(dossier, actor=parent)
        Allocation.objects.all().delete()
        Allotment.objects.all().delete()
        now = timezone.now()
        Campaign.objects.update(opens_at=now, closes_at=now + dt.timedelta(days=7))
        first.campaign.refresh_from_db()
        course = CourseFactory(coming=True)
        slots = [SlotFactory(course=course, weekday=day) for day in (1, 2, 3)]
        ranking = Ranking(first.campaign, course, slots)
        cases = [
            ranking.deposit(*slots, actor=parent, family=parent.guardian.family)
            for _ in range(STUDENTS)
        ]
        trial = allotments.run(ranking.campaign, actor=registrar)
        ranking.close()
        return ranking, cases, trial

    return make


def raised(results):
    return [each for each in results if isinstance(each, Exception)]


def seated(ranking):
    return Enrolment.objects.filter(place__slot__in=ranking.slots)


def test_two_directors_publish_once(plan, director):
    ranking, _, trial = plan()
    results = run_together(lambda _: allotments.publish(trial, actor=director), 6)

    refused = raised(results)
    assert [error.code for error in refused] == ["published"] * 5
    assert Hold.objects.count() == 3
    settle()
    assert seated(ranking).count() == 3
    assert list(violations()) == []


def test_two_runs_are_not_both_published(plan, director, registrar):
    ranking, _, first = plan()
    runs = [first, allotments.run(ranking.campaign, actor=registrar)]
    results = run_together(lambda n: allotments.publish(runs[n % 2], actor=director), 6)

    assert [error.code for error in raised(results)] == ["published"] * 5
    assert Allotment.objects.published().count() == 1
    assert Hold.objects.count() == 3


def test_two_senders_seat_and_tell_each_dossier_once(plan, director):
    ranking, cases, trial = plan()
    allotments.publish(trial, actor=director)

    def send(_):
        for _ in range(STUDENTS * 2):
            settle()

    assert raised(run_together(send, 4)) == []
    settle()
    assert seated(ranking).count() == 3
    assert Mail.objects.filter(kind=MailKind.ALLOTTED).count() == STUDENTS
    assert not Hold.objects.exists()
    assert list(violations()) == []


def test_a_withdrawal_during_the_publication_leaves_no_place_lost(plan, parent, director):
    for _ in range(ROUNDS):
        ranking, cases, trial = plan()
        dossiers = [case.reenrolment for case in cases]

        def play(number, trial=trial, dossiers=dossiers):
            if number == 0:
                return allotments.publish(trial, actor=director)
            if number == 1:
                return settle()
            return submission.withdraw(dossiers[number - 2], actor=parent)

        assert raised(run_together(play, 4)) == []
        settle()
        while waiting.offer_next():
            pass

        # Each of the three places is somebody's, or offered to one who waits for it.
        offered = Hold.objects.exclude(entry=None).filter(place__slot__in=ranking.slots)
        assert not Hold.objects.filter(entry=None).exists()
        assert seated(ranking).count() + offered.count() == 3
        gone = [case.student for case in cases[:2]]
        assert not seated(ranking).filter(student__in=gone).exists()
        assert not offered.filter(student__in=gone).exists()
        assert list(violations()) == []


def test_a_placement_by_hand_during_the_publication_gives_no_seat_twice(plan, director):
    for _ in range(ROUNDS):
        ranking, cases, trial = plan()
        slot = ranking.slots[0]

        def play(number, trial=trial, cases=cases, slot=slot):
            if number == 0:
                return allotments.publish(trial, actor=director)
            choice = cases[number - 1].choice(cases[number - 1].theory)
            return decisions.place(
                choice, course=slot.course, slot=slot, reason="Santé.", actor=director
            )

        results = run_together(play, 3)
        for error in raised(results):
            assert isinstance(error, ValidationError)
            assert {each.code for each in error.error_list} <= {"slot_full", "outdated"}
        settle()

        assert seated(ranking).count() <= 3
        assert not Hold.objects.filter(entry=None).exists()
        assert list(violations()) == []
