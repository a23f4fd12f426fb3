"""The staff's pages of a waiting list: the line of a slot, an offer before others, a log."""

import datetime as dt

import pytest
from django.urls import reverse

from reenrolment.services import waiting as offers
from students import services, waiting
from students.enums import Criterion, Weekday
from students.models import WaitingEntry
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case

WHY = "Sa sœur a cours le même jour et la famille n'a pas de voiture."


@pytest.fixture
def slot(parent, student, registrar):
    """Three places: one taken, one offered before others, one free; three wait, Louise too."""
    case = make_case(student)
    case.fill_in()
    case.submit(parent)
    offers.set_criteria(case.campaign, [Criterion.ENROLLED, Criterion.RESIDENT])
    slot = SlotFactory(course=case.slot.course, weekday=Weekday.FRIDAY, places=1)
    other = SlotFactory(
        course=case.slot.course, weekday=Weekday.TUESDAY, starts_at=dt.time(17), places=0
    )
    EnrolmentFactory(course=slot.course, place=slot.places.get())
    names = ["Anna Vandermeersch-Delannoy", "Basile Roux", "Chloé Petit"]
    for first_name, last_name in (name.split() for name in names):
        waits = StudentFactory(first_name=first_name, last_name=last_name)
        guardian = GuardianFactory(user=None, email=f"{first_name}@example.org")
        CustodyFactory(student=waits, family=guardian.family)
        waiting.set_wishes(waits, slot.course, [slot, other], actor=None)
    waiting.set_wishes(student, slot.course, [slot, None][:1], actor=parent)
    services.set_capacity(slot, 3)
    basile = WaitingEntry.objects.get(student__first_name="Basile", slot=slot)
    offers.offer_to(basile, slot, actor=registrar, reason=WHY)
    return slot


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_of_a_waiting_list(visit, registrar, slot, width):
    visitor = visit(width=width).sign_in_as(registrar)
    last = WaitingEntry.objects.get(student__first_name="Chloé", slot=slot)
    pages = [
        reverse("admin:students_waitingentry_changelist"),
        reverse("admin:students_waitingentry_change", args=[last.pk]),
        reverse("admin:students_waitingentry_line", args=[slot.pk]),
        *[
            reverse(f"admin:students_waitingentry_{name}", args=[slot.pk, last.pk])
            for name in ("offer", "remove", "log")
        ],
    ]
    found = {}

    for address in pages:
        visitor.page.goto(address)
        if problems := visitor.axe() + ["overflows"] * visitor.overflows():
            found[address] = problems

    assert found == {}


@pytest.mark.usefixtures("town")
def test_a_place_is_offered_before_others_with_its_reason(visit, registrar, slot):
    page = visit().sign_in_as(registrar).page
    page.goto(reverse("admin:students_slot_change", args=[slot.pk]))
    page.get_by_role("link", name="Liste d'attente").last.click()
    page.get_by_role("link", name="Proposer la place à Chloé Petit").click()

    page.get_by_role("button", name="Proposer la place").click()
    page.get_by_text("Dites pourquoi\u00a0: la famille").wait_for()
    page.get_by_label("Motif").fill(WHY)
    page.get_by_role("button", name="Proposer la place").click()

    page.get_by_text("Une place est proposée à Chloé Petit").wait_for()
    assert page.get_by_role("row", name=WHY).count() == 2
