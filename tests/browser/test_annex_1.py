"""The manual's annex 1, from the lost password to one's own, reading the mail as a family does."""

import re

import pytest
from django.core import mail
from django.core.management import call_command

from accounts.forms import WRONG_PASSWORD

WIDTH = 360  # pixels
JAVASCRIPT = pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
CHOSEN, CHANGED = "Violoncelle7", "Contrebasse8"


def read_the_mail(to):
    """The sender runs; gives the password, and the space that a finger takes with it."""
    mail.outbox.clear()
    call_command("send_mails")
    (message,) = mail.outbox
    assert message.to == [to]
    (line,) = re.findall(r"^    \S{12}$", message.body, re.MULTILINE)
    return f"{line.strip()} "


def sign_in(page, password):
    page.get_by_label("Identifiant").fill("martin.c")
    page.get_by_label("Mot de passe", exact=True).fill(password)
    press(page, "Se connecter")


def choose(page, password, again=None):
    page.get_by_label("Nouveau mot de passe", exact=True).fill(password)
    page.get_by_label("Nouveau mot de passe, une seconde fois", exact=True).fill(again or password)


def press(page, name):
    """The button, and the page that it leads to."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).first.click()


def errors(page):
    return page.locator(".error-summary a").all_inner_texts()


def sign_out(page):
    press(page, "Déconnexion")
    page.get_by_text("Vous avez quitté votre espace").wait_for()


@JAVASCRIPT
def test_annex_1(visit, parent, javascript):
    """Claire Martin, on a phone, knows her identifiant and no password."""
    parent.set_unusable_password()
    parent.save()
    visitor = visit(width=WIDTH, javascript=javascript)
    page = visitor.page

    # « Saisissez votre identifiant et cliquez sur mot de passe perdu »
    page.goto("/extranet/")
    page.get_by_role("link", name="Accès usager").click()
    page.get_by_label("Identifiant").fill("Martin.C")
    press(page, "mot de passe perdu")
    page.get_by_role("heading", name="Mot de passe perdu").wait_for()
    assert page.get_by_label("Identifiant").input_value() == "martin.c"
    assert "?" not in page.url
    assert not visitor.overflows()

    # « … et votre adresse mail » ; « Cliquez sur Valider puis OK »
    page.get_by_label("Adresse e-mail").fill(parent.email)
    press(page, "Valider")
    page.get_by_role("link", name="OK").click()
    page.get_by_role("heading", name="Accès usager").wait_for()

    # « Lorsque vous avez reçu votre mot de passe par mail, saisissez-le »
    one_time = read_the_mail(parent.email)
    sign_in(page, one_time)
    page.get_by_role("heading", name="Choisissez un mot de passe").wait_for()
    for address in ("/extranet/", "/extranet/famille/", "/extranet/eleves/", "/admin/"):
        page.goto(address)
        assert page.url.endswith("/mot-de-passe/choisir/"), address
    choose(page, CHOSEN.lower())
    press(page, "Enregistrer")
    assert len(errors(page)) == 1
    choose(page, CHOSEN)
    press(page, "Enregistrer")
    page.get_by_role("heading", name="Bonjour Claire").wait_for()

    # « Sélectionnez l'onglet Mot de passe et suivez les instructions »
    page.get_by_role("link", name="Mot de passe", exact=True).first.click()
    page.get_by_role("heading", name="Mot de passe", exact=True).wait_for()
    assert page.get_by_text("une longueur comprise entre 8 et 20 caractères").first.is_visible()
    current = page.get_by_label("Mot de passe actuel", exact=True)
    for wrong in (one_time.strip(), CHANGED):
        current.fill(wrong)
        choose(page, CHANGED, again="Contrebasse9")
        press(page, "Changer le mot de passe")
        assert errors(page) == [
            f"Mot de passe actuel\u00a0: {WRONG_PASSWORD}",
            "Nouveau mot de passe, une seconde fois\u00a0: Les deux saisies sont différentes.",
        ]
    current.fill(CHOSEN)
    choose(page, CHANGED)
    press(page, "Changer le mot de passe")
    page.get_by_text("Votre mot de passe est changé.").wait_for()
    assert not visitor.overflows()

    # « … saisissez-le comme indiqué à l'étape 3 »
    sign_out(page)
    page.goto("/extranet/connexion/")
    for old in (one_time, CHOSEN):
        sign_in(page, old)
        page.get_by_text("Connexion impossible").first.wait_for()
    sign_in(page, CHANGED)
    page.get_by_role("heading", name="Bonjour Claire").wait_for()


@JAVASCRIPT
def test_enter_signs_in_and_does_not_lose_the_password(visit, parent, javascript):
    page = visit(width=WIDTH, javascript=javascript).page
    page.goto("/extranet/connexion/")
    page.get_by_label("Identifiant").fill("martin.c")
    with page.expect_navigation():
        page.get_by_label("Mot de passe", exact=True).press("Enter")

    assert page.url.endswith("/extranet/connexion/")
    assert len(errors(page)) == 1
