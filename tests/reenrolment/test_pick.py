"""A slot picked, which the script sends alone to an address of its own: the page's own rules."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from reenrolment.enums import CampaignMode, Status
from reenrolment.models import Campaign, CourseChoice, Reenrolment
from students.closing import close
from students.enums import Scheduling, WaitingState, Weekday
from students.models import Course, Hold, Slot
from tests.factories import CourseFactory, CustodyFactory, EnrolmentFactory, SlotFactory
from tests.reenrolment.waiting_cases import free, make_full, wait_for

SHOWN = {"wanted": "False", "slot_id": "", "stop_reason": ""}  # by a page just opened


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


def line(case, slot=None, *, shown=SHOWN, wanted=True, enrolment=None, **changes):
    """What the script sends of one line, opened as `shown`, once a slot is picked in it."""
    section = f"course-{(enrolment or case.theory).pk}"
    sent = {f"initial-{section}-{name}": value for name, value in shown.items()}
    sent |= {f"{section}-wanted": "on"} if wanted else {}
    sent |= {f"{section}-slot_id": "" if slot is None else str(slot.pk)}
    return {"line": section} | sent | {f"{section}-{name}": v for name, v in changes.items()}


def pick(client, case, slot=None, **how):
    return client.post(reverse("reenrolment:pick", args=[case.student.pk]), line(case, slot, **how))


def seen(slot):
    """A page on which that slot is picked."""
    return {"wanted": "True", "slot_id": str(slot.pk), "stop_reason": ""}


def of_line(response):
    """The form of the one line that is answered."""
    [form] = response.context["forms"].choices
    return form


class TestPicking:
    def test_holds_the_place_and_answers_with_what_has_changed(self, home, case):
        response = pick(home, case, case.slot)

        assert response.status_code == 200
        assert case.choice(case.theory).slot == case.slot
        assert Hold.objects.get().place.slot == case.slot
        content = response.text
        assert "place réservée pour vous" in content
        assert 'id="holds"' in content
        assert "La semaine" in content
        assert f'name="initial-course-{case.theory.pk}-slot_id"' in content
        assert of_line(response).shown["slot_id"] == str(case.slot.pk)

    def test_saves_that_line_and_nothing_else(self, home, case):
        case.fill_in(slot_id=None)
        Reenrolment.objects.update(comment="Le mien.", administrative=True)
        others = list(CourseChoice.objects.exclude(enrolment=case.theory).values())
        posted = line(case, case.slot, shown=SHOWN | {"wanted": "True"}) | {
            "comment": "Un autre.",
            "initial-comment": "Le mien.",
            f"course-{case.choir.pk}-stop_reason": "Un autre.",
            "check": "",
        }

        home.post(reverse("reenrolment:pick", args=[case.student.pk]), posted)

        assert (case.reenrolment.comment, case.reenrolment.administrative) == ("Le mien.", True)
        assert list(CourseChoice.objects.exclude(enrolment=case.theory).values()) == others
        assert case.choice(case.theory).slot == case.slot

    def test_another_slot_gives_the_first_back(self, home, case):
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        pick(home, case, case.slot)

        pick(home, case, other, shown=seen(case.slot))

        assert [held.place.slot for held in Hold.objects.all()] == [other]

    def test_none_gives_it_back(self, home, case):
        pick(home, case, case.slot)

        response = pick(home, case, None, shown=seen(case.slot))

        assert response.status_code == 200
        assert not Hold.objects.exists()

    def test_twice_changes_nothing(self, home, case):
        pick(home, case, case.slot)
        until = Hold.objects.get().until

        response = pick(home, case, case.slot)

        assert response.status_code == 200
        assert Hold.objects.get().until == until

    def test_a_hold_whose_time_is_over_is_said_and_picked_again(self, home, case):
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        pick(home, case, case.slot)
        case.let_holds_end()

        response = pick(home, case, other, shown=seen(case.slot))

        assert Hold.objects.get().until > timezone.now()
        assert "Le temps de réservation est passé" not in response.text

    def test_the_waiting_ends_with_the_place(self, home, case):
        make_full(case)
        [entry] = wait_for(case, None)
        free(case.slot)

        pick(home, case, case.slot, shown=SHOWN | {"wanted": "True"})

        entry.refresh_from_db()
        assert entry.state == WaitingState.ACCEPTED
        assert not case.student.waiting_entries.live().exists()
        assert Hold.objects.get().place.slot == case.slot


class TestRefusals:
    def test_a_full_slot_is_told_beside_it(self, home, case, rival):
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        pick(home, case, other)
        rival.fill_in()

        response = pick(home, case, case.slot, shown=seen(other))

        assert response.status_code == 200
        form = of_line(response)
        assert "complet" in form.slot_messages[0]
        assert [value for value, _, chosen in form.slot_options if chosen] == [str(other.pk)]
        assert form.shown["slot_id"] == str(other.pk)
        assert case.choice(case.theory).slot == other
        assert other.places.get().hold.student == case.student

    def test_one_closed_by_the_administration(self, home, case):
        close(case.slot)

        assert of_line(pick(home, case, case.slot)).slot_messages
        assert not Hold.objects.exists()

    def test_one_at_the_hour_of_another_course_stays_typed(self, home, case):
        coming = CourseFactory(coming=True, name="Orchestre")
        same_hour = SlotFactory(course=coming)
        orchestra = EnrolmentFactory(student=case.student, course=CourseFactory(next_course=coming))
        pick(home, case, case.slot)

        response = pick(home, case, same_hour, enrolment=orchestra)

        form = of_line(response)
        assert "en même temps que" in form.slot_messages[0]
        assert [value for value, _, chosen in form.slot_options if chosen] == [str(same_hour.pk)]
        assert [held.place.slot for held in Hold.objects.all()] == [case.slot]

    def test_one_for_another_age(self, home, case):
        Slot.objects.filter(pk=case.slot.pk).update(age_from=60)

        assert of_line(pick(home, case, case.slot)).slot_messages
        assert not Hold.objects.exists()

    def test_one_that_others_wait_for(self, home, case, rival):
        make_full(case)
        wait_for(rival, case.slot)
        free(case.slot)

        assert of_line(pick(home, case, case.slot)).slot_messages
        assert not Hold.objects.exists()

    def test_one_of_another_course(self, home, case):
        foreign = SlotFactory(course=CourseFactory(coming=True))

        assert of_line(pick(home, case, foreign)).slot_messages
        assert not Hold.objects.exists()

    def test_one_of_a_course_that_the_administration_places(self, home, case, choir_slot):
        response = pick(home, case, choir_slot, enrolment=case.choir)

        assert of_line(response).slot_messages
        assert not Hold.objects.exists()

    def test_one_whose_course_the_teacher_schedules_by_now(self, home, case):
        Course.objects.filter(pk=case.slot.course_id).update(scheduling=Scheduling.TEACHER)

        assert of_line(pick(home, case, case.slot)).slot_messages

    def test_one_where_the_slots_are_ranked(self, home, case):
        Campaign.objects.update(mode=CampaignMode.ALLOTMENT)

        assert pick(home, case, case.slot).status_code == 200
        assert not Hold.objects.exists()

    @pytest.mark.parametrize("key", ["999999999", "0", "9" * 18])
    def test_one_that_does_not_exist(self, home, case, key):
        theory = f"course-{case.theory.pk}-slot_id"

        response = home.post(
            reverse("reenrolment:pick", args=[case.student.pk]), line(case) | {theory: key}
        )

        assert of_line(response).slot_messages
        assert not Hold.objects.exists()


class TestNothingIsSaved:
    """409: the script then sends the whole form, whose page says why."""

    def test_by_what_the_other_parent_saved_meanwhile(self, home, case):
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
        pick(home, case, case.slot)

        response = pick(home, case, other)

        assert response.status_code == 409
        assert case.choice(case.theory).slot == case.slot

    @pytest.mark.parametrize(("opens", "closes"), [(1, 2), (-2, -1)])
    def test_outside_the_period(self, home, case, opens, closes):
        now = timezone.now()
        Campaign.objects.update(
            opens_at=now + dt.timedelta(hours=opens), closes_at=now + dt.timedelta(hours=closes)
        )

        assert pick(home, case, case.slot).status_code == 409
        assert not Reenrolment.objects.exists()

    def test_once_the_dossier_is_submitted(self, home, case, submitted):
        other = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)

        assert pick(home, case, other, shown=seen(case.slot)).status_code == 409
        assert submitted.status == Status.SUBMITTED
        assert case.choice(case.theory).slot == case.slot

    @pytest.mark.parametrize("key", ["é", "1\x00", "-1", "1e3", "9" * 5000])
    def test_by_what_is_no_key(self, home, case, key):
        theory = f"course-{case.theory.pk}-slot_id"

        response = home.post(
            reverse("reenrolment:pick", args=[case.student.pk]), line(case) | {theory: key}
        )

        assert response.status_code == 409
        assert not Reenrolment.objects.exists()

    def test_by_a_reason_too_long(self, home, case):
        response = pick(home, case, None, wanted=False, stop_reason="x" * 201)

        assert response.status_code == 409


class TestSomebodyElses:
    def test_students_are_not_found(self, home, rival):
        assert pick(home, rival, rival.slot).status_code == 404
        assert not Reenrolment.objects.exists()

    def test_lines_are_not_found(self, home, case, rival):
        response = pick(home, case, case.slot, enrolment=rival.theory)

        assert response.status_code == 404
        assert not Reenrolment.objects.exists()

    @pytest.mark.parametrize("name", ["", "administrative", "course-", "course-x", "course-1\x00"])
    def test_nor_what_names_no_line(self, home, case, name):
        response = home.post(
            reverse("reenrolment:pick", args=[case.student.pk]), line(case) | {"line": name}
        )

        assert response.status_code == 404

    def test_either_household_of_the_student_picks(self, client, case, stranger):
        CustodyFactory(student=case.student, family=stranger.guardian.family, rank=2)
        client.force_login(stranger)

        assert pick(client, case, case.slot).status_code == 200
        assert Hold.objects.get().student == case.student


def test_by_get_one_is_led_to_the_page(home, case):
    response = home.get(reverse("reenrolment:pick", args=[case.student.pk]))

    assert response.url == reverse("reenrolment:edit", args=[case.student.pk])


def test_without_a_campaign_there_is_nothing_to_pick(home, student):
    assert home.post(reverse("reenrolment:pick", args=[student.pk])).status_code == 404


@pytest.mark.parametrize("slots", [1, 3])
def test_as_many_queries_whatever_the_slots(home, case, django_assert_num_queries, slots):
    SlotFactory.create_batch(slots - 1, course=case.slot.course, weekday=Weekday.FRIDAY)
    case.fill_in(slot_id=None)
    shown = SHOWN | {"wanted": "True"}
    pick(home, case, None, shown=shown)

    # The session, the account, its site, the household, the campaign; the dossier, its lines, the
    # slot, what the student has, what he picked, the free place, the hold, the line; the rows, the
    # slots, the week; and the test's own two for a transaction within its own.
    with django_assert_num_queries(18):
        pick(home, case, case.slot, shown=shown)


class TestPartsOfThePage:
    """What the script asks for when it saves the whole form."""

    def test_are_answered_instead_of_a_redirection(self, home, case):
        data = {"initial-administrative": "False", "administrative": "on"}

        response = home.post(
            reverse("reenrolment:edit", args=[case.student.pk]), data, headers={"X-Parts": "1"}
        )

        assert response.status_code == 200
        assert "<html" not in response.text
        assert response.context["forms"].dossier.shown["administrative"] == "True"
        assert len(response.context["forms"].choices) == 2
        assert case.reenrolment.administrative

    def test_an_error_is_the_whole_page_s(self, home, case):
        data = {"initial-comment": "", "comment": "x" * 1001}

        response = home.post(
            reverse("reenrolment:edit", args=[case.student.pk]), data, headers={"X-Parts": "1"}
        )

        assert "<html" in response.text
        assert response.context["errors"]

    def test_a_dossier_sent_meanwhile_is_the_whole_page_s(self, home, case, submitted):
        response = home.post(
            reverse("reenrolment:edit", args=[case.student.pk]), {}, headers={"X-Parts": "1"}
        )

        assert "<html" in response.text


def test_other_families_picks_show(home, case, rival):
    """The places left in the line are those of this moment."""
    friday = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY, places=2)
    rival.fill_in(slot=friday)

    labels = [label for _, label, _ in of_line(pick(home, case, case.slot)).slot_options]

    assert any(label.endswith("(1 place)") for label in labels)
