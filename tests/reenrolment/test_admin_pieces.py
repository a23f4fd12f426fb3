"""The pieces of a dossier, accepted or refused on the page that examines it."""

from uuid import uuid4

import pytest

from documents.enums import RefusalReason, Verdict
from reenrolment.enums import Status
from reenrolment.services import decisions
from tests.factories import DocumentFactory
from tests.reenrolment.dossier_pages import action, page_of, status, told


def test_accept_piece(admin, with_document, document, registrar):
    response = admin.post(action("accept_piece", with_document, document.pk))

    key = f"piece-{document.type_id}-f{document.family_id}"
    assert (response.status_code, response.url) == (302, page_of(with_document, key))
    assert told(admin, response) == [f"«\u00a0{document.type}\u00a0»\u00a0: pièce acceptée."]
    document.refresh_from_db()
    assert document.verdict == Verdict.ACCEPTED
    assert document.reviews.get().actor == registrar
    assert status(with_document) == Status.SUBMITTED


def test_accepting_twice_says_so(admin, with_document, document):
    admin.post(action("accept_piece", with_document, document.pk))

    response = admin.post(action("accept_piece", with_document, document.pk))

    assert "Cette pièce a déjà été examinée ainsi." in told(admin, response)
    assert document.reviews.count() == 1


def test_refuse_piece(admin, with_document, document, registrar):
    response = admin.post(
        action("refuse_piece", with_document, document.pk),
        {"reason": RefusalReason.INCOMPLETE, "comment": "Page 2."},
    )

    assert told(admin, response) == [f"«\u00a0{document.type}\u00a0»\u00a0: pièce refusée."]
    document.refresh_from_db()
    assert (document.verdict, document.refusal) == (
        Verdict.REFUSED,
        "Il manque des pages. Page 2.",
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"reason": "", "comment": "Illisible"}, "reason"),
        ({"reason": "bad", "comment": "Illisible"}, "reason"),
        ({"reason": RefusalReason.OTHER, "comment": " "}, "comment"),
        ({"reason": RefusalReason.TOO_OLD, "comment": "x" * 301}, "comment"),
    ],
)
def test_a_refusal_without_its_reason_keeps_what_was_typed(
    admin, with_document, document, data, field
):
    response = admin.post(action("refuse_piece", with_document, document.pk), data)

    assert response.status_code == 200
    form = response.context["bound"]
    assert list(form.errors) == [field]
    assert form["comment"].value() == data["comment"]
    assert form in [line["form"] for line in response.context["pieces"]]
    text = response.content.decode()
    assert "Erreur" in text.split("</title>")[0]
    assert f'href="#{form[field].auto_id}"' in text
    assert f'id="{form[field].auto_id}_error"' in text
    document.refresh_from_db()
    assert document.verdict == Verdict.PENDING


def test_a_document_of_another_dossier_does_not_exist(admin, with_document):
    other = DocumentFactory(family=None, student=with_document.student)

    for name in ("accept_piece", "refuse_piece"):
        for pk in (other.pk, uuid4()):
            assert admin.post(action(name, with_document, pk)).status_code == 404
    other.refresh_from_db()
    assert other.verdict == Verdict.PENDING


def test_the_pieces_of_a_decided_dossier_are_not_examined(
    admin, with_document, document, registrar
):
    decisions.refuse(with_document, reason="Non.", actor=registrar)

    for name in ("accept_piece", "refuse_piece"):
        assert admin.post(action(name, with_document, document.pk)).status_code == 404
    document.refresh_from_db()
    assert document.verdict == Verdict.PENDING
