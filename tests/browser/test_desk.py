"""The desk of a campaign, left open on a screen: it reads itself again, unless it is stopped."""

import pytest
from django.urls import reverse

from students import services
from students.enums import Cycle
from tests.factories import CampaignFactory, CourseFactory, SlotFactory, StudentFactory


@pytest.fixture
def slot(db):
    CampaignFactory()
    return SlotFactory(course=CourseFactory(coming=True, name="Solfège"), places=9)


@pytest.fixture
def page(visit, registrar, slot):
    page = visit().sign_in_as(registrar).page
    page.clock.install()
    page.goto(reverse("admin:reenrolment_campaign_desk", args=[CampaignFactory().pk]))
    return page


def left(page):
    return page.locator("#desk-slots tbody tr").first.locator("td").nth(4).inner_text()


def half_a_minute_later(page):
    """And the page has taken what it asked for."""
    with page.expect_response("**/pilotage/") as answer:
        page.clock.run_for(31_000)
    assert answer.value.request.headers["x-background"] == "desk"
    answer.value.finished()
    page.wait_for_timeout(100)


def take_a_place(slot):
    services.claim(StudentFactory(), slot, cycle=Cycle.FIRST)


def test_it_reads_itself_again_every_half_minute(page, slot):
    assert left(page) == "9"
    take_a_place(slot)

    half_a_minute_later(page)
    assert left(page) == "8"
    take_a_place(slot)
    half_a_minute_later(page)
    assert left(page) == "7"


def test_it_can_be_stopped_and_set_going_again(page, slot):
    stop = page.get_by_role("button", name="Figer la page")
    stop.click()
    take_a_place(slot)
    asked = []
    page.on("request", lambda request: asked.append(request))

    page.clock.run_for(120_000)
    page.wait_for_timeout(100)

    assert asked == []
    assert left(page) == "9"
    stop.click()
    page.get_by_role("cell", name="8", exact=True).wait_for()


def test_what_somebody_is_in_the_middle_of_stays(page, slot):
    page.locator("#desk-slots summary").click()
    page.get_by_label("Places", exact=True).fill("12")
    take_a_place(slot)

    half_a_minute_later(page)

    assert page.get_by_label("Places", exact=True).input_value() == "12"
    page.get_by_role("button", name="Changer", exact=True).click()
    page.get_by_text("La capacité du créneau est de 12.").wait_for()
    assert left(page) == "11"


def test_a_slot_is_closed_and_opened_again(page, slot):
    page.locator("#desk-slots summary").click()
    page.get_by_role("link", name="Fermer").click()
    page.get_by_role("button", name="Fermer aux familles").click()
    page.wait_for_url("**/pilotage/")
    assert page.get_by_role("cell", name="fermé", exact=True).is_visible()
    page.locator("#desk-slots summary").click()
    page.get_by_role("button", name="Rouvrir").click()
    page.get_by_role("cell", name="ouvert", exact=True).wait_for()
