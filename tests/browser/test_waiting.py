"""A full slot: one family waits, another gives its place back, the mail offers it, a tap takes."""

import pytest
from django.core import mail
from django.core.management import call_command
from django.urls import reverse

from reenrolment.models import Campaign, Reenrolment
from reenrolment.services import waiting
from students.models import Course, Hold, Place
from tests.browser.test_emails import link_in
from tests.factories import PASSWORD, SlotFactory, StudentFactory
from tests.reenrolment.conftest import make_case
from tests.reenrolment.waiting_cases import fill, free

MONDAY = "A – LUNDI – 18 h 30 à 19 h 30"


@pytest.fixture
def theory(town, stranger) -> Course:
    """Two slots, both full: on Monday the other household has the one place."""
    course = Course.objects.get(name="Formation musicale", slots__isnull=False)
    slot = course.slots.get()
    Place.objects.filter(slot=slot, number__gt=1).delete()
    rival = make_case(StudentFactory(first_name="Inès", family=stranger.guardian.family), slot=slot)
    rival.fill_in()
    rival.submit(stranger)
    fill(SlotFactory(course=course, weekday=4, group="B"))
    return course


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_a_family_waits_and_accepts_the_place_from_the_mail(
    visit, theory, parent, student, stranger, javascript
):
    mine = visit(width=360, javascript=javascript).sign_in_as(parent)
    page = mine.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Informations complémentaires").fill("Merci.")
    page.get_by_role("button", name="Attendre une place en Formation musicale").click()
    page.get_by_role("heading", name="Attendre une place").wait_for()
    assert Reenrolment.objects.get(student=student).comment == "Merci."

    page.get_by_label("Vœu 1").select_option(label=f"{MONDAY} (personne n'attend)")
    page.get_by_label("Vœu 2").select_option(label=f"{MONDAY} (personne n'attend)")
    page.get_by_role("button", name="Enregistrer mes vœux").click()
    page.get_by_text("déjà votre vœu 1").first.wait_for()
    page.get_by_label("Vœu 2").select_option(label="Aucun")
    page.get_by_role("button", name="Enregistrer mes vœux").click()
    page.get_by_text("Votre rang : 1er sur 1").wait_for()

    theirs = visit().sign_in_as(stranger).page
    rival = stranger.guardian.family.students.get()
    theirs.goto(reverse("reenrolment:withdraw", args=[rival.pk]))
    theirs.get_by_role("button", name="Retirer ma demande").click()
    theirs.get_by_text("les places sont rendues").wait_for()

    call_command("send_mails")
    [offer] = [each for each in mail.outbox if each.subject.startswith("Une place est proposée")]
    assert offer.to == [parent.email]
    link = link_in(offer.body)
    phone = visit(width=360, javascript=javascript)
    phone.page.goto(link)
    phone.page.get_by_label("Sélectionnez le site").select_option(label="Conservatoire")
    phone.page.get_by_label("Identifiant").fill("martin.c")
    phone.page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    phone.page.get_by_role("button", name="Se connecter").click()
    phone.page.get_by_role("heading", name="Une place vous est proposée").wait_for()
    assert not phone.overflows()
    phone.page.get_by_role("button", name="Accepter la place").click()
    phone.page.get_by_text("Place obtenue le").wait_for()
    phone.page.get_by_role("link", name="Finir la réinscription").click()

    slot = theory.slots.get(weekday=1)
    assert phone.page.get_by_label("Horaire en Formation musicale").input_value() == str(slot.pk)
    assert Hold.objects.get(student=student).place.slot == slot
    page.goto(link)  # the first tab, and a second click in the mail
    page.get_by_text("Place obtenue le").wait_for()


def test_by_keyboard_a_place_is_refused_in_two_steps(visit, theory, parent, student, stranger):
    monday = theory.slots.get(weekday=1)
    waiting.wish(Campaign.objects.get(), student, theory, [monday], actor=parent)
    free(monday)
    waiting.offer_next()
    entry = student.waiting_entries.get()
    visitor = visit(width=320).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:offer", args=[student.pk, entry.pk]))
    refuse = page.get_by_role("button", name="Refuser la place")
    assert not refuse.is_visible()

    page.get_by_text("Refuser cette place").focus()
    page.keyboard.press("Enter")
    refuse.wait_for()
    assert visitor.axe() == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.get_by_text("Place refusée le").wait_for()
    entry.refresh_from_db()
    assert entry.state == "declined"
