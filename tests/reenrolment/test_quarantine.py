"""An infected or quarantined piece, on the page that re-enrols and on the one that examines."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from documents.enums import Scan, Verdict
from documents.models import Document
from imuse import invariants
from reenrolment.pieces import load_pieces
from tests.documents.builders import make_pdf
from tests.factories import DocumentFactory, PieceRuleFactory
from tests.fake_clamd import FOUND, SIGNATURE
from tests.reenrolment.dossier_pages import action, page_of, told

QUARANTINE = "elle ne peut être ni ouverte ni acceptée"


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def two_pieces(family):
    """The names of the fields of two pieces of the family."""
    return [f"piece-{PieceRuleFactory().document_type.pk}-f{family.pk}" for _ in range(2)]


@pytest.fixture
def quarantine(document):
    Document.objects.filter(pk=document.pk).update(scan=Scan.WAITING)


def pdf(content=b""):
    return SimpleUploadedFile("quittance.pdf", make_pdf() + b"\n%" + content, "application/pdf")


def edit(student):
    return reverse("reenrolment:edit", args=[student.pk])


def typed(response, **changes):
    """The whole form as the browser sends it back."""
    data = {}
    for form in (response.context["forms"].dossier, *response.context["forms"].choices):
        for field in form:
            data[field.html_initial_name] = "" if field.value() is None else str(field.value())
    return data | changes


def test_an_infected_file_is_told_beside_its_field_and_the_rest_is_kept(
    home, case, clamd, two_pieces
):
    infected, sane = two_pieces
    data = typed(home.get(edit(case.student)), comment="Pas le mardi.")

    response = home.post(edit(case.student), data | {infected: pdf(b"%" + SIGNATURE), sane: pdf()})

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_{infected}"
    assert "notre contrôle de sécurité y a reconnu un programme malveillant" in sentence
    assert FOUND not in response.text
    assert f'aria-describedby="{field}-hint {field}-errors"' in response.text
    assert case.reenrolment.comment == "Pas le mardi."
    assert [f"piece-{d.type_id}-f{d.family_id}" for d in Document.objects.all()] == [sane]


def test_while_the_antivirus_is_away_the_piece_counts_as_sent(home, case, clamd, two_pieces):
    clamd.stop()
    data = typed(home.get(edit(case.student)))

    response = home.post(edit(case.student), data | {two_pieces[0]: pdf()}, follow=True)

    document = Document.objects.get()
    assert "reçue, contrôle de sécurité en attente" in response.text
    assert "vous n'avez rien à faire" in response.text
    assert reverse("documents:download", args=[document.pk]) not in response.text
    sent, missing = load_pieces(case.reenrolment)
    assert (sent.sets_top_rate, missing.sets_top_rate) == (False, True)


def test_the_summary_says_it_too(home, case, document, quarantine):
    case.fill_in()

    response = home.get(reverse("reenrolment:check", args=[case.student.pk]))

    assert "reçue, contrôle de sécurité en attente" in response.text


def test_on_the_dossier_s_page_it_is_neither_opened_nor_accepted(
    admin, with_document, document, quarantine
):
    text = admin.get(page_of(with_document)).text

    assert QUARANTINE in text
    assert reverse("admin:documents_document_file", args=[document.pk]) not in text
    assert action("accept_piece", with_document, document.pk) not in text
    assert action("refuse_piece", with_document, document.pk) in text

    response = admin.post(action("accept_piece", with_document, document.pk))
    assert told(admin, response) == [
        "Cette pièce est en quarantaine\u00a0: elle ne peut être acceptée qu'une fois le contrôle"
        " de sécurité passé."
    ]


def test_the_viewer_neither_opens_it_nor_offers_to_accept_it(
    admin, with_document, document, quarantine
):
    text = admin.get(action("view_piece", with_document, document.pk)).text

    assert "Pièce en quarantaine" in text
    assert reverse("admin:documents_document_file", args=[document.pk]) not in text
    assert action("accept_viewed", with_document, document.pk) not in text
    assert action("note_viewed", with_document, document.pk) not in text
    assert action("refuse_viewed", with_document, document.pk) in text


def test_cleaned_it_is_a_piece_like_another(admin, with_document, document, quarantine, clamd):
    call_command("scan_documents")

    text = admin.get(page_of(with_document)).text
    assert QUARANTINE not in text
    assert "non analysé" not in text

    admin.post(action("accept_piece", with_document, document.pk))
    document.refresh_from_db()
    assert document.verdict == Verdict.ACCEPTED


def test_found_infected_the_log_says_by_what_and_the_dossier_can_be_returned(
    admin, case, parent, clamd
):
    kind = PieceRuleFactory().document_type
    document = DocumentFactory(
        type=kind, family=parent.guardian.family, scan=Scan.WAITING, file__data=SIGNATURE
    )
    case.fill_in()
    case.submit(parent)
    dossier = case.reenrolment
    call_command("scan_documents")
    assert list(invariants.files()) == []  # its file is gone, as it should

    response = admin.get(page_of(dossier))

    [event, *_] = response.context["page"].events
    assert event.actor == "contrôle automatique"
    assert event.why.endswith(f"Signature\u00a0: {FOUND}")
    assert [piece.document for piece in response.context["page"].refused] == [document]
    assert response.context["page"].may_be_completed
    assert action("accept_piece", dossier, document.pk) not in response.text
    assert reverse("admin:documents_document_file", args=[document.pk]) not in response.text


def test_without_an_antivirus_the_staff_reads_not_analysed(admin, with_document):
    assert "non analysé" in admin.get(page_of(with_document)).text


def test_the_refusal_s_form_does_not_offer_the_antivirus_s_reason(admin, with_document, document):
    response = admin.post(
        action("refuse_piece", with_document, document.pk), {"reason": "security", "comment": ""}
    )

    assert list(response.context["bound"].errors) == ["reason"]
    assert "programme malveillant" not in admin.get(page_of(with_document)).text


@pytest.fixture
def infected(case, parent, clamd):
    """The piece of a dossier to examine, found infected once it was submitted."""
    kind = PieceRuleFactory().document_type
    document = DocumentFactory(
        type=kind, family=parent.guardian.family, scan=Scan.WAITING, file__data=SIGNATURE
    )
    case.fill_in()
    case.submit(parent)
    call_command("scan_documents")
    return document


class TestViewer:
    def test_a_quarantined_piece_is_shown_and_may_only_be_refused(
        self, admin, with_document, document, quarantine
    ):
        response = admin.get(action("view_piece", with_document, document.pk))

        assert "Pièce en quarantaine" in response.text
        assert reverse("admin:documents_document_file", args=[document.pk]) not in response.text
        assert (response.context["may_accept"], response.context["may_refuse"]) == (False, True)
        assert "data-waits" not in response.text  # no image comes before the antivirus

    def test_accepted_all_the_same_it_says_why_not(
        self, admin, with_document, document, quarantine
    ):
        page = admin.get(action("view_piece", with_document, document.pk)).context["page"]

        response = admin.post(
            action("accept_viewed", with_document, document.pk), {"seen": page.seen}
        )

        [message] = told(admin, response)
        assert message.startswith("Cette pièce est en quarantaine")

    def test_the_next_piece_to_examine_is_not_one_in_quarantine(
        self, admin, with_document, document, quarantine
    ):
        response = admin.get(reverse("admin:reenrolment_reenrolment_examine_pieces"))

        assert response.url == reverse("admin:reenrolment_reenrolment_changelist")

    def test_an_infected_piece_says_by_what_it_was_refused(self, admin, case, infected):
        response = admin.get(action("view_piece", case.reenrolment, infected.pk))

        assert "par le contrôle automatique" in " ".join(response.text.split())
        assert "effacé par le contrôle de sécurité" in response.text
        assert (response.context["may_accept"], response.context["may_refuse"]) == (False, False)

    def test_who_was_looking_at_it_is_told(self, admin, with_document, document, quarantine, clamd):
        with document.file.open("wb") as stored:
            stored.write(SIGNATURE)
        page = admin.get(action("view_piece", with_document, document.pk)).context["page"]
        call_command("scan_documents")

        response = admin.post(
            action("refuse_viewed", with_document, document.pk),
            {"seen": page.seen, "reason": "unreadable", "comment": ""},
        )

        assert told(admin, response)[0].startswith("Le contrôle automatique a refusé cette pièce")
