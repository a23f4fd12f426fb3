"""The mails that a person reads to get in, or to change address, played as he does."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts import mails
from families.models import Guardian
from tests.factories import PASSWORD, GuardianFactory

NEW = "claire@example.net"


def read(address):
    """Sends what waits, and gives the last message to this address."""
    mails.send_due()
    return next(message for message in reversed(mail.outbox) if message.to == [address])


def link_in(text):
    """The path of the only link to the site in a mail, which names the configured address."""
    (path,) = set(re.findall(r"http://127\.0\.0\.1:8000(/\S+)", text))
    return path


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
def test_a_family_changes_its_address(visit, parent, javascript):
    former = parent.email
    family = visit(width=360, javascript=javascript)
    page = family.page
    family.sign_in("martin.c", PASSWORD)
    page.get_by_role("link", name="Famille").first.click()
    page.get_by_role("link", name="Modifier l'adresse e-mail").click()
    page.get_by_label("Nouvelle adresse e-mail").fill(NEW)
    page.get_by_label("Mot de passe actuel", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Envoyer le message").click()
    page.get_by_text("attend d'être confirmée").wait_for()

    link = link_in(read(NEW).body)
    assert "Ce n'est pas vous ?" in read(former).body
    phone = visit(width=320, javascript=javascript).page  # another device, not signed in
    phone.goto(link)
    phone.goto(link)  # and the mail scanner before
    phone.get_by_text(NEW).wait_for()
    phone.get_by_role("button", name="Confirmer cette adresse").click()
    phone.get_by_role("heading", name="Votre adresse e-mail est confirmée").wait_for()
    phone.goto(link)
    phone.get_by_role("heading", name="Ce lien ne fonctionne plus").wait_for()

    assert "vient d'être changée" in read(former).body
    page.get_by_role("link", name="Famille").first.click()
    assert page.get_by_label("Adresse e-mail").first.input_value() == NEW
    assert page.get_by_text("attend d'être confirmée").count() == 0


def test_an_invited_responsable_signs_in(visit, family, registrar, parent):
    """The mail of the invitation alone leads to the household's pages."""
    guardian = GuardianFactory(family=family, user=None, first_name="Paul", email="p@example.org")
    desk = visit().sign_in_as(registrar).page
    desk.goto(reverse("admin:families_family_change", args=[family.pk]))
    desk.get_by_role("link", name="Comptes du foyer").click()
    desk.get_by_role("button", name="Inviter Paul Martin").click()
    desk.get_by_text("l'invitation part à p@example.org").wait_for()

    invitation = read(guardian.email).body
    username = re.search(r"Votre identifiant : (\S+)", invitation)[1]
    paul = visit(width=360)
    paul.page.goto(reverse("accounts:lost_password"))
    paul.page.get_by_label("Identifiant").fill(username)
    paul.page.get_by_label("Adresse e-mail").fill(guardian.email)
    paul.page.get_by_role("button", name="Valider").click()
    paul.page.wait_for_url(f"**{reverse('accounts:lost_password_done')}")
    password = re.search(r"^    (\S{12})$", read(guardian.email).body, re.MULTILINE)[1]
    paul.sign_in(username, password)
    paul.page.wait_for_url(f"**{reverse('accounts:choose_password')}")  # loaded, scripts included
    for label in ("Nouveau mot de passe", "Nouveau mot de passe, une seconde fois"):
        paul.page.get_by_label(label, exact=True).fill("Violoncelle7")
    paul.page.get_by_role("button", name="Enregistrer").click()
    paul.page.get_by_role("heading", name="Bonjour Paul").wait_for()

    desk.reload()
    desk.get_by_text("Connecté", exact=True).wait_for()
    assert Guardian.objects.get(pk=guardian.pk).user.username == username
