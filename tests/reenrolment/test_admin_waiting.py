"""The waiting lists as the staff see them: the line of a slot, its exceptions, its log."""

import datetime as dt
import re

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from imuse import invariants
from reenrolment.models import Campaign, WaitingCriterion
from reenrolment.services import decisions, submission
from reenrolment.services import waiting as reenrolment_waiting
from students import closing, services, waiting
from students.enums import Criterion, Cycle, EnrolmentStatus, WaitingState, Weekday
from students.models import Enrolment, Hold, WaitingEntry, WaitingMove
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.dossier_pages import action, page_of, told

LIST = reverse("admin:students_waitingentry_changelist")
WHY = "Situation familiale signalée par l'école."


@pytest.fixture
def slot(establishment):
    """One place, taken, of a course that an open campaign prepares."""
    CampaignFactory()
    slot = SlotFactory(course=CourseFactory(coming=True, name="Formation musicale C1-3"))
    EnrolmentFactory(course=slot.course, place=slot.places.get())
    return slot


def free(slot):
    """Whoever sat there has gone, and nobody has offered the place yet."""
    services.release(Enrolment.objects.get(place__slot=slot))


def wait(student, *slots):
    """Waits for the slots, in that order; gives the wish for the first."""
    waiting.set_wishes(student, slots[0].course, slots, actor=None)
    return WaitingEntry.objects.live().get(student=student, slot=slots[0])


@pytest.fixture
def line(slot):
    """Anna, Basile and Chloé wait, in this order; each has a guardian who reads mails."""
    entries = []
    for first_name in ("Anna", "Basile", "Chloé"):
        student = StudentFactory(first_name=first_name, last_name="Roux")
        family = GuardianFactory(email=f"{first_name.lower()}@example.org", user=None).family
        CustodyFactory(student=student, family=family)
        entries.append(wait(student, slot))
    return entries


def page(name, slot, entry=None):
    args = [slot.pk] if entry is None else [slot.pk, entry.pk]
    return reverse(f"admin:students_waitingentry_{name}", args=args)


def state(entry):
    return WaitingEntry.objects.get(pk=entry.pk).state


def last_move(entry):
    return WaitingMove.objects.filter(entry=entry).first()


def text_of(response):
    """What the page says, on one line."""
    return re.sub(r"[ \n]+", " ", response.content.decode())


# --- The list of wishes -------------------------------------------------------------------------


def test_the_list_shows_what_each_student_waits_for(admin, slot, line):
    response = admin.get(LIST)

    assert list(response.context["cl"].result_list) == list(reversed(line))
    assert str(slot) in text_of(response)


def test_the_list_is_narrowed_by_state_course_and_slot(admin, slot, line):
    other = SlotFactory(course=slot.course, weekday=Weekday.FRIDAY)
    elsewhere = wait(StudentFactory(), SlotFactory(course=CourseFactory(coming=True)))
    anywhere = StudentFactory()
    waiting.set_wishes(anywhere, slot.course, [None], actor=None)
    anywhere = anywhere.waiting_entries.get()

    def shown(**query):
        return set(admin.get(LIST, query).context["cl"].result_list)

    assert shown(cours=slot.course_id) == {*line, anywhere}
    assert shown(cours=slot.course_id, creneau=other.pk) == {anywhere}
    assert shown(cours=slot.course_id, creneau=elsewhere.slot_id) == {*line, anywhere}  # no such
    assert shown(creneau=other.pk) == {*line, anywhere, elsewhere}  # of no course chosen
    assert shown(state__exact="left") == set()


@pytest.mark.parametrize("typed", ["x", "²", "9" * 30])
def test_a_course_that_is_none_filters_nothing(admin, line, typed):
    assert len(admin.get(LIST, {"cours": typed}).context["cl"].result_list) == 3


def test_a_student_is_found_by_his_name_without_accents(admin, line):
    assert list(admin.get(LIST, {"q": "chloe"}).context["cl"].result_list) == [line[2]]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_makes_a_constant_number_of_queries(admin, count, django_assert_num_queries):
    CampaignFactory()
    for _ in range(count):
        wait(StudentFactory(), SlotFactory(course=CourseFactory(coming=True)))

    # session, user, sites, two of permissions, years, courses, two counts, rows
    with django_assert_num_queries(10):
        response = admin.get(LIST)

    assert len(response.context["cl"].result_list) == count


def test_the_page_of_a_wish_shows_its_log_and_leads_to_the_line(admin, slot, line):
    url = reverse("admin:students_waitingentry_change", args=[line[0].pk])

    text = text_of(admin.get(url))

    assert f'href="{page("line", slot)}"' in text
    assert "en attente" in text


def test_a_wish_for_any_slot_leads_to_every_line_of_the_course(admin, slot):
    other = SlotFactory(course=slot.course, weekday=Weekday.FRIDAY)
    student = StudentFactory()
    waiting.set_wishes(student, slot.course, [None], actor=None)
    url = reverse("admin:students_waitingentry_change", args=[student.waiting_entries.get().pk])

    text = text_of(admin.get(url))

    assert all(f'href="{page("line", each)}"' in text for each in (slot, other))


# --- The line of a slot -------------------------------------------------------------------------


def test_the_line_is_in_the_order_of_the_rule(admin, slot, line):
    WaitingCriterion.objects.create(
        campaign=Campaign.objects.get(), position=1, criterion=Criterion.ENROLLED
    )
    this_year = CourseFactory(discipline=slot.course.discipline)
    EnrolmentFactory(student=line[2].student, course=this_year)

    response = admin.get(page("line", slot))

    assert [each.entry for each in response.context["line"].waiting] == [line[2], line[0], line[1]]
    assert [each.criteria for each in response.context["line"].waiting] == [
        [Criterion.ENROLLED],
        [],
        [],
    ]
    text = text_of(response)
    assert Criterion.ENROLLED.label in text
    assert "ordre des demandes" in text


def test_the_line_tells_the_other_wishes_and_leads_to_the_dossier(admin, case, submitted):
    better = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    second = SlotFactory(course=case.slot.course, weekday=Weekday.TUESDAY)
    entry = wait(case.student, better, second)

    response = admin.get(page("line", better))

    (shown,) = response.context["line"].waiting
    assert (shown.entry, [wish.slot for wish in shown.others]) == (entry, [second])
    text = text_of(response)
    assert f'href="{page_of(submitted)}"' in text
    assert f'href="{page("line", second)}"' in text


def test_the_line_counts_places_taken_held_offered_and_free(admin, slot, line, registrar):
    services.set_capacity(slot, 4)
    keeps = StudentFactory()
    Hold.objects.create(
        place=slot.places.get(number=2),
        student=keeps,
        course=slot.course,
        until=timezone.now() + dt.timedelta(minutes=30),
    )
    reenrolment_waiting.offer_to(line[0], slot, actor=registrar, reason="")

    shown = admin.get(page("line", slot)).context["line"]

    assert (shown.slot.capacity, shown.slot.places_left) == (4, 1)
    assert (shown.taken, shown.held, shown.offered) == (1, 1, 1)
    assert [offer.student for offer in shown.offers] == [line[0].student]
    assert [each.entry for each in shown.waiting] == [line[1], line[2]]


def test_an_offer_whose_time_is_over_is_said_so(admin, slot, line, registrar):
    free(slot)
    reenrolment_waiting.offer_to(line[0], slot, actor=registrar, reason="")
    Hold.objects.update(until=timezone.now())

    response = admin.get(page("line", slot))

    assert "délai passé" in text_of(response)
    shown = response.context["line"]
    assert (shown.slot.places_left, shown.offered) == (1, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_the_line_makes_a_constant_number_of_queries(
    admin, slot, registrar, count, django_assert_num_queries
):
    services.set_capacity(slot, 1 + count)
    entries = [wait(StudentFactory(), slot) for _ in range(2 * count)]
    for entry in entries[:count]:
        reenrolment_waiting.offer_to(entry, slot, actor=registrar, reason="")

    # session, user, sites, two of permissions, slot, campaign, rule, line, dossiers, wishes,
    # offers, log
    with django_assert_num_queries(13):
        response = admin.get(page("line", slot))

    assert len(response.context["line"].waiting) == count


def test_a_year_that_no_campaign_prepares_has_a_line_and_no_offers(admin, line, slot):
    free(slot)
    Campaign.objects.all().delete()

    response = admin.get(page("line", slot))

    assert [each.entry for each in response.context["line"].waiting] == line
    assert page("offer", slot, line[0]) not in text_of(response)
    assert admin.get(page("offer", slot, line[0])).status_code == 404


def test_nothing_is_said_to_be_offered_of_a_closed_slot(admin, slot, line):
    free(slot)
    closing.close(slot)

    text = text_of(admin.get(page("line", slot)))

    assert "sera proposée d'office une fois le créneau rouvert aux familles" in text


def test_a_slot_leads_to_its_line(admin, slot):
    url = reverse("admin:students_slot_change", args=[slot.pk])

    assert f'href="{page("line", slot)}"' in text_of(admin.get(url))


def test_a_dossier_leads_to_the_lines_where_its_student_waits(admin, case, submitted):
    better = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    waiting.set_wishes(case.student, better.course, [better], actor=None)

    assert f'href="{page("line", better)}"' in text_of(admin.get(page_of(submitted)))


@pytest.mark.parametrize("name", ["line", "offer", "remove", "log"])
def test_the_line_of_another_site_does_not_exist(admin, name):
    annexe = EstablishmentFactory(name="Annexe")
    slot = SlotFactory(course=CourseFactory(coming=True, establishment=annexe))
    entry = wait(StudentFactory(), slot)
    url = page(name, slot, None if name == "line" else entry)

    assert admin.get(url).status_code == 404


@pytest.mark.parametrize("name", ["offer", "remove", "log"])
def test_a_wish_for_another_slot_does_not_exist_here(admin, slot, line, name):
    other = SlotFactory(course=slot.course, weekday=Weekday.FRIDAY)

    assert admin.get(page(name, other, line[0])).status_code == 404


# --- Offering -----------------------------------------------------------------------------------


def test_the_first_is_offered_the_place_without_a_reason(admin, slot, line, registrar):
    free(slot)
    url = page("offer", slot, line[0])
    assert 'name="reason"' not in text_of(admin.get(url))

    response = admin.post(url)

    assert response.url == page("line", slot)
    assert told(admin, response) == [
        "Une place est proposée à Anna Roux\u00a0: la famille reçoit un mail."
    ]
    assert state(line[0]) == WaitingState.OFFERED
    move = last_move(line[0])
    assert (move.actor, move.rank, move.waiting, move.reason) == (registrar, 1, 3, "")
    assert Mail.objects.filter(kind=MailKind.PLACE_OFFERED, to="anna@example.org").exists()


def test_another_one_is_offered_it_with_the_reason(admin, slot, line, registrar):
    free(slot)
    url = page("offer", slot, line[2])
    assert 'name="reason"' in text_of(admin.get(url))

    admin.post(url, {"reason": WHY})

    assert state(line[2]) == WaitingState.OFFERED
    move = last_move(line[2])
    assert (move.actor, move.rank, move.waiting, move.reason) == (registrar, 3, 3, WHY)


@pytest.mark.parametrize("typed", ["", "   ", "x" * 301])
def test_without_a_reason_another_one_is_not(admin, slot, line, typed):
    free(slot)

    response = admin.post(page("offer", slot, line[1]), {"reason": typed})

    assert list(response.context["form"].errors) == ["reason"]
    assert response.context["form"]["reason"].value() == typed
    assert state(line[1]) == WaitingState.WAITING


def test_who_was_first_when_the_page_was_read_is_asked_why(admin, slot, line):
    """The rule changed, or somebody came before him."""
    free(slot)
    WaitingEntry.objects.filter(pk=line[2].pk).update(draw=1)

    response = admin.post(page("offer", slot, line[0]))

    assert list(response.context["form"].errors) == ["reason"]
    assert 'name="reason"' in text_of(response)


def test_a_full_slot_has_nothing_to_offer(admin, slot, line):
    assert page("offer", slot, line[0]) not in text_of(admin.get(page("line", slot)))

    response = admin.post(page("offer", slot, line[0]))

    assert told(admin, response) == [
        "Aucune place de ce créneau n'est libre\u00a0: ajoutez-en une d'abord."
    ]
    assert state(line[0]) == WaitingState.WAITING


def test_who_waits_no_more_is_said_so(admin, slot, line, registrar):
    waiting.remove(line[0], actor=registrar, reason="Doublon.")

    for name in ("offer", "remove"):
        response = admin.get(page(name, slot, line[0]))

        assert told(admin, response) == [
            "Cette demande est maintenant «\u00a0retirée de la liste\u00a0»\u00a0: "
            "l'action n'est plus possible."
        ]


def test_a_family_without_an_address_is_to_be_told_by_hand(admin, slot, line):
    free(slot)
    line[0].student.families.get().guardians.update(email="")

    assert "prévenez-les vous-même" in text_of(admin.get(page("offer", slot, line[0])))


# --- Removing -----------------------------------------------------------------------------------


def test_a_wish_is_removed_with_the_reason(admin, slot, line, registrar):
    response = admin.post(page("remove", slot, line[1]), {"reason": "A quitté le conservatoire."})

    assert response.url == page("line", slot)
    assert state(line[1]) == WaitingState.LEFT
    move = last_move(line[1])
    assert (move.actor, move.reason) == (registrar, "A quitté le conservatoire.")


def test_not_without_a_reason(admin, slot, line):
    response = admin.post(page("remove", slot, line[1]), {"reason": " "})

    assert list(response.context["form"].errors) == ["reason"]
    assert state(line[1]) == WaitingState.WAITING


def test_an_offer_removed_gives_the_place_back(admin, slot, line, registrar):
    free(slot)
    reenrolment_waiting.offer_to(line[0], slot, actor=registrar, reason="")

    admin.post(page("remove", slot, line[0]), {"reason": "La famille a téléphoné."})

    assert not Hold.objects.exists()
    assert state(line[0]) == WaitingState.LEFT


# --- The log ------------------------------------------------------------------------------------


def test_the_log_of_the_line_names_everybody(admin, slot, line, registrar):
    free(slot)
    reenrolment_waiting.offer_to(line[1], slot, actor=registrar, reason=WHY)

    events = admin.get(page("line", slot)).context["events"]

    assert [(event.student, event.what) for event in events] == [
        ("Basile Roux", "place proposée"),
        ("Chloé Roux", "en attente"),
        ("Basile Roux", "en attente"),
        ("Anna Roux", "en attente"),
    ]
    assert (events[0].rank, events[0].why) == ("2e\u00a0sur\u00a03", WHY)
    assert events[0].who == registrar.username


def test_the_log_of_a_family_names_no_other(admin, slot, line, registrar):
    """Why a place went to another one, and nothing else of its affairs."""
    free(slot)
    reenrolment_waiting.offer_to(line[1], slot, actor=registrar, reason=WHY)
    waiting.remove(line[2], actor=registrar, reason="Déménagement à Lyon.")

    response = admin.get(page("log", slot, line[0]))

    others = "autre famille n°\u00a01", "autre famille n°\u00a02"
    assert [(e.student, e.what, e.rank, e.why, e.who) for e in response.context["events"]] == [
        ("Anna Roux", "en attente", "", "", "la famille"),
        (others[0], "en attente", "", "", "la famille"),
        (others[1], "en attente", "", "", "la famille"),
        (others[0], "place proposée", "2e\u00a0sur\u00a03", WHY, "l'administration"),
        (others[1], "retirée de la liste", "", "", "l'administration"),
    ]
    text = text_of(response)
    assert WHY.replace("'", "&#x27;") in text
    for secret in ("Basile", "Chloé", "Lyon", "basile@example.org"):
        assert secret not in text


def test_the_log_of_a_family_begins_with_its_wish(admin, slot, line):
    assert [e.student for e in admin.get(page("log", slot, line[2])).context["events"]] == [
        "Chloé Roux"
    ]


def test_the_log_of_a_slot_is_silent_on_the_others_of_the_course(admin, slot, line):
    other = SlotFactory(course=slot.course, weekday=Weekday.FRIDAY)
    wait(StudentFactory(), other)

    assert len(admin.get(page("line", slot)).context["events"]) == 3


# --- Placing before those who wait --------------------------------------------------------------


@pytest.fixture
def awaited(case, submitted):
    """A free place of the dossier's course on Friday, for which two others wait."""
    slot = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    for _ in range(2):
        wait(StudentFactory(), slot)
    return slot


def put(admin, case, slot, **typed):
    url = action("place", case.reenrolment, case.choice(case.theory).pk)
    return admin.post(url, {"where": f"slot-{slot.pk}", **typed})


def test_the_choice_tells_how_many_wait(admin, case, submitted, awaited):
    assert f"{awaited} (1 place, 2 en attente)" in text_of(admin.get(page_of(submitted)))


def test_placing_before_others_asks_why_beside_the_field(admin, case, submitted, awaited):
    response = put(admin, case, awaited)

    form = response.context["bound"]
    assert list(form.errors) == ["reason"]
    assert form["where"].value() == f"slot-{awaited.pk}"
    assert f'id="{form["reason"].auto_id}_error"' in text_of(response)
    assert case.choice(case.theory).granted.slot == case.slot


def test_a_reason_too_long_is_kept_as_it_was_typed(admin, case, submitted, awaited):
    form = put(admin, case, awaited, reason="x" * 301).context["bound"]

    assert list(form.errors) == ["reason"]
    assert form["reason"].value() == "x" * 301


def test_with_the_reason_the_slot_s_log_tells_it(admin, case, submitted, awaited, registrar):
    """The student did not wait himself: the exception is told all the same."""
    put(admin, case, awaited, reason=WHY)

    assert case.choice(case.theory).granted.slot == awaited
    event = admin.get(page("line", awaited)).context["events"][0]
    assert (event.student, event.what, event.why) == (str(case.student), "place obtenue", WHY)
    assert not WaitingEntry.objects.live().filter(student=case.student).exists()


def test_who_waited_himself_keeps_the_reason_in_his_own_log(
    admin, case, submitted, awaited, registrar
):
    entry = wait(case.student, awaited)

    put(admin, case, awaited, reason=WHY)

    assert state(entry) == WaitingState.ACCEPTED
    assert (last_move(entry).actor, last_move(entry).reason) == (registrar, WHY)
    assert case.student.waiting_entries.count() == 1


def test_the_first_of_the_line_needs_no_reason(admin, case, submitted, registrar):
    slot = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    entry = wait(case.student, slot)
    wait(StudentFactory(), slot)

    put(admin, case, slot, reason="On ne sait jamais.")

    assert case.choice(case.theory).granted.slot == slot
    assert (last_move(entry).actor, last_move(entry).reason) == (registrar, "")


def test_nor_who_has_a_place_for_each_of_those_before_him(admin, case, submitted, awaited):
    services.set_capacity(awaited, 3)

    put(admin, case, awaited)

    assert case.choice(case.theory).granted.slot == awaited
    assert not WaitingMove.objects.filter(entry__student=case.student).exists()


def test_nor_who_stays_where_he_sits(admin, case, submitted):
    wait(StudentFactory(), case.slot)
    services.set_capacity(case.slot, 2)

    response = put(admin, case, case.slot)

    assert response.status_code == 302


def test_nor_who_is_offered_the_place(admin, case, submitted, awaited, registrar):
    entry = wait(case.student, awaited)
    reenrolment_waiting.offer_to(entry, awaited, actor=registrar, reason=WHY)

    put(admin, case, awaited)

    assert state(entry) == WaitingState.ACCEPTED


def test_the_service_refuses_by_code(case, submitted, awaited):
    for reason, code in [("", "reason_required"), ("x" * 301, "reason_too_long")]:
        with pytest.raises(ValidationError) as refusal:
            decisions.place(
                case.choice(case.theory), course=awaited.course, slot=awaited, reason=reason
            )
        assert refusal.value.code == code


class TestOfAnEnrolment:
    """« Placer dans », on the page of an enrolment: no campaign there, all the others count."""

    @pytest.fixture
    def enrolment(self, slot):
        enrolment = services.enrol_without_place(
            StudentFactory(first_name="Denis"), slot.course, cycle=Cycle.FIRST
        )
        services.confirm(enrolment)
        return enrolment

    @pytest.fixture
    def awaited(self, slot, line):
        free(slot)
        return slot

    def save(self, admin, enrolment, slot, **typed):
        url = reverse("admin:students_enrolment_change", args=[enrolment.pk])
        return admin.post(url, {"cycle": "c1", "move_to": slot.pk, **typed})

    def test_the_choice_tells_how_many_wait(self, admin, enrolment, awaited):
        url = reverse("admin:students_enrolment_change", args=[enrolment.pk])

        assert f"{awaited} (1 place, 3 en attente)" in text_of(admin.get(url))

    def test_it_asks_why_beside_the_field(self, admin, enrolment, awaited):
        response = self.save(admin, enrolment, awaited)

        form = response.context["adminform"].form
        assert list(form.errors) == ["reason"]
        assert form["move_to"].value() == str(awaited.pk)
        enrolment.refresh_from_db()
        assert enrolment.slot is None

    def test_with_the_reason_the_slot_s_log_tells_it(self, admin, enrolment, awaited, registrar):
        self.save(admin, enrolment, awaited, reason=WHY)

        enrolment.refresh_from_db()
        assert (enrolment.slot, enrolment.status) == (awaited, EnrolmentStatus.CONFIRMED)
        move = WaitingMove.objects.get(entry__student=enrolment.student)
        assert (move.to_state, move.actor, move.reason) == (WaitingState.ACCEPTED, registrar, WHY)

    def test_where_nobody_waits_nothing_is_asked(self, admin, enrolment, slot):
        free(slot)

        self.save(admin, enrolment, slot)

        enrolment.refresh_from_db()
        assert enrolment.slot == slot
        assert not WaitingMove.objects.exists()


# --- Who ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["line", "offer", "remove", "log"])
def test_the_regie_sees_no_waiting_list(client, accountant, slot, line, name):
    client.force_login(accountant)
    url = page(name, slot, None if name == "line" else line[0])

    assert (client.get(url).status_code, client.post(url).status_code) in [(403, 403), (403, 405)]


def test_who_only_reads_is_offered_no_action(client, registrar, slot, line):
    free(slot)
    group = registrar.groups.get()
    group.permissions.remove(group.permissions.get(codename="manage_waiting"))
    client.force_login(registrar)

    text = text_of(client.get(page("line", slot)))

    assert page("offer", slot, line[0]) not in text
    assert page("remove", slot, line[0]) not in text
    assert client.post(page("offer", slot, line[0])).status_code == 403
    assert client.post(page("remove", slot, line[0]), {"reason": WHY}).status_code == 403


# --- What a refusal ends ------------------------------------------------------------------------


def test_a_dossier_that_is_over_waits_for_no_course_that_was_proposed_once(case, parent):
    """The jury decided meanwhile: no enrolment is left that would end the wait."""
    former = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY)
    entry = wait(case.student, former)
    now = SlotFactory(course=CourseFactory(coming=True, name="Formation musicale C1-4"))
    Enrolment.objects.filter(pk=case.theory.pk).update(next_course=now.course)
    case.fill_in(slot=now)
    case.submit(parent)

    submission.withdraw(case.reenrolment, actor=parent)

    assert state(entry) == WaitingState.LEFT
    assert last_move(entry).reason == "Le dossier est retiré."
    assert list(invariants.waiting_lists()) == []
