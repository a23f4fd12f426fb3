"""Picking a slot keeps a place while the family finishes its dossier."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from reenrolment.enums import Status
from reenrolment.models import Campaign
from reenrolment.services import drafts, submission
from reenrolment.services.drafts import Edit, Refusal
from students import services as students
from students.enums import EnrolmentStatus, Weekday
from students.models import Course, Enrolment, Hold
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    SlotFactory,
)
from tests.reenrolment.conftest import BLANK
from tests.reenrolment.test_edit import page_data, url


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def section(case):
    return f"course-{case.theory.pk}"


def picked(case, **changes):
    return BLANK | {"wanted": True, "slot_id": case.slot.pk} | changes


def change(case, before, after):
    return drafts.save_draft(case.campaign, case.student, {section(case): Edit(before, after)})


class TestPicking:
    def test_keeps_the_place_for_as_long_as_the_campaign_says(self, case):
        Campaign.objects.update(hold_minutes=45)
        case.campaign.refresh_from_db()
        before = timezone.now()

        case.fill_in()

        minutes = (Hold.objects.get().until - before) / dt.timedelta(minutes=1)
        assert 45 <= minutes < 46

    def test_never_past_the_closing(self, case):
        closes_at = timezone.now() + dt.timedelta(minutes=3)
        Campaign.objects.update(closes_at=closes_at)
        case.campaign.refresh_from_db()

        case.fill_in()

        assert Hold.objects.get().until == closes_at

    def test_a_place_that_another_family_holds_saves_the_other_sections(self, case, rival):
        case.fill_in()

        [refusal] = rival.fill_in()

        assert isinstance(refusal, Refusal)
        assert (refusal.section, refusal.error.code) == (section(rival), "slot_full")
        assert rival.reenrolment.administrative
        assert not rival.choice(rival.theory).wanted
        assert rival.choice(rival.choir).wanted

    def test_another_slot_gives_the_first_back(self, case, rival):
        case.fill_in()
        other = SlotFactory(course=case.slot.course, group="B")

        assert change(case, picked(case), picked(case, slot_id=other.pk)) == []

        assert rival.fill_in() == []

    def test_another_slot_that_is_full_keeps_the_first_and_its_place(self, case):
        case.fill_in()
        full = SlotFactory(course=case.slot.course, group="B", places=0)

        [refusal] = change(case, picked(case), picked(case, slot_id=full.pk))

        assert refusal.error.code == "slot_full"
        assert case.choice(case.theory).slot == case.slot
        assert Hold.objects.get().place.slot == case.slot

    @pytest.mark.parametrize("after", [{"slot_id": None}, {"wanted": False, "slot_id": None}])
    def test_unpicking_gives_the_place_back(self, case, after):
        case.fill_in()

        change(case, picked(case), picked(case, **after))

        assert not Hold.objects.exists()

    def test_saving_something_else_prolongs_nothing(self, case):
        case.fill_in()
        until = Hold.objects.get().until

        drafts.save_draft(
            case.campaign, case.student, {"comment": Edit({"comment": ""}, {"comment": "Merci"})}
        )

        assert Hold.objects.get().until == until

    def test_a_course_that_he_follows_already_is_refused_at_once(self, case):
        students.enrol_without_place(case.student, case.slot.course, cycle="c1")

        [refusal] = case.fill_in()

        assert refusal.error.code == "already_enrolled"


class TestExchangingHours:
    """Two courses of one student, of which each takes the hour of the other, in one save."""

    @pytest.fixture
    def hours(self, case):
        """Of each course, its lessons on Monday and Tuesday; both are taken, one by each course."""
        theory, orchestra = case.slot.course, CourseFactory(coming=True, name="Orchestre")
        followed = EnrolmentFactory(
            student=case.student, course=CourseFactory(next_course=orchestra)
        )
        monday, tuesday = Weekday.MONDAY, Weekday.TUESDAY
        slots = {
            (f"course-{enrolment.pk}", day): SlotFactory(course=course, weekday=day, places=2)
            for enrolment, course in [(case.theory, theory), (followed, orchestra)]
            for day in (monday, tuesday)
        }
        mine, other = [f"course-{enrolment.pk}" for enrolment in (case.theory, followed)]
        assert not self.move(case, slots, {mine: (None, monday), other: (None, tuesday)})
        return slots, mine, other

    @staticmethod
    def move(case, slots, days):
        def values(section, day):
            return BLANK | ({"wanted": True, "slot_id": slots[section, day].pk} if day else {})

        edits = {
            section: Edit(values(section, before), values(section, after))
            for section, (before, after) in days.items()
        }
        return drafts.save_draft(case.campaign, case.student, edits)

    @staticmethod
    def held():
        return {hold.place.slot for hold in Hold.objects.filter(until__gt=timezone.now())}

    def test_is_saved_and_both_are_held(self, case, hours):
        slots, mine, other = hours
        monday, tuesday = Weekday.MONDAY, Weekday.TUESDAY

        unsaved = self.move(case, slots, {mine: (monday, tuesday), other: (tuesday, monday)})

        assert unsaved == []
        assert self.held() == {slots[mine, tuesday], slots[other, monday]}
        assert case.choice(case.theory).slot == slots[mine, tuesday]

    def test_so_is_the_hour_that_the_other_leaves_for_a_third(self, case, hours):
        slots, mine, other = hours
        monday, tuesday, friday = Weekday.MONDAY, Weekday.TUESDAY, Weekday.FRIDAY
        slots[other, friday] = SlotFactory(course=slots[other, monday].course, weekday=friday)

        unsaved = self.move(case, slots, {mine: (monday, tuesday), other: (tuesday, friday)})

        assert unsaved == []
        assert self.held() == {slots[mine, tuesday], slots[other, friday]}

    def test_a_full_slot_leaves_both_where_they_were(self, case, hours):
        slots, mine, other = hours
        monday, tuesday = Weekday.MONDAY, Weekday.TUESDAY
        slots[other, monday].places.all().delete()

        unsaved = self.move(case, slots, {mine: (monday, tuesday), other: (tuesday, monday)})

        assert {refusal.section for refusal in unsaved} == {mine, other}
        assert self.held() == {slots[mine, monday], slots[other, tuesday]}
        assert case.choice(case.theory).slot == slots[mine, monday]

    def test_both_at_one_hour_is_still_a_clash(self, case, hours):
        slots, mine, other = hours
        monday, tuesday, friday = Weekday.MONDAY, Weekday.TUESDAY, Weekday.FRIDAY
        for section in (mine, other):
            slots[section, friday] = SlotFactory(
                course=slots[section, monday].course, weekday=friday
            )

        [refusal] = self.move(case, slots, {mine: (monday, friday), other: (tuesday, friday)})

        assert refusal.error.code == "clash"
        assert len(self.held()) == 2


class TestKeeping:
    def test_prolongs_what_is_held(self, case):
        case.fill_in()
        soon = timezone.now() + dt.timedelta(minutes=1)
        Hold.objects.update(until=soon)

        drafts.keep_places(case.campaign, case.student)

        assert Hold.objects.get().until > soon

    def test_holds_again_what_is_still_free(self, case):
        case.fill_in()
        case.let_holds_end()

        drafts.keep_places(case.campaign, case.student)

        assert Hold.objects.get().until > timezone.now()

    def test_leaves_to_the_other_family_what_it_took(self, case, rival):
        case.fill_in()
        case.let_holds_end()
        rival.fill_in()

        drafts.keep_places(case.campaign, case.student)

        assert [held.student for held in Hold.objects.all()] == [rival.student]

    @pytest.mark.parametrize("jury", [False, True])
    def test_not_a_slot_that_is_proposed_no_more(self, case, jury):
        """The administration, or the jury, has said meanwhile what follows."""
        case.fill_in()
        until = Hold.objects.get().until
        other = CourseFactory(coming=True)
        if jury:
            Enrolment.objects.filter(pk=case.theory.pk).update(next_course=other)
        else:
            Course.objects.filter(pk=case.theory.course_id).update(next_course=other)

        drafts.keep_places(case.campaign, case.student)

        assert Hold.objects.get().until == until

    def test_only_while_the_campaign_is_open(self, case):
        case.fill_in()
        Campaign.objects.update(closes_at=timezone.now())
        case.campaign.refresh_from_db()

        with pytest.raises(ValidationError) as caught:
            drafts.keep_places(case.campaign, case.student)

        assert caught.value.code == "closed"

    def test_not_once_the_dossier_is_submitted(self, case, submitted):
        with pytest.raises(ValidationError) as caught:
            drafts.keep_places(case.campaign, case.student)

        assert caught.value.code == "not_draft"


class TestSubmitting:
    def test_the_hold_becomes_the_request(self, case, parent):
        case.fill_in()
        place = Hold.objects.get().place

        case.submit(parent)

        granted = Enrolment.objects.get(student=case.student, course=case.slot.course)
        assert (granted.place, granted.status) == (place, EnrolmentStatus.REQUESTED)
        assert not Hold.objects.exists()

    def test_late_it_claims_again(self, case, parent):
        case.fill_in()
        case.let_holds_end()

        case.submit(parent)

        assert case.reenrolment.status == Status.SUBMITTED

    def test_taking_up_a_withdrawn_dossier_holds_its_slots_again(self, case, parent):
        case.fill_in()
        dossier = submission.withdraw(case.submit(parent), actor=parent)
        assert not Hold.objects.exists()

        submission.take_up(dossier, actor=parent)

        assert Hold.objects.get().place.slot == case.slot


class TestThePage:
    def test_says_until_when_and_offers_to_prolong(self, home, case):
        case.fill_in()

        response = home.get(url(case.student))

        page = response.context["page"]
        assert page.held_until == Hold.objects.get().until
        content = response.content.decode()
        assert "Prolonger de 30&nbsp;minutes" in content
        assert f"{case.slot} (place réservée pour vous)" in content

    def test_prolonging_saves_everything_and_says_the_hour(self, home, case):
        case.fill_in()
        data = page_data(home.get(url(case.student)))

        response = home.post(
            url(case.student), data | {"comment": "Merci", "keep": ""}, follow=True
        )

        [message] = response.context["messages"]
        assert str(message).startswith("Vos places sont réservées jusqu'à ")
        assert case.reenrolment.comment == "Merci"

    def test_verifying_prolongs_too(self, home, case):
        case.fill_in()
        case.let_holds_end()
        data = page_data(home.get(url(case.student)))

        response = home.post(url(case.student), data | {"check": ""}, follow=True)

        assert response.context["page"].held_until
        assert "Vos places sont réservées" in response.content.decode()

    def test_says_that_the_time_is_over(self, home, case):
        case.fill_in()
        case.let_holds_end()

        content = home.get(url(case.student)).content.decode()

        assert "Le temps de réservation est passé" in content
        assert "Réserver à nouveau" in content

    def test_a_place_held_by_another_family_is_not_offered(self, home, case, rival):
        rival.fill_in()

        [row, *_] = [
            row
            for row in home.get(url(case.student)).context["page"].rows
            if row.course == case.slot.course
        ]

        assert row.slots == []

    def test_a_slot_that_is_full_leaves_the_one_held_selected(self, home, case, rival):
        """Nothing selected, saving again would give the place back that the family still has."""
        case.fill_in()
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        typed = page_data(home.get(url(case.student)))
        typed[f"{section(case)}-slot_id"] = str(other.pk)
        rival.fill_in(slot=other)

        response = home.post(url(case.student), typed)

        [(field, _)] = response.context["errors"]
        assert field == f"id_{section(case)}-slot_id"
        forms = {form.prefix: form for form in response.context["forms"].choices}
        options = forms[section(case)].slot_options
        assert [value for value, _, chosen in options if chosen] == [str(case.slot.pk)]

    def test_a_slot_filled_between_page_and_save_is_told_beside_it(self, home, case, rival):
        data = page_data(home.get(url(case.student)))
        rival.fill_in()
        chosen = {
            f"{section(case)}-wanted": "on",
            f"{section(case)}-slot_id": str(case.slot.pk),
            "comment": "Le lundi si possible",
        }

        response = home.post(url(case.student), data | chosen)

        assert [field for field, _ in response.context["errors"]] == [f"id_{section(case)}-slot_id"]
        assert case.reenrolment.comment == "Le lundi si possible"
        assert not case.choice(case.theory).wanted
