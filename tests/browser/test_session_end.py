"""The session ends while one types: warned before, and nothing typed is lost."""

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import F
from django.urls import reverse
from playwright.sync_api import expect

from families.models import Family
from reenrolment.models import Reenrolment
from tests.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("town")
SOON = "Votre session se termine dans 5 minutes"
STAY = "Rester connecté"
OVER = "Votre session a expiré."
WAYS = pytest.mark.parametrize("javascript", [True, False])


def row(visitor):
    [key] = [c["value"] for c in visitor.context.cookies() if c["name"] == "sessionid"]
    return Session.objects.filter(session_key=key)


def seen_at(visitor):
    return row(visitor).get().expire_date - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)


def pass_time(visitor, *pages, **since):
    """For the server, then for the clock of the browser: as a person who does nothing."""
    row(visitor).update(expire_date=F("expire_date") - dt.timedelta(**since))
    seconds = dt.timedelta(**since).total_seconds()
    for page in pages:
        page.clock.fast_forward(seconds * 1000)


def open_page(visitor, address):
    page = visitor.context.new_page()
    page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    page.clock.install()
    page.goto(address)
    return page


@pytest.fixture
def claire(visit, parent):
    return visit(width=360).sign_in_as(parent)


@pytest.fixture
def family_page(claire):
    return open_page(claire, reverse("families:identity"))


def sign_in(page, username="martin.c"):
    page.get_by_label("Identifiant").fill(username)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def sign_in_beside(visitor, page, username="martin.c"):
    """By the link of the page that has ended, in a new tab; then back to it."""
    with visitor.context.expect_page(timeout=30_000) as other:  # a process of its own is born
        page.get_by_role("link", name="connectez-vous dans un nouvel onglet").click()
    sign_in(other.value, username)
    other.value.get_by_role("heading", name="Bonjour").wait_for()
    other.value.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


# --- Before -----------------------------------------------------------------------------------


def test_one_is_warned_and_stays_by_a_key_where_one_was(claire, family_page):
    page = family_page
    field = page.get_by_label("Adresse", exact=True)
    field.fill("3 quai des Brumes")
    pass_time(claire, page, minutes=55, seconds=10)

    dialog = page.get_by_role("alertdialog", name=SOON)
    dialog.wait_for()
    claire.page, first = page, claire.page
    assert (claire.axe(), claire.overflows()) == ([], False)
    claire.page = first
    expect(page.get_by_role("button", name=STAY)).to_be_focused()
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")

    expect(field).to_be_focused()
    assert field.input_value() == "3 quai des Brumes"
    pass_time(claire, page, minutes=54)
    assert not dialog.is_visible()
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("status").filter(has_text="enregistré").wait_for()
    assert Family.objects.get(name="Martin").address == "3 quai des Brumes"


def test_escape_means_that_one_is_there(claire, family_page):
    pass_time(claire, family_page, minutes=56)
    dialog = family_page.get_by_role("alertdialog")
    dialog.wait_for()
    before = seen_at(claire)

    family_page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")

    assert seen_at(claire) > before


def test_the_warning_alone_does_not_make_it_last(claire, family_page):
    pass_time(claire, family_page, minutes=56)
    family_page.get_by_role("alertdialog").wait_for()
    before = seen_at(claire)

    pass_time(claire, family_page, seconds=61)
    family_page.get_by_text("dans 3 minutes").wait_for()

    assert seen_at(claire) < before


def test_what_one_tab_extends_the_others_see(claire, family_page):
    other = open_page(claire, reverse("imuse:home"))
    pass_time(claire, family_page, other, minutes=56)
    for page in (family_page, other):
        page.get_by_role("alertdialog").wait_for()

    family_page.get_by_role("button", name=STAY).click()
    family_page.get_by_role("alertdialog").wait_for(state="hidden")  # the server has answered
    other.clock.fast_forward(21_000)

    other.get_by_role("alertdialog").wait_for(state="hidden")


def test_a_tab_that_slept_asks_before_it_warns(claire, family_page):
    """Something was done in another tab meanwhile: there is nothing to warn of."""
    pass_time(claire, minutes=50)
    claire.page.goto(reverse("imuse:home"))

    with family_page.expect_response("**/extranet/session/"):
        family_page.clock.fast_forward("55:10")

    assert not family_page.get_by_role("alertdialog").is_visible()


def test_twelve_hours_cannot_be_put_off(visit, parent, settings):
    settings.SESSION_HOURS = 0.05  # three minutes after signing in
    visitor = visit(width=360).sign_in_as(parent)
    page = open_page(visitor, reverse("families:identity"))
    page.clock.fast_forward(2_000)
    dialog = page.get_by_role("alertdialog")
    dialog.get_by_text("douze heures au plus").wait_for()

    page.get_by_role("button", name="J'ai compris").click()
    dialog.wait_for(state="hidden")
    with page.expect_response("**/extranet/session/"):
        page.clock.fast_forward(21_000)

    assert not dialog.is_visible()


def test_the_administration_warns_too(visit, registrar):
    visitor = visit().sign_in_as(registrar)
    page = open_page(visitor, "/admin/")
    pass_time(visitor, page, minutes=56)

    dialog = page.get_by_role("alertdialog")
    dialog.wait_for()
    visitor.page = page
    assert visitor.axe() == []
    page.get_by_role("button", name=STAY).click()

    dialog.wait_for(state="hidden")


# --- After, on the page -----------------------------------------------------------------------


def test_the_page_says_that_it_is_over_and_goes_on_after_signing_in(claire, family_page):
    page = family_page
    page.get_by_label("Adresse", exact=True).fill("3 quai des Brumes")
    pass_time(claire, page, minutes=60, seconds=10)
    page.get_by_text(OVER).wait_for()
    claire.page = page
    assert (claire.axe(), claire.overflows()) == ([], False)
    assert not page.get_by_role("alertdialog").is_visible()

    sign_in_beside(claire, page)
    page.get_by_text("Vous êtes à nouveau connecté").wait_for()
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("status").filter(has_text="enregistré").wait_for()

    assert Family.objects.get(name="Martin").address == "3 quai des Brumes"


def test_the_page_does_not_go_on_for_somebody_else(claire, family_page, stranger):
    page = family_page
    page.get_by_label("Adresse", exact=True).fill("3 quai des Brumes")
    pass_time(claire, page, minutes=61)
    page.get_by_text(OVER).wait_for()

    sign_in_beside(claire, page, stranger.username)
    page.get_by_text("Une autre personne s'est connectée").wait_for()
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_role("heading", name="Votre session a expiré, ou la page").wait_for()

    assert not Family.objects.filter(address="3 quai des Brumes").exists()


def test_the_re_enrolment_hears_it_too(claire, student):
    page = open_page(claire, reverse("reenrolment:edit", args=[student.pk]))
    pass_time(claire, page, minutes=61)
    page.get_by_text(OVER).wait_for()
    page.get_by_label("Informations complémentaires").fill("Pas le mardi.")

    page.get_by_role("button", name="Enregistrer", exact=True).last.click()
    expect(page.get_by_role("link", name="connectez-vous dans un nouvel onglet")).to_be_focused()
    sign_in_beside(claire, page)
    page.clock.run_for(2_000)
    page.get_by_text("Saisie enregistrée à").wait_for()

    assert Reenrolment.objects.get().comment == "Pas le mardi."


# --- After, once it was sent ------------------------------------------------------------------


@WAYS
def test_what_was_sent_too_late_is_given_back(visit, parent, javascript):
    visitor = visit(width=320, javascript=javascript).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("families:identity"))
    page.get_by_label("Adresse", exact=True).fill("3 quai des Brumes")
    pass_time(visitor, minutes=60)
    page.get_by_role("button", name="Enregistrer").click()
    page.get_by_text("votre saisie est gardée").wait_for()

    sign_in(page)
    page.get_by_role("heading", name="Votre saisie est gardée").wait_for()
    if javascript:
        assert (visitor.axe(), visitor.overflows()) == ([], False)
    page.get_by_role("button", name="Reprendre ma saisie").click()
    page.get_by_role("heading", name="Famille").wait_for()

    assert Family.objects.get(name="Martin").address == "3 quai des Brumes"


def test_the_re_enrolments_input_is_given_back_without_javascript(visit, parent, student):
    visitor = visit(width=320, javascript=False).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Informations complémentaires").fill("Pas le mardi.\nNi le jeudi.")
    pass_time(visitor, minutes=60)
    page.get_by_role("button", name="Enregistrer", exact=True).last.click()

    sign_in(page)
    page.get_by_role("button", name="Reprendre ma saisie").click()
    page.get_by_text("Votre saisie est enregistrée.").wait_for()

    assert Reenrolment.objects.get().comment.splitlines() == ["Pas le mardi.", "Ni le jeudi."]


# --- Signing out everywhere -------------------------------------------------------------------


@WAYS
def test_the_other_device_is_out_at_its_next_page(visit, parent, javascript):
    phone = visit(width=360, javascript=javascript).sign_in_as(parent)
    computer = visit(javascript=javascript).sign_in_as(parent)
    computer.page.goto(reverse("accounts:change_password"))
    computer.page.get_by_role("link", name="Mes connexions").click()
    computer.page.get_by_role("button", name="Se déconnecter de tous les autres").click()
    computer.page.get_by_text("Vos autres appareils sont déconnectés.").wait_for()

    phone.page.goto(reverse("families:identity"))

    phone.page.get_by_text("Votre session est terminée").wait_for()
    computer.page.reload()
    computer.page.get_by_role("heading", name="Mes connexions").wait_for()
