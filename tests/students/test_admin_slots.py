"""Slots: a capacity instead of places, and one place more with its reason."""

import datetime as dt
import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry

from students import services
from students.enums import Cycle, Scheduling, Weekday
from students.models import Slot
from tests.factories import CourseFactory, EstablishmentFactory, SlotFactory, StudentFactory


@pytest.fixture
def staff(client, registrar):
    client.force_login(registrar)
    return client


def url_of(slot, page="change"):
    return f"/admin/students/slot/{slot.pk}/{page}/"


class TestSlots:
    page = {
        "group": "B",
        "weekday": Weekday.TUESDAY,
        "starts_at": "09:00",
        "ends_at": "10:00",
        "capacity": 3,
    }

    def test_is_made_with_its_capacity(self, staff):
        course = CourseFactory()

        response = staff.post("/admin/students/slot/add/", self.page | {"course": course.pk})

        assert response.status_code == 302
        slot = Slot.objects.with_places().get()
        assert (slot.course, slot.starts_at, slot.capacity, slot.places_left) == (
            course,
            dt.time(9),
            3,
            3,
        )

    def test_is_not_for_a_course_whose_hour_the_teacher_fixes(self, staff):
        course = CourseFactory(scheduling=Scheduling.TEACHER)

        response = staff.post("/admin/students/slot/add/", self.page | {"course": course.pk})

        assert response.context["adminform"].form.errors == {
            "course": ["Ce cours n'a pas de créneau\u00a0: son horaire est fixé par l'enseignant."]
        }

    def test_changes_capacity(self, staff):
        slot = SlotFactory(places=5)

        assert staff.post(url_of(slot), self.page).status_code == 302
        assert slot.places.count() == 3

    def test_refuses_a_capacity_below_the_places_taken_beside_the_field(self, staff):
        slot = SlotFactory(places=2)
        for student in StudentFactory.create_batch(2):
            services.claim(student, slot, cycle=Cycle.FIRST)

        response = staff.post(url_of(slot), self.page | {"capacity": 1, "room": "12"})

        assert response.context["adminform"].form.errors == {
            "capacity": [
                "2 places sont déjà prises ou réservées dans ce créneau\u00a0:"
                " sa capacité ne peut pas descendre à 1."
            ]
        }
        slot.refresh_from_db()
        assert (slot.places.count(), slot.room) == (2, "")

    @pytest.mark.parametrize("capacity", ["", "-1", "201", "x"])
    def test_refuses_a_capacity_that_is_none(self, staff, capacity):
        slot = SlotFactory()

        response = staff.post(url_of(slot), self.page | {"capacity": capacity})

        assert list(response.context["adminform"].form.errors) == ["capacity"]

    def test_keeps_its_course(self, staff):
        slot = SlotFactory()

        staff.post(url_of(slot), self.page | {"course": CourseFactory().pk})

        assert Slot.objects.get(pk=slot.pk).course == slot.course

    def test_refuses_to_end_before_it_starts(self, staff):
        response = staff.post(url_of(SlotFactory()), self.page | {"ends_at": "08:00"})

        assert response.context["adminform"].form.non_field_errors() == [
            "Le cours doit finir après avoir commencé."
        ]

    def column(self, staff, model):
        """« pour qui » of the only row of a list."""
        page = unescape(staff.get(f"/admin/students/{model}/").content.decode())
        (column,) = re.findall(r'<td class="field-audience">(.*?)</td>', page)
        return column

    def test_says_for_whom_it_is_and_else_as_its_course(self, staff):
        slot = SlotFactory(course=CourseFactory(age_from=7, age_to=9, cycle_year_to=2))
        assert self.column(staff, "slot") == "7 à 9 ans, jusqu'à la 2e année du cycle"

        staff.post(url_of(slot), self.page | {"age_from": "18"})

        slot.refresh_from_db()
        assert (slot.ages, slot.cycle_years) == ((18, None), (None, None))
        assert self.column(staff, "slot") == "dès 18 ans, jusqu'à la 2e année du cycle"
        assert self.column(staff, "course") == "7 à 9 ans, jusqu'à la 2e année du cycle"

    def test_is_for_all_where_nobody_says_more(self, staff):
        SlotFactory()

        assert (self.column(staff, "slot"), self.column(staff, "course")) == ("tous", "tous")

    @pytest.mark.parametrize(
        ("typed", "field", "sentence"),
        [
            (
                {"age_from": "9", "age_to": "8"},
                "age_to",
                "Le maximum doit être au moins égal au minimum.",
            ),
            (
                {"cycle_year_from": "2", "cycle_year_to": "1"},
                "cycle_year_to",
                "Le maximum doit être au moins égal au minimum.",
            ),
            ({"age_from": "121"}, "age_from", "120."),
            ({"cycle_year_from": "0"}, "cycle_year_from", "1."),
        ],
    )
    def test_refuses_bounds_that_nobody_can_meet(self, staff, typed, field, sentence):
        response = staff.post(url_of(SlotFactory()), self.page | typed)

        errors = response.context["adminform"].form.errors
        assert list(errors) == [field]
        assert errors[field][0].endswith(sentence)

    def test_groups_for_whom_it_is_with_what_an_empty_field_means(self, staff):
        page = staff.get(url_of(SlotFactory())).content.decode()

        assert page.count(">Pour qui<") == 1
        assert "Vide\u00a0: comme le cours." in page

    def test_a_refusal_of_the_service_is_a_sentence(self, staff, monkeypatch):
        """Somebody took a place between the check and the writing."""
        slot = SlotFactory(places=2)
        for student in StudentFactory.create_batch(2):
            services.claim(student, slot, cycle=Cycle.FIRST)
        monkeypatch.setattr(services, "check_capacity", lambda slot, capacity: None)

        response = staff.post(url_of(slot), self.page | {"capacity": 1, "room": "12"}, follow=True)

        assert [str(message) for message in response.context["messages"]] == [
            "2 places sont déjà prises ou réservées dans ce créneau\u00a0:"
            " sa capacité ne peut pas descendre à 1."
        ]
        slot.refresh_from_db()
        assert slot.room == ""


class TestAddPlace:
    def test_one_more_with_its_reason_logged(self, staff, registrar):
        slot = SlotFactory()

        response = staff.post(url_of(slot, "ajouter-une-place"), {"reason": "Sœur de Louise"})

        assert response.url == url_of(slot)
        assert list(slot.places.values_list("number", "reason")) == [(1, ""), (2, "Sœur de Louise")]
        entry = LogEntry.objects.get()
        assert (entry.user, entry.get_edited_object()) == (registrar, slot)
        assert entry.get_change_message() == "Place 2 ajoutée : Sœur de Louise"

    def test_refuses_without_a_reason(self, staff):
        slot = SlotFactory()

        response = staff.post(url_of(slot, "ajouter-une-place"), {"reason": " "})

        assert response.context["form"].errors == {
            "reason": ["Indiquez pourquoi une place est ajoutée à ce créneau."]
        }
        assert slot.places.count() == 1

    def test_the_slot_s_page_leads_there(self, staff):
        slot = SlotFactory()

        assert f'href="{url_of(slot, "ajouter-une-place")}"' in staff.get(url_of(slot)).text
        assert "1 place, dont 1" in staff.get(url_of(slot, "ajouter-une-place")).text

    def test_is_not_for_the_regie(self, client, accountant):
        slot = SlotFactory()
        client.force_login(accountant)

        assert client.post(url_of(slot, "ajouter-une-place"), {"reason": "x"}).status_code == 403
        assert slot.places.count() == 1


class TestOtherEstablishments:
    @pytest.fixture
    def elsewhere(self):
        return CourseFactory(establishment=EstablishmentFactory(name="Annexe"))

    def test_a_slot_is_made_in_one_s_own_courses(self, staff, elsewhere):
        response = staff.post(
            "/admin/students/slot/add/", TestSlots.page | {"course": elsewhere.pk}
        )

        assert list(response.context["adminform"].form.errors) == ["course"]

    def test_places_are_added_in_one_s_own_slots(self, staff, elsewhere):
        slot = SlotFactory(course=elsewhere)

        assert staff.get(url_of(slot, "ajouter-une-place")).status_code == 404
        assert staff.post(url_of(slot, "ajouter-une-place"), {"reason": "x"}).status_code == 404
        assert slot.places.count() == 1
