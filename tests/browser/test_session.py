"""What was typed outlives the session; what the page says stays true while one sends files."""

import re

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from reenrolment.models import Reenrolment
from tests.browser.conftest import HOME
from tests.factories import PASSWORD


@pytest.fixture
def opened(visit, town, parent, student):
    visitor = visit(width=360).sign_in_as(parent)
    visitor.page.goto(reverse("reenrolment:edit", args=[student.pk]))
    return visitor


def end_session(visitor):
    visitor.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def comment_of(visitor):
    return visitor.page.get_by_label("Informations complémentaires")


def test_one_signs_in_again_beside_the_page_and_loses_nothing(opened):
    page = opened.page
    end_session(opened)
    comment_of(opened).fill("Pas le mardi.")
    page.get_by_text("Votre session a expiré").wait_for()
    page.get_by_role("button", name="Enregistrer").click()
    assert page.evaluate("document.activeElement.target") == "_blank"

    with opened.context.expect_page() as other:
        page.keyboard.press("Enter")
    door = other.value
    door.get_by_label("Identifiant").fill("martin.c")
    door.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    door.get_by_role("button", name="Se connecter").click()
    door.get_by_role("heading", name="Bonjour Claire").wait_for()
    door.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_text("Saisie enregistrée à").wait_for()

    assert Reenrolment.objects.get().comment == "Pas le mardi."


def test_what_was_just_typed_is_saved_when_one_leaves_the_page(opened):
    comment_of(opened).fill("Pas le mardi.")
    opened.page.get_by_role("link", name="cours", exact=True).click()
    opened.page.get_by_role("heading", name="Cours").wait_for()
    opened.page.get_by_role("link", name="réinscription", exact=True).click()

    assert comment_of(opened).input_value() == "Pas le mardi."


def test_a_file_sent_takes_its_error_away(opened, files):
    page = opened.page
    page.get_by_role("button", name=f"Envoyer : {HOME}").click()
    expect(page).to_have_title(re.compile(r"^\s*Erreur"))

    page.get_by_label(HOME, exact=True).set_input_files(files / "recu.pdf")
    page.get_by_text("Fichier reçu à").wait_for()

    assert page.locator(".error-summary").count() == 0
    expect(page).to_have_title(re.compile(r"^\s*Réinscription"))


def test_saving_by_itself_does_not_undo_what_another_tab_saved(opened):
    page = opened.page
    comment_of(opened).fill("Pas le mardi.")
    page.get_by_text("Saisie enregistrée à").wait_for()
    Reenrolment.objects.update(comment="Ni le mercredi.")

    for tick in (True, False):
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.get_by_label("Réinscription administrative").set_checked(tick)
        page.get_by_text("Saisie enregistrée à").wait_for()

    assert Reenrolment.objects.get().comment == "Ni le mercredi."
