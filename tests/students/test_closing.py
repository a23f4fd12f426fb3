"""A slot closed to the families in mid-rush, and opened again by one click."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from students import closing, services
from students.enums import Cycle
from students.models import Enrolment, Hold, Slot
from students.selectors import may_pick, slots_for
from tests.factories import CourseFactory, EstablishmentFactory, SlotFactory, StudentFactory
from tests.races import run_together
from tests.students.test_holds import code_of, late, soon

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot(establishment):
    return SlotFactory(course=CourseFactory(name="Solfège"), places=3)


@pytest.fixture
def held(slot, student):
    """A family is filling in when the slot is closed."""
    held = services.hold(student, slot, until=soon())
    closing.close(slot)
    return held


def open_to(student):
    return [slot for slot in slots_for(student) if may_pick(slot)]


class TestClosed:
    def test_is_offered_to_nobody_but_whoever_holds_a_place(self, slot, student, held):
        assert open_to(student) == [slot]
        assert open_to(StudentFactory()) == []

    def test_is_held_and_claimed_by_nobody_else(self, slot, held):
        rival = StudentFactory()

        assert code_of(services.hold, rival, slot, until=soon()) == "slot_closed"
        assert code_of(services.claim, rival, slot, cycle=Cycle.FIRST) == "slot_closed"
        assert [each.student for each in Hold.objects.all()] == [held.student]

    def test_the_place_held_is_kept_prolonged_and_claimed(self, slot, student, held):
        again = services.hold(student, slot, until=soon(60))

        assert (again.pk, again.until > held.until) == (held.pk, True)
        assert services.claim(student, slot, cycle=Cycle.FIRST).place == held.place

    def test_a_place_held_too_long_ago_is_lost(self, slot, student, held):
        late(held)

        assert open_to(student) == []
        assert code_of(services.hold, student, slot, until=soon()) == "slot_closed"
        assert code_of(services.claim, student, slot, cycle=Cycle.FIRST) == "slot_closed"

    def test_a_place_held_in_another_slot_of_the_course_is_not_one_here(self, slot, student):
        services.hold(student, SlotFactory(course=slot.course, group="B"), until=soon())
        closing.close(slot)

        assert code_of(services.hold, student, slot, until=soon()) == "slot_closed"

    def test_whoever_has_a_place_keeps_it(self, slot, student):
        enrolment = services.claim(student, slot, cycle=Cycle.FIRST)

        closing.close(slot)

        assert Enrolment.objects.get().place == enrolment.place

    def test_an_agent_may_still_seat_somebody(self, slot, student):
        closing.close(slot)
        waiting = services.enrol_without_place(student, slot.course, cycle=Cycle.FIRST)

        assert services.place(waiting, slot).slot == slot
        other = services.claim(StudentFactory(), slot, cycle=Cycle.FIRST, even_closed=True)
        assert other.slot == slot
        assert list(Slot.objects.open()) == [slot]

    def test_opened_again_it_is_offered(self, slot, held):
        closing.reopen(slot)

        assert open_to(StudentFactory()) == [slot]

    def test_twice_is_once(self, slot):
        closing.close(slot)
        since = Slot.objects.get().closed_at

        assert code_of(closing.close, slot) == "already_closed"
        assert Slot.objects.get().closed_at == since
        closing.reopen(slot)
        assert code_of(closing.reopen, slot) == "already_open"


# --- The agents' buttons


def url(name, slot):
    return reverse(f"admin:students_slot_{name}", args=[slot.pk])


def told(response):
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def admin(client, registrar):
    client.force_login(registrar)
    return client


BACK = "/admin/students/slot/?course__school_year__id__exact=1"


def test_closing_says_first_what_follows(admin, slot, student):
    services.hold(student, slot, until=soon())

    response = admin.get(url("close", slot), {"suite": BACK})

    assert "3 places, dont 2" in response.text
    assert "1 réservée en ce moment" in response.text
    assert f'name="suite" value="{BACK}"' in response.text
    assert Slot.objects.get().closed_at is None


def test_closing_and_opening_again_are_logged_and_lead_back(admin, slot, registrar):
    closed = admin.post(url("close", slot), {"suite": BACK})
    assert (closed.status_code, closed.url) == (302, BACK)
    assert Slot.objects.get().closed_at <= timezone.now()

    opened = admin.post(url("reopen", slot), follow=True)

    assert opened.redirect_chain == [(url("change", slot), 302)]
    assert told(opened) == [
        f"{slot}\u00a0: Le créneau est fermé aux familles.",
        f"{slot}\u00a0: Le créneau est de nouveau proposé aux familles.",
    ]
    assert Slot.objects.get().closed_at is None
    log = LogEntry.objects.order_by("pk")
    assert [(entry.user, entry.change_message) for entry in log] == [
        (registrar, "Le créneau est fermé aux familles."),
        (registrar, "Le créneau est de nouveau proposé aux familles."),
    ]


def test_a_double_click_is_told_and_logged_once(admin, slot):
    admin.post(url("close", slot))

    again = admin.post(url("close", slot), follow=True)

    assert told(again)[-1] == f"{slot}\u00a0: Ce créneau est déjà fermé aux familles."
    assert admin.get(url("close", slot)).status_code == 302  # an old tab
    assert LogEntry.objects.count() == 1


def test_the_page_of_the_slot_has_the_button_that_serves(admin, slot):
    assert f'href="{url("close", slot)}"' in admin.get(url("change", slot)).text
    closing.close(slot)
    assert f'action="{url("reopen", slot)}"' in admin.get(url("change", slot)).text


def test_the_capacity_changes_or_the_services_refusal_is_shown(admin, slot, student):
    services.claim(student, slot, cycle=Cycle.FIRST)

    wider = admin.post(url("resize", slot), {"capacity": 5, "suite": BACK}, follow=True)
    lower = admin.post(url("resize", slot), {"capacity": 0}, follow=True)
    silly = admin.post(url("resize", slot), {"capacity": "9999"}, follow=True)
    empty = admin.post(url("resize", slot), {}, follow=True)

    assert told(wider) == [f"{slot}\u00a0: La capacité du créneau est de 5."]
    assert told(lower) == [
        f"{slot}\u00a0: Une place est déjà prise ou réservée dans ce créneau\u00a0: sa capacité ne"
        " peut pas descendre à 0."
    ]
    assert "inférieure ou égale à 200" in told(silly)[0]
    assert "obligatoire" in told(empty)[0]
    assert slot.places.count() == 5
    assert [entry.change_message for entry in LogEntry.objects.all()] == [
        "La capacité du créneau est de 5."
    ]


@pytest.mark.parametrize("name", ["close", "reopen", "resize"])
def test_only_for_the_slots_of_ones_own_sites_and_by_whoever_may(
    client, registrar, accountant, slot, name
):
    theirs = SlotFactory(course__establishment=EstablishmentFactory(name="Annexe"))
    client.force_login(accountant)
    assert client.post(url(name, slot), {"capacity": 9}).status_code == 403
    client.force_login(registrar)
    assert client.post(url(name, theirs), {"capacity": 9}).status_code == 404
    assert client.get(url(name, theirs)).status_code in (404, 405)

    assert list(Slot.objects.filter(closed_at=None)) == [slot, theirs]
    assert theirs.places.count() == 1


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_one_is_never_led_to_another_host(admin, slot, elsewhere):
    response = admin.post(url("close", slot), {"suite": elsewhere})

    assert response.url == url("change", slot)


def test_a_slot_added_or_changed_leads_back(admin, slot):
    fields = {
        "course": slot.course_id,
        "group": "Z",
        "weekday": 3,
        "starts_at": "10:00",
        "ends_at": "11:00",
        "capacity": 4,
    }
    add = reverse("admin:students_slot_add")
    shown = admin.get(add, {"course": slot.course_id, "suite": BACK})

    assert shown.context["adminform"].form.initial["course"] == str(slot.course_id)
    added = admin.post(f"{add}?suite={BACK.replace('?', '%3F')}", fields)
    changed = admin.post(f"{url('change', slot)}?suite={BACK.replace('?', '%3F')}", fields)
    plain = admin.post(add, fields)

    assert [added.url, changed.url] == [BACK, BACK]
    assert plain.url == reverse("admin:students_slot_changelist")


# --- The race


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_closing_while_twenty_families_pick_it(establishment):
    """Each either held its place before the closing, and keeps it, or is told; nobody after."""
    families = StudentFactory.create_batch(20)
    held_before = []
    for _ in range(20):
        slot = SlotFactory(course=CourseFactory(), places=20)

        def play(number, slot=slot):
            if number == 10:
                return closing.close(slot)
            return services.hold(families[number], slot, until=soon())

        results = run_together(play, 20)

        refused = [each for each in results if isinstance(each, Exception)]
        held = [each for each in results if isinstance(each, Hold)]
        assert {each.code for each in refused} <= {"slot_closed"}
        assert len(held) + len(refused) == 19
        assert Hold.objects.filter(place__slot=slot).count() == len(held)
        assert code_of(services.hold, families[10], slot, until=soon()) == "slot_closed"
        for each in held:
            services.claim(each.student, slot, cycle=Cycle.FIRST)
        held_before.append(len(held))
        Enrolment.objects.filter(course=slot.course).delete()
    assert len(set(held_before)) > 1  # the closing fell now early, now late
