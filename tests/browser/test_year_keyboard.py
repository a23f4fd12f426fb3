"""The staff's year by keyboard alone: a closed day told and taken back, a concert's programme."""

import datetime as dt

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.enums import MailKind
from accounts.models import Mail
from teaching.models import Closure, ConcertTurn
from tests.browser.keyboard import enter, reach
from tests.factories import ConcertFactory
from tests.teaching.timetable_cases import make_slot, next_monday

FAR = 120  # tabs: the administration's pages begin with all that an agent may open


@pytest.fixture
def page(visit, registrar):
    return visit(width=1280).sign_in_as(registrar).page


def fill(page, name, text):
    reach(page, name, FAR)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_closed_day_is_noted_told_and_taken_back(page, student, parent):
    make_slot(student)
    day = f"{next_monday():%d/%m/%Y}"
    page.goto(reverse("admin:teaching_closure_add"))
    reach(page, "Nature", FAR)
    page.keyboard.type("fermeture")
    fill(page, "Nom", "Neige")
    fill(page, "Premier jour", day)
    fill(page, "Dernier jour", day)
    enter(page, "Enregistrer")

    enter(page, "Les prévenir", FAR)
    expect(page.get_by_text("1 séance à venir n'a pas")).to_be_visible()
    enter(page, "Prévenir", FAR)
    assert [mail.to for mail in Mail.objects.filter(kind=MailKind.LESSON_CHANGED)] == [parent.email]

    enter(page, "Supprimer", FAR)
    expect(page.get_by_text("la séance à venir a lieu")).to_be_visible()
    enter(page, "Oui, je suis sûr", FAR)
    expect(page.get_by_text("1 message à envoyer")).to_be_visible()
    assert not Closure.objects.exists()
    assert Mail.objects.filter(kind=MailKind.LESSON_CHANGED).count() == 2


def test_a_programme_is_written_and_announced(page, student, parent, establishment):
    slot = make_slot(student)
    concert = ConcertFactory(
        establishment=establishment,
        school_year=slot.course.school_year,
        starts_at=dt.datetime.combine(next_monday(), dt.time(18), dt.UTC),
    )
    page.goto(reverse("admin:teaching_concert_change", args=[concert.pk]))
    for column, text in {"composer": "Erik Satie", "title": "Je te veux", "minutes": "4"}.items():
        to(page, f"document.activeElement.id === 'id_turns-0-{column}'")
        page.keyboard.type(text)
    enter(page, "Enregistrer et continuer", FAR)
    enter(page, "Modification", FAR)
    to(page, "document.activeElement.role === 'combobox'")
    page.keyboard.press("Enter")
    page.keyboard.type("Louise")
    expect(page.get_by_role("option", name="Louise Martin")).to_be_visible()
    page.keyboard.press("Enter")
    enter(page, "Enregistrer", FAR)
    [turn] = ConcertTurn.objects.all()
    assert [str(each) for each in turn.performers.all()] == ["Louise Martin"]

    page.goto(reverse("admin:teaching_concert_change", args=[concert.pk]))
    enter(page, "Annoncer", FAR)
    expect(page.get_by_text("Louise Martin (")).to_be_visible()
    enter(page, "Annoncer", FAR)
    expect(page.get_by_text("L'audition est annoncée")).to_be_visible()
    assert Mail.objects.get(kind=MailKind.CONCERT).to == parent.email


def to(page, condition):
    """Tabs until it is true of what has the focus."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    raise AssertionError(f"{condition}: not reached")
