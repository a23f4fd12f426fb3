"""« Listes » as the secretariat goes through them: a file, the report, the yes, the export."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.spreadsheets.reading import read
from families.models import Family
from tests.factories import FamilyFactory
from tests.families.test_lists import LE_GOFF
from tests.lists import csv_of

FILE = "familles.csv"


@pytest.fixture
def secretary(visit, registrar):
    FamilyFactory(name="Martin")
    return lambda **options: visit(**options).sign_in_as(registrar)


@pytest.fixture
def file(tmp_path):
    def write(*rows):
        (tmp_path / FILE).write_bytes(csv_of(*rows, encoding="cp1252"))
        return tmp_path / FILE

    return write


def look(visitor):
    return visitor.axe() + ["overflows"] * visitor.overflows()


@pytest.mark.parametrize(("width", "javascript"), [(1280, True), (360, True), (320, False)])
def test_a_list_goes_in_and_comes_out(secretary, file, tmp_path, width, javascript):
    visitor = secretary(width=width, javascript=javascript)
    page, found = visitor.page, []

    def seen():
        found.extend(look(visitor) if javascript else ["overflows"] * visitor.overflows())

    page.goto(reverse("admin:index"))
    page.get_by_role("link", name="Importer ou exporter des listes").click()
    seen()
    page.get_by_role("link", name="Importer : familles").click()
    seen()
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page).to_have_title(re.compile("^Erreur"))  # once the answer is there
    page.get_by_text("Choisissez un fichier.").wait_for()
    seen()

    long = LE_GOFF | {"Nom": "X" * 120, "Commune": "Tourcoin", "Quotient": "1"}
    page.get_by_label("Fichier", exact=True).set_input_files(file(LE_GOFF, long))
    page.get_by_role("button", name="Vérifier le fichier").click()
    page.get_by_role("heading", name="À corriger dans le fichier").wait_for()
    assert page.get_by_role("button", name="Importer").count() == 0
    seen()

    page.get_by_role("link", name="envoyez le fichier à nouveau").click()
    page.get_by_label("Fichier", exact=True).set_input_files(file(LE_GOFF))
    page.get_by_role("button", name="Vérifier le fichier").click()
    assert not Family.objects.filter(reference="F-1").exists()
    seen()
    page.get_by_role("button", name="Importer 1 ligne").click()
    page.get_by_role("heading", name="Liste importée").wait_for()
    assert Family.objects.get(reference="F-1").name == "Le Goff-d'Aux"
    seen()

    page.get_by_role("link", name="Voir les fiches").click()
    page.get_by_label("Recherche", exact=True).fill("le goff")
    page.get_by_role("button", name="Rechercher").click()
    page.get_by_role("link", name="Exporter").click()
    page.get_by_text("1 ligne sur 2").wait_for()
    seen()
    page.get_by_label("Format").select_option("csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="Exporter").click()
    download.value.save_as(tmp_path / "export.csv")
    (row,) = read((tmp_path / "export.csv").read_bytes()).rows.values()
    assert row[:2] == ["F-1", "Le Goff-d'Aux"]
    assert found == []


def test_a_template_is_downloaded(secretary):
    page = secretary().page
    page.goto(reverse("admin:list_import", args=["creneaux"]))

    with page.expect_download() as download:
        page.get_by_role("link", name="Modèle Excel").click()

    assert download.value.suggested_filename == "modele-creneaux.xlsx"


def test_by_keyboard_alone(secretary, file):
    page = secretary().page
    page.goto(reverse("admin:list_import", args=["familles"]))
    field = page.get_by_label("Fichier", exact=True)
    field.set_input_files(file(LE_GOFF))  # the dialog belongs to the system
    field.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Importer 1 ligne")
    button.wait_for()
    button.focus()
    page.keyboard.press("Space")
    page.get_by_role("heading", name="Liste importée").wait_for()
    assert Family.objects.filter(reference="F-1").exists()
