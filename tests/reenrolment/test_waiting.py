"""A dossier waits for a place: wishes, the offer by mail, the answer."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from accounts.dates import moment
from accounts.enums import MailKind
from accounts.models import Mail
from reenrolment.enums import Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from reenrolment.services import decisions, drafts, submission, waiting
from reenrolment.services.drafts import Edit
from students import closing
from students import services as students
from students.enums import Cycle, Scheduling, WaitingState, Weekday
from students.models import Course, Enrolment, Hold, Slot, WaitingEntry
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import BLANK, make_case

pytestmark = pytest.mark.django_db


def fill(slot):
    """All the places of the slot are others'."""
    for place in slot.places.filter(enrolment=None):
        EnrolmentFactory(course=slot.course, place=place)


def free_one(slot):
    students.release(Enrolment.objects.filter(place__slot=slot).first())


def wish(case, *slots, actor=None):
    waiting.wish(case.campaign, case.student, case.slot.course, list(slots), actor=actor)
    return WaitingEntry.objects.live().filter(student=case.student).order_by("preference").first()


def code_of(function, *args, **kwargs):
    with pytest.raises(ValidationError) as refusal:
        function(*args, **kwargs)
    return refusal.value.code


def close(campaign):
    now = timezone.now()
    Campaign.objects.filter(pk=campaign.pk).update(
        opens_at=now - dt.timedelta(days=9), closes_at=now
    )


@pytest.fixture
def full(case):
    """The slot that the case would choose is full."""
    fill(case.slot)
    return case.slot


@pytest.fixture
def waiting_draft(case, full, parent):
    return wish(case, full, actor=parent)


@pytest.fixture
def waiting_dossier(case, full, parent):
    """Submitted without an hour, since nothing was left."""
    case.fill_in(slot_id=None)
    case.submit(parent)
    entry = wish(case, full, actor=parent)
    Mail.objects.all().delete()
    return entry


@pytest.fixture
def offered(waiting_dossier, full):
    free_one(full)
    waiting.offer_next()
    return WaitingEntry.objects.get(pk=waiting_dossier.pk)


class TestWish:
    def test_of_a_draft_wants_the_course(self, case, full):
        drafts.save_draft(case.campaign, case.student, {})

        wish(case, full)

        assert case.choice(case.theory).wanted

    def test_opens_the_dossier(self, case, full):
        wish(case, full)

        assert case.reenrolment.status == Status.DRAFT

    def test_of_a_dossier_deposited_keeps_its_place(self, case, parent, submitted):
        better = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        fill(better)

        wish(case, better)

        assert case.choice(case.theory).granted.slot == case.slot

    def test_a_course_that_is_not_proposed_is_refused(self, case):
        elsewhere = SlotFactory(course=CourseFactory(coming=True))

        code = code_of(
            waiting.wish, case.campaign, case.student, elsewhere.course, [elsewhere], actor=None
        )
        assert code == "not_proposed"

    def test_a_course_whose_hour_others_fix_is_refused(self, case, full):
        Course.objects.filter(pk=full.course_id).update(scheduling=Scheduling.ADMINISTRATION)
        case.slot.course.refresh_from_db()

        assert code_of(wish, case, full) == "not_proposed"

    def test_a_slot_for_another_age_is_refused(self, case, full):
        Slot.objects.filter(pk=full.pk).update(age_from=18)

        assert code_of(wish, case, full) == "not_suited"

    def test_a_slot_closed_to_the_families_is_refused(self, case, full):
        closing.close(full)

        assert code_of(wish, case, full) == "slot_closed"

    def test_any_slot_is_refused_where_one_is_for_another_age(self, case, full):
        SlotFactory(course=full.course, weekday=Weekday.FRIDAY, age_from=18)

        assert code_of(wish, case, None) == "not_suited"

    def test_outside_the_period_a_draft_is_refused(self, case, full):
        close(case.campaign)
        case.campaign.refresh_from_db()

        assert code_of(wish, case, full) == "closed"

    def test_after_the_closing_a_dossier_deposited_may(self, case, full, parent):
        case.fill_in(slot_id=None)
        case.submit(parent)
        close(case.campaign)

        assert wish(case, full).state == WaitingState.WAITING

    def test_of_a_withdrawn_dossier_is_refused(self, case, full, waiting_dossier, parent):
        submission.withdraw(case.reenrolment, actor=parent)

        assert code_of(wish, case, full) == "bad_transition"
        assert not WaitingEntry.objects.live().exists()

    def test_of_a_refused_dossier_ends(self, case, waiting_dossier, registrar):
        decisions.refuse(case.reenrolment, reason="Hors délai.", actor=registrar)

        assert not WaitingEntry.objects.live().exists()

    def test_a_course_that_stops_is_waited_for_no_more(self, case, full, waiting_draft):
        wanted = BLANK | {"wanted": True}
        drafts.save_draft(
            case.campaign, case.student, {f"course-{case.theory.pk}": Edit(wanted, BLANK)}
        )

        assert not WaitingEntry.objects.live().exists()


class TestOfferNext:
    def test_tells_each_responsable_once(self, case, parent, waiting_dossier, full):
        GuardianFactory(family=parent.guardian.family, first_name="Paul")
        free_one(full)

        assert waiting.offer_next() == 1

        mails = Mail.objects.filter(kind=MailKind.PLACE_OFFERED)
        assert mails.count() == 2
        assert str(full) in mails[0].body
        assert f"/reinscription/proposition/{waiting_dossier.pk}/" in mails[0].body
        assert "1 sur 1" in mails[0].body
        assert waiting.offer_next() == 0

    def test_is_run_by_the_mail_sender(self, waiting_dossier, full, mailoutbox):
        free_one(full)

        call_command("send_mails")

        assert [mail.subject.startswith("Une place est proposée") for mail in mailoutbox] == [True]

    def test_offers_every_place_that_is_free(self, case, parent):
        slot = SlotFactory(course=case.slot.course, places=3, weekday=Weekday.FRIDAY)
        fill(slot)
        fill(case.slot)
        family = parent.guardian.family
        cases = [case, *(make_case(StudentFactory(family=family), slot=slot) for _ in range(2))]
        for each in cases:
            wish(each, slot)
        for _ in range(2):
            free_one(slot)

        call_command("send_mails")

        states = WaitingEntry.objects.order_by("since").values_list("state", flat=True)
        assert list(states) == [
            WaitingState.OFFERED,
            WaitingState.OFFERED,
            WaitingState.WAITING,
        ]

    def test_asks_one_query_when_nobody_waits(self, case, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert waiting.offer_next() == 0

    def test_a_draft_of_a_closed_campaign_drops_out(self, case, waiting_draft, full, parent):
        deposited = make_case(StudentFactory(family=parent.guardian.family), slot=full)
        deposited.fill_in(slot_id=None)
        deposited.submit(parent)
        entry = wish(deposited, full)
        free_one(full)
        close(case.campaign)

        waiting.offer_next()

        waiting_draft.refresh_from_db()
        entry.refresh_from_db()
        assert (waiting_draft.state, entry.state) == (WaitingState.LEFT, WaitingState.OFFERED)
        assert "closes" in waiting_draft.moves.first().reason

    def test_to_a_draft_ends_with_the_campaign(self, case, waiting_draft, full, parent):
        """After the closing it could be neither accepted nor submitted."""
        closes_at = timezone.now() + dt.timedelta(hours=3)
        Campaign.objects.filter(pk=case.campaign.pk).update(closes_at=closes_at)
        free_one(full)
        Mail.objects.all().delete()

        waiting.offer_next()

        assert Hold.objects.get(entry=waiting_draft).until == closes_at
        (mail,) = Mail.objects.filter(to=parent.guardian.email)
        assert moment(closes_at) in mail.body
        waiting.accept(waiting_draft, actor=parent)
        assert Hold.objects.get().until == closes_at

    def test_to_a_dossier_deposited_runs_past_the_closing(self, case, waiting_dossier, full):
        close(case.campaign)
        free_one(full)

        waiting.offer_next()

        assert Hold.objects.get().until > timezone.now() + dt.timedelta(hours=47)

    def test_a_slot_closed_to_the_families_is_offered_once_it_is_open_again(
        self, waiting_dossier, full
    ):
        free_one(full)
        closing.close(full)

        assert waiting.offer_next() == 0
        closing.reopen(full)
        assert waiting.offer_next() == 1

    def test_any_slot_is_not_one_made_since_for_another_age(self, case, full):
        """Nor does it keep its places from others; of the slots for him, it goes on."""
        wish(case, None)
        adults = SlotFactory(course=full.course, weekday=Weekday.FRIDAY, age_from=18)

        assert waiting.offer_next() == 0
        students.claim(StudentFactory(), adults, cycle=Cycle.FIRST)
        free_one(full)
        assert waiting.offer_next() == 1

    def test_an_offer_that_ended_goes_to_the_next(self, case, offered, full, parent):
        second = make_case(StudentFactory(family=parent.guardian.family), slot=full)
        entry = wish(second, full)
        Hold.objects.filter(entry=offered).update(until=timezone.now())

        assert waiting.offer_next() == 1

        entry.refresh_from_db()
        assert entry.state == WaitingState.OFFERED


class TestAccept:
    def test_seats_the_dossier_deposited(self, case, offered, full, parent):
        waiting.accept(offered, actor=parent)

        granted = case.choice(case.theory).granted
        assert (granted.slot, granted.student) == (full, case.student)
        offered.refresh_from_db()
        assert offered.state == WaitingState.ACCEPTED
        mail = Mail.objects.get(kind=MailKind.PLACE_ACCEPTED)
        assert str(full) in mail.body
        assert "a été acceptée" in mail.body, "perhaps by the other parent"
        assert case.reenrolment.reference in mail.body

    def test_is_the_slot_picked_of_a_draft(self, case, waiting_draft, full, parent):
        free_one(full)
        waiting.offer_next()

        waiting.accept(waiting_draft, actor=parent)

        assert case.choice(case.theory).slot == full
        held = Hold.objects.get(student=case.student)
        assert held.until > timezone.now() + dt.timedelta(hours=47)
        mail = Mail.objects.get(kind=MailKind.PLACE_ACCEPTED)
        assert "n'est pas encore validé" in mail.body

    def test_of_a_draft_checking_or_prolonging_shortens_nothing(
        self, case, waiting_draft, full, parent
    ):
        """The mail gave the family two days; « Vérifier » keeps places for half an hour."""
        free_one(full)
        waiting.offer_next()
        waiting.accept(waiting_draft, actor=parent)
        until = Hold.objects.get().until

        drafts.keep_places(case.campaign, case.student)

        assert Hold.objects.get().until == until

    def test_of_a_draft_it_is_submitted_like_any_pick(self, case, waiting_draft, full, parent):
        case.fill_in(slot_id=None)
        free_one(full)
        waiting.offer_next()
        waiting.accept(waiting_draft, actor=parent)

        Reenrolment.objects.update(administrative=True)
        case.submit(parent)

        assert case.choice(case.theory).granted.slot == full
        assert not Hold.objects.exists()

    def test_moves_a_validated_dossier(self, case, placed, parent, registrar):
        decisions.validate(placed, actor=registrar)
        better = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        fill(better)
        entry = wish(case, better)
        free_one(better)
        waiting.offer_next()

        waiting.accept(entry, actor=parent)

        assert case.choice(case.theory).granted.slot == better
        assert case.slot.places.filter(enrolment=None).exists()

    def test_twice_is_refused(self, offered, parent):
        waiting.accept(offered, actor=parent)

        assert code_of(waiting.accept, offered, actor=parent) == "bad_transition"

    def test_too_late_is_refused(self, offered, parent, case):
        Hold.objects.filter(entry=offered).update(until=timezone.now())

        assert code_of(waiting.accept, offered, actor=parent) == "too_late"
        assert case.choice(case.theory).granted.slot is None

    def test_a_draft_after_the_closing_is_refused(self, case, waiting_draft, full, parent):
        free_one(full)
        waiting.offer_next()
        close(case.campaign)

        assert code_of(waiting.accept, waiting_draft, actor=parent) == "closed"

    def test_a_clash_is_refused_and_the_offer_stays(self, case, offered, full, parent):
        clashing = SlotFactory(course=CourseFactory(coming=True), weekday=full.weekday)
        students.claim(case.student, clashing, cycle="c1")

        assert code_of(waiting.accept, offered, actor=parent) == "clash"
        offered.refresh_from_db()
        assert offered.state == WaitingState.OFFERED

    def test_withdrawing_gives_the_offer_back(self, case, offered, full, parent):
        submission.withdraw(case.reenrolment, actor=parent)

        assert not Hold.objects.exists()
        assert code_of(waiting.accept, offered, actor=parent) == "bad_transition"


def test_an_agent_offers_to_whom_he_chooses(case, waiting_dossier, full, registrar, parent):
    second = make_case(StudentFactory(family=parent.guardian.family), slot=full)
    entry = wish(second, full)
    free_one(full)

    waiting.offer_to(entry, full, actor=registrar, reason="Fratrie de trois.")

    assert Mail.objects.filter(kind=MailKind.PLACE_OFFERED).count() == 1
    assert CourseChoice.objects.filter(reenrolment__student=second.student).exists()


def test_an_agent_offers_nothing_to_a_draft_that_cannot_accept(
    case, waiting_draft, full, registrar
):
    free_one(full)
    close(case.campaign)

    refused = code_of(waiting.offer_to, waiting_draft, full, actor=registrar, reason="")

    assert refused == "closed"
    assert not Hold.objects.exists()
