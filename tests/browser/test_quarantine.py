"""A piece that waits for the antivirus, then one that it refused, on every page that shows them."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from documents.enums import Scan
from tests.browser.test_pages import WIDTHS, faults
from tests.documents.builders import make_pdf
from tests.factories import DocumentFactory, PieceRuleFactory
from tests.fake_clamd import SIGNATURE
from tests.reenrolment.conftest import make_case

pytestmark = pytest.mark.usefixtures("town")
# A name that no hyphen lets break.
NAME = "attestation_de_paiement_de_la_caisse_d_allocations_familiales.pdf"


@pytest.fixture
def case(student):
    return make_case(student)


@pytest.fixture
def piece(case, family):
    rule = PieceRuleFactory(
        establishment=case.campaign.establishment, school_year=case.campaign.school_year
    )
    return DocumentFactory(
        family=family,
        type=rule.document_type,
        name=NAME,
        scan=Scan.WAITING,
        file__data=SIGNATURE,
    )


@WIDTHS
def test_the_family_s(visit, parent, student, case, piece, clamd, width):
    case.fill_in()
    visitor = visit(width=width).sign_in_as(parent)
    addresses = [
        reverse("reenrolment:edit", args=[student.pk]),
        reverse("reenrolment:check", args=[student.pk]),
        reverse("documents:supplied", args=[student.pk]),
        reverse("documents:download", args=[piece.pk]),
    ]

    assert faults(visitor, addresses) == {}
    assert visitor.page.get_by_role("heading", name="Contrôle de sécurité en attente").is_visible()

    call_command("scan_documents")

    assert faults(visitor, addresses) == {}
    assert visitor.page.get_by_role("heading", name="Fichier effacé").is_visible()


@WIDTHS
def test_the_administration_s(visit, parent, director, case, piece, clamd, width):
    case.fill_in()
    dossier = case.submit(parent)
    visitor = visit(width=width).sign_in_as(director)
    addresses = [
        reverse("admin:documents_document_changelist"),
        reverse("admin:documents_document_change", args=[piece.pk]),
        reverse("admin:reenrolment_reenrolment_change", args=[dossier.pk]),
        reverse("admin:documents_document_file", args=[piece.pk]),
    ]

    assert faults(visitor, addresses) == {}

    call_command("scan_documents")

    assert faults(visitor, addresses) == {}


def test_an_infected_file_is_told_beside_its_field(visit, parent, student, piece, clamd):
    """With JavaScript: the sentence shows, and what was typed stays."""
    visitor = visit(width=320).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    page.get_by_label("Informations complémentaires").fill("Pas le mardi.")

    chosen = {
        "name": "a.pdf",
        "mimeType": "application/pdf",
        "buffer": make_pdf() + b"\n%" + SIGNATURE,
    }
    page.locator("input[type=file]").first.set_input_files(chosen)  # which sends it

    sentence = page.locator(".piece").get_by_text("notre contrôle de sécurité y a reconnu")
    sentence.wait_for()
    assert sentence.is_visible()
    assert page.get_by_label("Informations complémentaires").input_value() == "Pas le mardi."
    assert visitor.axe() == []
