"""« Mes données » played whole: asked for, made by the sender, downloaded, opened; then erased."""

import json
import re
from zipfile import ZipFile

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import DocumentFactory, FamilyFactory, GuardianFactory

WIDTHS = pytest.mark.parametrize("width", [320, 1280])


@WIDTHS
def test_a_copy_from_the_button_to_the_file(visit, parent, student, family, width, tmp_path):
    DocumentFactory(family=family)
    visitor = visit(width=width).sign_in_as(parent)
    page, found = visitor.page, []

    def look():
        found.extend(visitor.axe() + ["overflows"] * visitor.overflows())

    page.goto(reverse("families:identity"))
    page.get_by_role("main").get_by_role("link", name="Mes données").click()
    look()
    page.get_by_role("button", name="Demander une copie de mes données").click()
    page.get_by_text("Un message vous dira quand elle sera prête", exact=False).first.wait_for()
    look()
    call_command("send_mails")
    page.get_by_role("link", name="Actualiser la page").click()
    look()
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger ma copie").click()
    download.value.save_as(tmp_path / "copie.zip")

    with ZipFile(tmp_path / "copie.zip") as archive:
        data = json.loads(archive.read("donnees.json"))
        assert archive.read(data["documents"][0]["fichier"]) == b"%PDF-1.4 dull"
    assert data["foyer"]["nom"] == "Martin"
    assert found == []


@WIDTHS
def test_an_erasure_from_the_request_to_the_end(visit, director, establishment, width):
    """Without JavaScript for the family: a page, a button, a sentence."""
    parent = GuardianFactory(family=FamilyFactory(name="Zola"), last_name="Zola").user
    GuardianFactory(family=parent.guardian.family, last_name="Zola", first_name="Émile")
    visitor = visit(width=width, javascript=False).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("families:my_data"))
    page.get_by_role("link", name="Demander l'effacement").click()
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page).to_have_title(re.compile(r"^\s*Erreur"))
    page.get_by_label("Que voulez-vous faire effacer").fill("Tout le foyer.")
    page.get_by_role("button", name="Envoyer la demande").click()
    page.get_by_text("Demande reçue").wait_for()

    staff = visit(width=width).sign_in_as(director)
    desk, found = staff.page, []
    desk.goto(reverse("admin:families_erasurerequest_changelist"))
    found.extend(staff.axe())
    desk.get_by_role("link", name="Zola").click()
    found.extend(staff.axe() + ["overflows"] * staff.overflows())
    desk.get_by_role("button", name="Effacer ce qui peut l'être").click()
    assert desk.title().strip().startswith("Erreur")
    found.extend(staff.axe())
    desk.get_by_label("accord donné par écrit").check()
    desk.get_by_label("J'ai relu ce qui sera effacé").check()
    desk.get_by_role("button", name="Effacer ce qui peut l'être").click()
    desk.get_by_text("Les données de ce foyer sont effacées.").wait_for()
    found.extend(staff.axe() + ["overflows"] * staff.overflows())
    assert "Zola" not in desk.content()

    page.reload()
    assert "/connexion/" in page.url
    assert found == []


@WIDTHS
def test_the_page_where_one_asks_to_be_erased(visit, parent, width):
    visitor = visit(width=width).sign_in_as(parent)
    visitor.page.goto(reverse("families:ask_erasure"))

    assert visitor.axe() + ["overflows"] * visitor.overflows() == []
