"""The allotment of a campaign: the wishes, the trial, a change, the publication, the mails."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from imuse.invariants import violations
from reenrolment.models import Allocation, Allotment
from reenrolment.pieces import load_pieces
from reenrolment.readiness import fingerprint_of
from reenrolment.rows import load_rows
from reenrolment.services import allotments, decisions, submission, waiting
from reenrolment.services.drafts import Refusal
from students import services as students
from students.allotment import draw
from students.enums import Criterion, Fate, WaitingState, Weekday
from students.models import Enrolment, Hold, WaitingEntry, WaitingMove
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    SlotFactory,
    StudentFactory,
)
from tests.families.homes import copy_of
from tests.reenrolment.conftest import make_case
from tests.reenrolment.ranking import Ranking, given, make_ranking, settle

pytestmark = pytest.mark.django_db


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        function(*args, **kwargs)
    return refusal.value.error_list[0].code


@pytest.fixture
def ranking(establishment):
    return make_ranking()


@pytest.fixture
def monday(ranking):
    return ranking.slots[0]


@pytest.fixture
def tuesday(ranking):
    return ranking.slots[1]


@pytest.fixture
def wednesday(ranking):
    return ranking.slots[2]


@pytest.fixture
def three(ranking, monday, tuesday, parent, family):
    """Three dossiers of the family that all prefer Monday, then Tuesday; in the draw's order."""
    cases = [ranking.deposit(monday, tuesday, actor=parent, family=family) for _ in range(3)]
    numbers = draw("graine", [case.reenrolment.reference for case in cases])
    return sorted(cases, key=lambda case: numbers[case.reenrolment.reference])


@pytest.fixture
def trial(ranking, three, registrar):
    return allotments.run(ranking.campaign, seed="graine", actor=registrar)


@pytest.fixture
def published(ranking, trial, director):
    ranking.close()
    return allotments.publish(trial, actor=director)


def results():
    return Mail.objects.filter(kind=MailKind.ALLOTTED)


def seat_of(case):
    return case.choice(case.theory).granted.slot


def allocation_of(allotment, case):
    return allotment.allocations.get(choice__reenrolment=case.reenrolment)


def waits_of(case):
    """(slot, state, draw) of all his wishes, the preferred first."""
    entries = WaitingEntry.objects.filter(student=case.student).order_by("preference")
    return [(entry.slot, entry.state, entry.draw) for entry in entries]


# --- The wishes ---------------------------------------------------------------------------------


class TestRanking:
    def test_a_slot_cannot_be_picked(self, ranking, monday, student):
        case = make_case(student, slot=monday)
        (refusal,) = case.fill_in()
        assert isinstance(refusal, Refusal)
        assert refusal.error.code == "by_allotment"
        assert not Hold.objects.exists()

    def test_a_wanted_course_needs_one_wish(self, ranking, monday, student, parent):
        case = ranking.draft(student=student)
        assert code_of(case.submit, parent) == "not_ready"

        ranking.wish(case, monday, actor=parent)
        case.submit(parent)
        granted = case.choice(case.theory).granted
        assert (granted.course, granted.place) == (ranking.course, None)
        assert list(violations()) == []

    def test_a_full_slot_may_be_ranked_and_no_offer_is_made(self, ranking, monday, parent, family):
        ranking.deposit(monday, actor=parent, family=family)

        assert waiting.offer_next() == 0

    def test_an_agent_offers_no_place_before_the_allotment(
        self, ranking, monday, parent, family, registrar
    ):
        ranking.deposit(monday, actor=parent, family=family)
        entry = WaitingEntry.objects.get()

        code = code_of(waiting.offer_to, entry, monday, actor=registrar, reason="Santé")
        assert code == "before_allotment"

    def test_the_recap_binds_to_the_wishes(self, ranking, monday, tuesday, student, parent):
        case = ranking.draft(student=student)
        ranking.wish(case, monday, tuesday, actor=parent)
        reenrolment = case.reenrolment
        read = fingerprint_of(reenrolment, load_rows(reenrolment), load_pieces(reenrolment))
        ranking.wish(case, tuesday, monday, actor=parent)

        sent = {"actor": parent, "terms": case.campaign.terms, "fingerprint": read}
        assert code_of(submission.submit, reenrolment, **sent) == "changed"

    def test_a_dossier_deposited_changes_its_wishes_until_the_closing(
        self, ranking, monday, tuesday, student, parent
    ):
        case = ranking.deposit(monday, student=student, actor=parent)
        ranking.wish(case, tuesday, monday, actor=parent)
        assert [slot for slot, _, _ in waits_of(case)] == [tuesday, monday]

        assert code_of(ranking.wish, case, actor=parent) == "no_wish"
        ranking.close()
        assert code_of(ranking.wish, case, monday, actor=parent) == "closed"

    def test_a_place_is_waited_for_again_once_all_is_published(
        self, ranking, published, three, wednesday, parent
    ):
        third = three[2]
        assert code_of(ranking.wish, third, wednesday, actor=parent) == "closed"
        settle()

        ranking.wish(third, wednesday, actor=parent)
        assert waiting.offer_next() == 1
        assert WaitingEntry.objects.get(slot=wednesday).state == WaitingState.OFFERED


# --- The trial ----------------------------------------------------------------------------------


class TestRun:
    def test_gives_each_the_best_wish_that_his_number_allows(self, trial, three, monday, tuesday):
        first, second, third = three
        assert given(trial) == {
            first.student: monday,
            second.student: tuesday,
            third.student: None,
        }
        row = allocation_of(trial, second)
        assert (row.preference, row.draw) == (2, 2)
        assert row.wishes == [
            {"slot": monday.pk, "words": monday.within_course, "fate": Fate.FULL},
            {"slot": tuesday.pk, "words": tuesday.within_course, "fate": Fate.OBTAINED},
        ]

    def test_changes_nothing_for_anybody(self, trial, three):
        assert [seat_of(case) for case in three] == [None, None, None]
        assert not Hold.objects.exists()
        settle()
        assert not results().exists()
        assert {state for case in three for _, state, _ in waits_of(case)} == {"waiting"}

    def test_the_same_seed_gives_the_same_and_a_new_one_is_drawn(
        self, ranking, trial, three, registrar
    ):
        again = allotments.run(ranking.campaign, seed=" graine ", actor=registrar)
        other = allotments.run(ranking.campaign, actor=registrar)
        another = allotments.run(ranking.campaign, actor=registrar)

        assert given(again) == given(trial)
        assert len({"graine", other.seed, another.seed}) == 3
        assert (other.made_by, len(other.seed)) == (registrar, 16)

    def test_a_student_enrolled_in_the_discipline_comes_first(
        self, ranking, monday, parent, family, registrar
    ):
        ranking.campaign.waiting_criteria.create(position=1, criterion=Criterion.ENROLLED)
        old = ranking.deposit(monday, actor=parent, family=family)
        new = ranking.deposit(monday, actor=parent, family=family)
        tuba = CourseFactory(name="Tuba", discipline__name="Tuba", next_course=ranking.course)
        Enrolment.objects.filter(student=new.student, pk=new.theory.pk).update(course=tuba)
        Enrolment.objects.filter(student=new.student, pk=new.choir.pk).update(status="released")
        for seed in "abcdef":
            plan = given(allotments.run(ranking.campaign, seed=seed, actor=registrar))
            assert plan == {old.student: monday, new.student: None}

    def test_any_slot_is_the_first_of_the_week_left(self, ranking, three, parent, registrar):
        fourth = ranking.deposit(None, actor=parent, family=three[0].student.families.get())
        row = allocation_of(allotments.run(ranking.campaign, actor=registrar), fourth)

        assert row.preference == 1
        any_slot = {"slot": None, "words": "n'importe quel horaire", "fate": Fate.OBTAINED}
        assert row.wishes == [any_slot]

    def test_a_lesson_held_elsewhere_makes_a_wish_clash(
        self, ranking, three, monday, tuesday, registrar
    ):
        first, second, _ = three
        choir = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.MONDAY)
        EnrolmentFactory(
            student=first.student, course=choir.course, place=choir.places.get(), status="requested"
        )
        trial = allotments.run(ranking.campaign, seed="graine", actor=registrar)

        assert given(trial)[first.student] == tuesday
        assert given(trial)[second.student] == monday
        assert allocation_of(trial, first).wishes[0]["fate"] == Fate.CLASH

    def test_drafts_and_places_given_by_hand_have_no_part_in_it(
        self, ranking, three, monday, parent, family, registrar
    ):
        first, second, third = three
        draft = ranking.draft(family=family)
        ranking.wish(draft, monday, actor=parent)
        students.place(first.choice(first.theory).granted, monday, ahead=True)
        submission.withdraw(third.reenrolment, actor=parent)

        trial = allotments.run(ranking.campaign, seed="graine", actor=registrar)
        assert given(trial) == {second.student: ranking.slots[1]}

    def test_refuses_a_campaign_of_the_first_come(self, case, parent, registrar):
        assert code_of(allotments.run, case.campaign, actor=registrar) == "first_come"

    def test_refuses_when_nobody_asks(self, ranking, registrar):
        assert code_of(allotments.run, ranking.campaign, actor=registrar) == "nobody"

    def test_refuses_once_published(self, ranking, published, registrar):
        assert code_of(allotments.run, ranking.campaign, actor=registrar) == "published"

    def test_refuses_a_seed_too_long(self, ranking, three, registrar):
        with pytest.raises(ValidationError) as refusal:
            allotments.run(ranking.campaign, seed="x" * 65, actor=registrar)
        assert list(refusal.value.message_dict) == ["seed"]
        assert not Allotment.objects.exists()

    @pytest.mark.parametrize("count", [1, 4])
    def test_takes_as_many_queries_whatever_the_count(
        self, ranking, monday, parent, family, registrar, count, django_assert_num_queries
    ):
        for _ in range(count):
            ranking.deposit(monday, None, actor=parent, family=family)
        ranking.campaign.waiting_criteria.create(position=1, criterion=Criterion.SIBLING)
        with django_assert_num_queries(21):
            allotments.run(ranking.campaign, actor=registrar)


# --- A change by hand -----------------------------------------------------------------------------


class TestChange:
    def change(self, allotment, case, slot, actor, reason="Santé."):
        row = allocation_of(allotment, case)
        return allotments.change(row, slot, reason=reason, actor=actor)

    def test_gives_a_free_place_of_the_plan(self, trial, three, wednesday, registrar):
        row = self.change(trial, three[2], wednesday, registrar)

        row.refresh_from_db()
        assert (row.slot, row.preference, row.reason) == (wednesday, None, "Santé.")
        assert row.changed_by == registrar

    def test_takes_a_place_off_which_another_may_then_have(self, trial, three, monday, registrar):
        first, second, _ = three
        assert code_of(self.change, trial, second, monday, registrar) == "slot_full"

        self.change(trial, first, None, registrar)
        row = self.change(trial, second, monday, registrar)
        assert row.preference == 1

    @pytest.mark.parametrize(
        ("reason", "code"), [("  ", "reason_required"), ("x" * 301, "reason_too_long")]
    )
    def test_says_why(self, trial, three, wednesday, registrar, reason, code):
        assert code_of(self.change, trial, three[2], wednesday, registrar, reason) == code

    def test_refuses_a_slot_of_another_course(self, trial, three, registrar):
        other = SlotFactory(course=CourseFactory(coming=True))

        assert code_of(self.change, trial, three[2], other, registrar) == "wrong_course"

    def test_refuses_a_lesson_at_the_same_time(self, trial, three, wednesday, registrar):
        choir = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.WEDNESDAY)
        EnrolmentFactory(student=three[2].student, course=choir.course, place=choir.places.get())

        assert code_of(self.change, trial, three[2], wednesday, registrar) == "clash"

    def test_refuses_once_published(self, published, three, wednesday, registrar):
        assert code_of(self.change, published, three[2], wednesday, registrar) == "published"


# --- The publication ------------------------------------------------------------------------------


class TestPublish:
    def test_seats_everybody_and_the_better_wishes_wait(
        self, published, three, monday, tuesday, director
    ):
        settle()

        first, second, third = three
        assert [seat_of(case) for case in three] == [monday, tuesday, None]
        assert waits_of(first) == [
            (monday, WaitingState.ACCEPTED, 1),
            (tuesday, WaitingState.LEFT, 1),
        ]
        assert waits_of(second) == [
            (monday, WaitingState.WAITING, 2),
            (tuesday, WaitingState.ACCEPTED, 2),
        ]
        assert waits_of(third) == [
            (monday, WaitingState.WAITING, 3),
            (tuesday, WaitingState.WAITING, 3),
        ]
        assert (published.published_by, Hold.objects.count()) == (director, 0)
        assert list(violations()) == []

    def test_keeps_the_places_until_all_sit(self, published, three, monday, tuesday):
        assert [held.place.slot for held in Hold.objects.order_by("pk")] == [monday, tuesday]
        passer_by = StudentFactory()
        code = code_of(students.claim, passer_by, monday, cycle="c1", ahead=True)
        assert code == "slot_full"
        assert waiting.offer_next() == 0

        allotments.seat_next()
        assert allotments.tell_next() is None
        assert not results().exists()

    def test_a_change_by_hand_is_given_and_the_wishes_wait(
        self, ranking, trial, three, wednesday, monday, tuesday, registrar, director
    ):
        allotments.change(
            allocation_of(trial, three[2]), wednesday, reason="Santé.", actor=registrar
        )
        ranking.close()
        allotments.publish(trial, actor=director)
        settle()

        assert seat_of(three[2]) == wednesday
        waiting_for = WaitingEntry.objects.live().filter(student=three[2].student)
        assert [entry.slot for entry in waiting_for] == [monday, tuesday]
        served = WaitingMove.objects.get(slot=wednesday, to_state=WaitingState.ACCEPTED)
        assert (served.actor, served.reason) == (registrar, "Santé.")

    def test_tells_each_responsable_once(self, published, three, parent, monday):
        settle()
        Allocation.objects.update(told_at=None)  # the sender died after its commit
        settle()

        first, second, third = (
            results().get(key__contains=f":{published.pk}:{case.reenrolment.pk}:") for case in three
        )
        assert results().count() == 3
        assert first.to == parent.email
        assert f"{monday} : votre vœu n° 1 sur 2." in first.body
        assert "En attente" not in first.body
        assert "votre vœu n° 2 sur 2." in second.body
        assert f"- {monday} (rang 1 sur 2)" in second.body
        assert "pas encore de place." in third.body
        assert f"- {monday} (rang 2 sur 2)" in third.body
        assert "numéro de tirage 3" in third.body

    def test_a_place_that_frees_itself_goes_by_the_draw(self, published, three, monday, parent):
        settle()
        submission.withdraw(three[0].reenrolment, actor=parent)

        assert waiting.offer_next() == 1
        offered = WaitingEntry.objects.get(state=WaitingState.OFFERED)
        assert (offered.student, offered.slot) == (three[1].student, monday)
        waiting.accept(offered, actor=parent)
        assert seat_of(three[1]) == monday

    def test_the_sender_of_mails_does_it_all(self, published, three, monday, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        call_command("send_mails")

        assert seat_of(three[0]) == monday
        assert results().filter(sent_at__isnull=False).count() == 3

    def test_refuses_before_the_closing(self, trial, director):
        assert code_of(allotments.publish, trial, actor=director) == "not_closed"

    def test_refuses_twice(self, ranking, published, director):
        assert code_of(allotments.publish, published, actor=director) == "published"

    def test_refuses_another_run_once_one_is_published(self, ranking, trial, registrar, director):
        other = allotments.run(ranking.campaign, actor=registrar)
        ranking.close()
        allotments.publish(trial, actor=director)

        assert code_of(allotments.publish, other, actor=director) == "published"

    def test_refuses_when_a_seat_is_gone_and_names_its_slot(
        self, ranking, trial, three, monday, director
    ):
        ranking.close()
        EnrolmentFactory(course=ranking.course, place=monday.places.get())

        with pytest.raises(ValidationError) as refusal:
            allotments.publish(trial, actor=director)
        assert refusal.value.error_list[0].code == "slot_full"
        assert refusal.value.messages == [
            f"Le créneau «\u00a0{monday}\u00a0» n'a plus assez de places\u00a0: 1 attribuée, "
            "0 libre."
        ]
        assert not Hold.objects.exists()
        trial.refresh_from_db()
        assert trial.published_at is None

    def test_refuses_when_wishes_have_changed_since(
        self, ranking, trial, three, tuesday, parent, director
    ):
        ranking.wish(three[0], tuesday, actor=parent)
        ranking.close()

        with pytest.raises(ValidationError) as refusal:
            allotments.publish(trial, actor=director)
        assert refusal.value.code == "outdated"
        assert three[0].reenrolment.reference in refusal.value.messages[0]

    def test_refuses_when_a_dossier_has_come_since(
        self, ranking, trial, monday, parent, family, director
    ):
        ranking.deposit(monday, actor=parent, family=family)
        ranking.close()

        assert code_of(allotments.publish, trial, actor=director) == "outdated"

    def test_refuses_a_student_placed_at_that_time_since(self, ranking, trial, three, director):
        choir = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.MONDAY)
        EnrolmentFactory(student=three[0].student, course=choir.course, place=choir.places.get())
        ranking.close()

        assert code_of(allotments.publish, trial, actor=director) == "clash"

    def test_leaves_out_whoever_has_withdrawn_since(
        self, ranking, trial, three, monday, parent, director
    ):
        submission.withdraw(three[0].reenrolment, actor=parent)
        ranking.close()
        allotments.publish(trial, actor=director)
        settle()

        assert waiting.offer_next() == 1  # to the next of the draw
        offered = WaitingEntry.objects.get(state=WaitingState.OFFERED)
        assert (offered.student, offered.slot) == (three[1].student, monday)
        assert list(violations()) == []

    def test_a_withdrawal_before_the_seat_is_given_leaves_the_place_to_the_list(
        self, published, three, monday, parent
    ):
        submission.withdraw(three[0].reenrolment, actor=parent)
        settle()

        assert results().count() == 2
        assert not Hold.objects.exists()
        assert waiting.offer_next() == 1

    def test_whoever_is_placed_by_hand_before_the_seat_is_given_stays_there(
        self, published, three, wednesday, monday
    ):
        choice = three[0].choice(three[0].theory)
        decisions.place(choice, course=wednesday.course, slot=wednesday)
        settle()

        assert seat_of(three[0]) == wednesday
        assert monday.places.get().pk not in Hold.objects.values_list("place", flat=True)
        assert list(violations()) == []

    def test_what_goes_wrong_with_one_dossier_is_noted_and_the_others_sit(
        self, published, three, tuesday
    ):
        choir = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.MONDAY)
        EnrolmentFactory(student=three[0].student, course=choir.course, place=choir.places.get())
        settle()

        row = allocation_of(published, three[0])
        assert "est en même temps que" in row.problem
        assert seat_of(three[0]) is None
        assert seat_of(three[1]) == tuesday
        assert results().count() == 2

    def test_a_fault_of_ours_is_noted_too(self, published, three, tuesday, monkeypatch, caplog):
        place = students.place

        def fail_once(enrolment, slot, **kwargs):
            if enrolment.student == three[0].student:
                raise RuntimeError
            return place(enrolment, slot, **kwargs)

        monkeypatch.setattr(students, "place", fail_once)
        settle()

        problem = allocation_of(published, three[0]).problem
        assert problem == "Place impossible à donner (RuntimeError)."
        assert seat_of(three[1]) == tuesday
        assert "could not be seated" in caplog.text

    def test_a_dossier_is_seated_in_all_its_courses_or_none(self, published, three, monkeypatch):
        def die(*args, **kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr(students, "let_go", die)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            allotments.seat_next()
        assert Allocation.objects.to_settle().count() == 3
        assert [seat_of(case) for case in three] == [None, None, None]


def test_a_sister_on_the_same_day_counts_from_one_course_to_the_next(
    ranking, monday, tuesday, parent, family, registrar
):
    """The instrument comes after « Formation musicale »; the stranger has the better number."""
    ranking.campaign.waiting_criteria.create(position=1, criterion=Criterion.SIBLING)
    violin = CourseFactory(coming=True, name="Violon")
    late = {"starts_at": dt.time(20), "ends_at": dt.time(21)}
    slot = SlotFactory(course=violin, weekday=Weekday.MONDAY, **late)
    brother = ranking.deposit(monday, actor=parent, family=family)
    strings = Ranking(ranking.campaign, violin, [slot])
    sister = strings.deposit(slot, actor=parent, family=family)
    alone = strings.deposit(slot, actor=parent)
    for seed in "abcdef":
        plan = given(allotments.run(ranking.campaign, seed=seed, actor=registrar))
        assert plan == {brother.student: monday, sister.student: slot, alone.student: None}


def test_a_brother_who_sits_already_counts_on_his_day(
    ranking, monday, tuesday, parent, family, registrar
):
    ranking.campaign.waiting_criteria.create(position=1, criterion=Criterion.SIBLING)
    seat = SlotFactory(course=CourseFactory(coming=True), weekday=Weekday.MONDAY)
    brother = StudentFactory(family=family)
    EnrolmentFactory(student=brother, course=seat.course, place=seat.places.get())
    sister = ranking.deposit(monday, actor=parent, family=family)
    alone = ranking.deposit(monday, actor=parent)
    for seed in "abcdef":
        plan = given(allotments.run(ranking.campaign, seed=seed, actor=registrar))
        assert plan == {sister.student: monday, alone.student: None}


def test_the_database_publishes_one_run_of_a_campaign(ranking, trial, published, registrar):
    with pytest.raises(IntegrityError), transaction.atomic():
        Allotment.objects.create(
            campaign=ranking.campaign,
            seed="x",
            made_at=timezone.now(),
            made_by=registrar,
            published_at=timezone.now(),
            published_by=registrar,
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Allotment.objects.filter(pk=published.pk).update(published_by=None)


def test_the_copy_of_a_household_holds_the_result_and_no_trial(
    ranking, trial, three, registrar, director, parent, family, monday, tuesday
):
    allotments.change(allocation_of(trial, three[1]), None, reason="Santé.", actor=registrar)
    again = allotments.run(ranking.campaign, seed="graine", actor=registrar)
    ranking.close()
    allotments.publish(again, actor=director)
    settle()

    data, _ = copy_of(family)

    (dossier,) = (d for d in data["dossiers"] if d["référence"] == three[1].reenrolment.reference)
    results = [result for wish in dossier["vœux"] for result in wish["répartition"]]
    assert [(each["créneau"], each["numéro de tirage"]) for each in results] == [(str(tuesday), 2)]
    assert results[0]["vœux classés"] == [
        {"créneau": monday.within_course, "sort": "complet"},
        {"créneau": tuesday.within_course, "sort": "obtenu"},
    ]
