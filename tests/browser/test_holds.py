"""Two families and one last place, each on its own screen, before anybody has validated."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from reenrolment.models import Reenrolment
from students import services
from students.enums import Weekday
from students.models import Hold, Place, Slot
from tests.factories import EnrolmentFactory, SlotFactory, StudentFactory

THEORY = "Horaire en Formation musicale"


@pytest.fixture
def last_place(town, student, stranger):
    """One place is left in Formation musicale; the other household wants it too."""
    keep = Place.objects.filter(slot__course__name="Formation musicale").first()
    Place.objects.filter(slot=keep.slot).exclude(pk=keep.pk).delete()
    theory = student.enrolments.get(course__name="Formation musicale").course
    rival = StudentFactory(first_name="Ines", family=stranger.guardian.family)
    EnrolmentFactory(student=rival, course=theory)
    return rival


def open_dossier(visitor, user, student):
    visitor.sign_in_as(user).page.goto(reverse("reenrolment:edit", args=[student.pk]))
    visitor.page.get_by_label("Réinscription en Formation musicale").check()
    return visitor.page


def test_the_place_picked_is_kept_and_the_other_family_is_told(
    visit, last_place, parent, student, stranger
):
    mine, theirs = visit(width=360), visit()
    page = open_dossier(mine, parent, student)
    other = theirs.sign_in_as(stranger).page
    other.goto(reverse("reenrolment:edit", args=[last_place.pk]))

    page.get_by_label(THEORY).select_option(index=1)
    page.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    assert page.evaluate("document.activeElement.id") != ""
    assert mine.axe() == []
    assert not mine.overflows()

    other.get_by_label("Réinscription en Formation musicale").check()
    other.get_by_text("plus de cours disponible").wait_for()
    assert other.get_by_text("Complet").is_visible()
    assert theirs.axe() == []

    page.get_by_role("button", name="Prolonger de 30 minutes").click()
    page.get_by_role("status").filter(has_text="Vos places sont réservées jusqu'à").wait_for()
    assert [held.student for held in Hold.objects.all()] == [student]


def test_a_place_picked_before_the_script_has_come_is_kept(visit, last_place, parent, student):
    page = visit(width=360).sign_in_as(parent).page
    held_back = []
    page.route("**/js/reenrolment*.js", lambda route: held_back.append(route))
    page.goto(reverse("reenrolment:edit", args=[student.pk]), wait_until="commit")
    page.get_by_label("Réinscription en Formation musicale").check()
    page.get_by_label(THEORY).select_option(index=1)
    expect(page.get_by_text("Places réservées pour vous jusqu'à")).to_have_count(0)

    held_back[0].continue_()

    expect(page.get_by_text("Places réservées pour vous jusqu'à").first).to_be_visible()
    assert [hold.student for hold in Hold.objects.all()] == [student]


def test_without_javascript_enregistrer_keeps_the_place(visit, last_place, parent, student):
    visitor = visit(width=320, javascript=False)
    page = open_dossier(visitor, parent, student)

    page.get_by_label(THEORY).select_option(index=1)
    page.get_by_role("button", name="Enregistrer").click()

    assert page.get_by_text("Places réservées pour vous jusqu'à").is_visible()
    page.get_by_role("button", name="Prolonger de 30 minutes").click()
    assert page.get_by_text("Vos places sont réservées jusqu'à").is_visible()


def test_a_slot_just_filled_loses_neither_the_place_held_nor_what_else_is_typed(
    visit, last_place, parent, student, stranger
):
    """One section refused, the others are saved: the next save starts from them."""
    slots = Slot.objects.filter(course__name="Formation musicale").order_by("pk")
    [last] = [slot for slot in slots if slot.places.count() == 1]
    free = SlotFactory(course=last.course, weekday=Weekday.SATURDAY)
    page = open_dossier(visit(width=360), parent, student)
    page.get_by_label(THEORY).select_option(str(free.pk))
    page.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    services.hold(last_place, last, until=timezone.now() + dt.timedelta(minutes=30))

    page.get_by_label(THEORY).select_option(str(last.pk))
    page.get_by_label("Informations complémentaires").fill("Bonjour")
    page.locator("[data-fresh] .invalid-feedback").wait_for()
    page.get_by_label("Informations complémentaires").fill("Bonjour à vous")
    page.locator("[name='initial-comment'][value='Bonjour à vous']").wait_for(state="attached")

    assert Reenrolment.objects.get(student=student).comment == "Bonjour à vous"
    assert page.get_by_label(THEORY).input_value() == str(free.pk)
    assert page.locator("[data-fresh] .invalid-feedback").is_visible()
    assert free.places.get().hold.student == student


def test_a_pick_is_sent_alone_and_before_what_is_still_typed(visit, last_place, parent, student):
    """At once, its line alone; the rest follows a moment later, to the page's own address."""
    page = open_dossier(visit(width=360), parent, student)
    places = reverse("reenrolment:pick", args=[student.pk])
    page.get_by_label("Informations complémentaires").fill("Bonjour")

    with page.expect_request(lambda request: request.url.endswith(places)) as sent:
        page.get_by_label(THEORY).select_option(index=1)

    page.get_by_text("Places réservées pour vous jusqu'à").first.wait_for()
    assert "comment" not in sent.value.post_data
    assert Hold.objects.get().student == student
    page.locator("[name='initial-comment'][value='Bonjour']").wait_for(state="attached")
    assert Reenrolment.objects.get().comment == "Bonjour"
