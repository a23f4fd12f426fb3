"""The pieces of a dossier, in each of their states: folded, opened, and replaced by the family."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import Verdict
from documents.models import Document
from tests.documents.builders import make_pdf
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    FamilyFactory,
    PieceRuleFactory,
)
from tests.reenrolment.conftest import make_case

pytestmark = pytest.mark.usefixtures("town")
WIDTHS = pytest.mark.parametrize("width", [320, 1280])
TOLD = {
    "shown": True,
    "help_text": "Quittance de loyer, ou facture d'électricité, de gaz, d'eau ou d'internet.",
    "valid_months": 6,
    "usual_pages": 2,
    "kept_months": 12,
    "purpose": "le tarif n'est pas le même pour les habitants de la ville.",
}
ACCEPTED, OLD = "Attestation de la CAF", "Avis d'imposition du foyer"
COVERED = "Facture d'électricité"


@pytest.fixture
def states(town, student, family, registrar):
    """A piece in each state, the student's second household having sent the last one."""
    make_case(student)
    other = FamilyFactory(name="Durand")
    CustodyFactory(student=student, family=other, rank=2)

    def ask(name, position, **kwargs):
        kind = DocumentTypeFactory(name=name, **TOLD)
        PieceRuleFactory(document_type=kind, position=position, **kwargs)
        return kind

    kept = DocumentFactory(type=ask(ACCEPTED, 11), family=family)
    documents.accept(kept, actor=registrar)
    DocumentFactory(type=ask("Livret de famille", 12), family=family)
    old = DocumentFactory(type=ask(OLD, 13), family=family)
    Document.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - dt.timedelta(days=400))
    DocumentFactory(
        type=ask("Certificat de scolarité", 14),
        family=family,
        verdict=Verdict.REFUSED,
        refusal="Le document est illisible. Reprenez la photo à la lumière du jour.",
    )
    ask("Assurance", 15, each_home=False)
    DocumentFactory(type=ask(COVERED, 16, each_home=False), family=other)
    return kept


@WIDTHS
def test_each_state_folded_and_opened(visit, parent, student, states, width):
    visitor = visit(width=width).sign_in_as(parent)
    for name in ["reenrolment:edit", "documents:supplied"]:
        visitor.page.goto(reverse(name, args=[student.pk]))
        assert visitor.axe() + ["overflows"] * visitor.overflows() == []

    visitor.page.goto(reverse("reenrolment:edit", args=[student.pk]))
    for summary in visitor.page.locator("#pieces summary").all():
        summary.click()
    visitor.page.locator(".piece-example").first.scroll_into_view_if_needed()
    visitor.page.wait_for_function("document.querySelector('.piece-example').naturalWidth > 0")
    assert visitor.axe() + ["overflows"] * visitor.overflows() == []


@pytest.mark.parametrize("javascript", [True, False])
def test_a_settled_piece_is_replaced_from_its_fold(visit, parent, student, states, javascript):
    visitor = visit(width=360, javascript=javascript).sign_in_as(parent)
    page = visitor.page
    page.goto(reverse("reenrolment:edit", args=[student.pk]))
    piece = page.locator(".piece", has_text=ACCEPTED)
    assert "rien à envoyer" in piece.inner_text()
    field = piece.locator("input[type=file]:not([multiple])")
    assert not field.is_visible()

    piece.get_by_text("Envoyer une version plus récente").click()
    field.set_input_files(
        {"name": "recente.pdf", "mimeType": "application/pdf", "buffer": make_pdf()}
    )
    if not javascript:
        piece.get_by_role("button", name=re.compile("Remplacer")).click()

    piece.get_by_text("recente.pdf").wait_for()
    assert "Déjà envoyée" in piece.inner_text()
    assert Document.objects.current().get(type=states.type, family=states.family).pk != states.pk


@WIDTHS
def test_the_staff_s_pages(visit, superuser, states, width):
    visitor = visit(width=width).sign_in_as(superuser)
    for address in [
        reverse("admin:documents_documenttype_changelist"),
        reverse("admin:documents_documenttype_change", args=[states.type_id]),
        reverse("admin:documents_documenttype_delete", args=[states.type_id]),
        reverse("admin:documents_piecerule_changelist"),
    ]:
        visitor.page.goto(address)
        assert (address, visitor.axe()) == (address, [])

    visitor.page.goto(reverse("admin:documents_piecerule_changelist"))
    visitor.page.locator("#action-toggle").check()
    visitor.page.locator("select[name=action]").select_option("renew")
    visitor.page.locator("button[name=index]").first.click()
    visitor.page.get_by_role("heading", name="Reconduire les pièces demandées").wait_for()
    assert visitor.axe() + ["overflows"] * visitor.overflows() == []
