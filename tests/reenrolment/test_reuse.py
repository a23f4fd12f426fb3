"""« Dites-le-nous une fois »: what is held and still valid is asked again on no page."""

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from accounts.models import Mail
from documents import services as documents
from documents.enums import RefusalReason
from documents.models import Document, Review
from reenrolment.households import load_households
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from tests.documents.builders import make_pdf
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    DocumentTypeFactory,
    FamilyFactory,
    GuardianFactory,
    PieceRuleFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case


@pytest.fixture
def proof(case):
    """A household's piece, good for six months, with all that may be told of it."""
    kind = DocumentTypeFactory(
        shown=True,
        name="Justificatif de domicile",
        help_text="Une quittance ou une facture.",
        valid_months=6,
        usual_pages=2,
        kept_months=12,
        purpose="le tarif en dépend.",
    )
    PieceRuleFactory(document_type=kind)
    return kind


@pytest.fixture
def hand_in(registrar):
    """`hand_in(kind, family=…)` keeps a piece sent so many days ago, accepted the day after."""

    def make(kind, *, days_ago=40, accepted=True, **owner):
        document = DocumentFactory(type=kind, **owner)
        sent = timezone.now() - dt.timedelta(days=days_ago)
        Document.objects.filter(pk=document.pk).update(uploaded_at=sent)
        if accepted:
            documents.accept(document, actor=registrar)
            at = sent + dt.timedelta(days=1)
            Review.objects.filter(document=document).update(at=at)
        return Document.objects.get(pk=document.pk)

    return make


@pytest.fixture
def read(client, parent):
    """`read("edit", student)` gives the words of a page, as the parent reads it."""
    client.force_login(parent)

    def text(name, student):
        page = client.get(reverse(name, args=[student.pk])).text
        page = page.replace("&#x27;", "'").replace("&nbsp;", "\u00a0")
        return re.sub(r"[ \n]+", " ", page)

    return text


def on(at):
    return day(timezone.localdate(at))


class TestAccepted:
    """Once, for all the children, for as long as it is valid."""

    @pytest.fixture
    def held(self, proof, family, hand_in):
        return hand_in(proof, family=family)

    def accepted(self, held):
        return f"Déjà fournie, acceptée le {on(held.reviews.get().at)}"

    def test_the_page_asks_for_nothing(self, read, held, student):
        text = read("reenrolment:edit", student)

        assert f"{self.accepted(held)}\u00a0: <strong>rien à envoyer</strong>." in text
        assert re.search(r"Valable jusqu'au \d+(er)?\u00a0\w+ \d{4}\.", text)
        assert f'href="/extranet/documents/{held.pk}/"' in text
        assert '<details class="piece-more" > <summary>Envoyer une version plus récente' in text

    def test_nor_that_of_his_sister(self, read, held, case, family):
        sister = StudentFactory(family=family)
        make_case(sister, slot=case.slot)

        assert self.accepted(held) in read("reenrolment:edit", sister)

    def test_accueil_has_nothing_to_do_about_it(self, client, parent, held):
        client.force_login(parent)

        assert "Justificatif" not in client.get(reverse("imuse:home")).text

    def test_it_lacks_nowhere(self, read, held, case, student):
        case.fill_in()

        text = read("reenrolment:check", student)

        assert self.accepted(held) in text
        assert "tarif haut sera appliqué" not in text

    def test_it_is_among_those_not_to_send_again(self, held, case, family):
        [household] = load_households(case.campaign, [family])

        assert [piece.document for piece in household.held] == [held]
        assert household.to_prepare == []

    def test_documents_fournis(self, read, held, student):
        text = read("documents:supplied", student)

        assert f", acceptée le {on(held.reviews.get().at)} à " in text
        assert "Valable jusqu'au" in text

    def test_the_staff_reads_since_when(self, client, director, held, case, parent):
        case.fill_in()
        case.submit(parent)
        client.force_login(director)
        page = reverse("admin:reenrolment_reenrolment_change", args=[case.reenrolment.pk])

        assert f"Acceptée le {on(held.reviews.get().at)}" in client.get(page).text

    def test_the_right_is_frozen_at_the_submission(self, held, case, parent, proof, read, student):
        """Out of date the day after, it was good on the day."""
        case.fill_in()
        case.submit(parent)
        Document.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=700))

        [piece] = load_pieces(case.reenrolment)

        assert (piece.document, piece.sets_top_rate) == (held, False)
        assert "manquante" not in read("reenrolment:edit", student)

    def test_a_complement_asks_for_the_others_alone(
        self, held, case, parent, director, read, student
    ):
        photo = DocumentTypeFactory(photo=True)
        PieceRuleFactory(document_type=photo, position=2)
        case.fill_in()
        case.submit(parent)
        [missing] = [p for p in load_pieces(case.reenrolment) if p.is_missing]
        until = timezone.now() + dt.timedelta(days=3)
        decisions.request_complement(
            case.reenrolment, pieces=[missing], until=until, actor=director
        )

        text = read("reenrolment:edit", student)

        assert self.accepted(held) in text
        assert "Envoyer une version plus récente" not in text
        assert text.count('type="file"') == 1


def test_a_pending_one_is_said_to_be_examined(read, proof, family, student, hand_in):
    sent = hand_in(proof, family=family, accepted=False)

    text = read("reenrolment:edit", student)

    assert f"Déjà envoyée le {on(sent.uploaded_at)}, en cours d'examen." in text
    assert "manquante" not in text


def test_one_too_old_is_asked_again(read, case, proof, family, student, hand_in):
    old = hand_in(proof, family=family, days_ago=400)
    sentence = f"Celle envoyée le {on(old.uploaded_at)} n'est plus valable"
    case.fill_in()

    assert f"{sentence}\u00a0: <strong>envoyez-en une récente</strong>." in read(
        "reenrolment:edit", student
    )
    assert sentence in read("reenrolment:check", student)
    assert "elle ne l'est plus" in read("documents:supplied", student)


def test_a_student_s_own_of_a_former_year(read, case, student, family, hand_in):
    photo = DocumentTypeFactory(photo=True, valid_months=36)
    PieceRuleFactory(document_type=photo)
    hand_in(photo, student=student, days_ago=400)
    brother = StudentFactory(family=family)
    make_case(brother, slot=case.slot)

    assert "Déjà fournie, acceptée le" in read("reenrolment:edit", student)
    assert "Déjà fournie" not in read("reenrolment:edit", brother)


class TestWhatIsTold:
    """Of a piece to send: what, how recent, how long; folded: why, until when, an example."""

    def test_all_of_it(self, read, proof, student):
        text = read("reenrolment:edit", student)

        assert "Une quittance ou une facture.<br>" in text
        assert (
            "Document de moins de 6\u00a0mois · 2\u00a0pages d'habitude · "
            "Format\u00a0: PDF, 2\u00a0Mo au plus." in text
        )
        assert "Pourquoi nous la demandons\u00a0: le tarif en dépend.<br>" in text
        assert (
            "Conservée 12\u00a0mois après la fin de la dernière année scolaire où elle sert" in text
        )
        address = f"/extranet/documents/exemples/{proof.pk}/?v={proof.example_version}"
        assert f'src="{address}" alt="Exemple\u00a0: une quittance, le nom encadré."' in text
        assert 'loading="lazy"' in text

    def test_nothing_of_what_nobody_said(self, read, case, student):
        PieceRuleFactory()

        text = read("reenrolment:edit", student)

        assert "Pourquoi nous la demandons" not in text
        assert "d'habitude" not in text
        assert "piece-example" not in text
        assert "Conservée tant que votre foyer est connu du conservatoire." in text


class TestOneHomeIsEnough:
    @pytest.fixture
    def rule(self, proof):
        rule = proof.rules.get()
        rule.each_home = False
        rule.save()
        return rule

    @pytest.fixture
    def other_family(self, student):
        family = FamilyFactory(name="Durand")
        CustodyFactory(student=student, family=family, rank=2)
        return family

    @pytest.fixture
    def other_parent(self, other_family):
        return GuardianFactory(
            family=other_family, last_name="Durand", email="durand@example.org"
        ).user

    @pytest.fixture
    def theirs(self, rule, other_family, hand_in):
        document = hand_in(rule.document_type, family=other_family)
        Document.objects.filter(pk=document.pk).update(name="secret-durand.pdf")
        return document

    def test_nobody_sent_it_yet(self, read, rule, other_family, student, case):
        case.fill_in()

        text = read("reenrolment:edit", student)
        assert "En garde alternée, l'envoi d'un seul des deux foyers suffit." in text
        assert "L'autre foyer" not in text
        assert read("reenrolment:check", student).count("<li>Justificatif de domicile</li>") == 1

    def test_the_other_s_suffices_and_stays_unseen(self, read, theirs, student, case):
        case.fill_in()
        for page in ["reenrolment:edit", "reenrolment:check", "documents:supplied"]:
            text = read(page, student)
            assert "secret-durand" not in text
            assert str(theirs.pk) not in text
            assert "acceptée le" not in text
            assert "manquante" not in text
            assert "tarif haut sera appliqué" not in text

        text = read("reenrolment:edit", student)
        assert "Rien n'est demandé à votre foyer pour cette pièce." in text
        assert 'type="file"' not in text

    def test_ours_refused_nothing_more_is_asked(
        self, read, theirs, family, student, case, hand_in, registrar
    ):
        ours = hand_in(theirs.type, accepted=False, family=family)
        documents.refuse(ours, reason=RefusalReason.UNREADABLE, actor=registrar)
        case.fill_in()

        text = read("reenrolment:edit", student)

        assert "Refusée : Le document est illisible." in text.replace("\u00a0", " ")
        assert "Rien de plus n'est demandé à votre foyer pour cette pièce." in text

    def test_nothing_of_it_in_the_mails_nor_in_what_is_to_prepare(
        self, theirs, case, parent, other_parent, family, other_family
    ):
        ours, other = load_households(case.campaign, [family, other_family])
        assert (ours.to_prepare, ours.held) == ([], [])
        assert [piece.document for piece in other.held] == [theirs]

        case.fill_in()
        case.submit(parent)

        bodies = {mail.to: mail.body for mail in Mail.objects.all()}
        mine = bodies[family.guardians.get().email]
        assert "Justificatif de domicile" not in mine
        assert "Justificatif de domicile" in bodies[other_family.guardians.get().email]
        assert case.reenrolment.missing_pieces == 0

    def test_one_missing_is_counted_once(self, rule, other_family, case, parent):
        case.fill_in()
        case.submit(parent)

        assert case.reenrolment.missing_pieces == 1

    def test_refused_after_the_submission_it_is_asked_of_both_and_either_completes(
        self, theirs, case, parent, director, family, other_family, rule, client, read, student
    ):
        case.fill_in()
        case.submit(parent)
        documents.refuse(theirs, reason=RefusalReason.TOO_OLD, actor=director)
        pieces = load_pieces(case.reenrolment)
        assert [piece.sets_top_rate for piece in pieces] == [True, True]
        until = timezone.now() + dt.timedelta(days=3)
        decisions.request_complement(case.reenrolment, pieces=pieces, until=until, actor=director)
        assert 'type="file"' in read("reenrolment:edit", student)

        DocumentFactory(type=rule.document_type, family=family)
        submission.complete(case.reenrolment, actor=parent)

        ours, other = load_pieces(case.reenrolment)
        assert (ours.sets_top_rate, other.sets_top_rate) == (False, False)
        assert case.reenrolment.missing_pieces == 0

    def test_the_staff_sees_that_it_is_not_asked(self, client, director, theirs, case, parent):
        case.fill_in()
        case.submit(parent)
        client.force_login(director)
        page = reverse("admin:reenrolment_reenrolment_change", args=[case.reenrolment.pk])

        text = client.get(page).text.replace("&#x27;", "'")

        assert "Celle de l'autre foyer suffit." in text
        assert "non demandée" in text

    def test_a_file_sent_all_the_same_is_ignored(self, client, parent, theirs, case, family):
        case.fill_in()
        client.force_login(parent)
        key = f"piece-{theirs.type_id}-f{family.pk}"

        address = reverse("reenrolment:edit", args=[case.student.pk])
        client.post(address, {key: SimpleUploadedFile("facture.pdf", make_pdf()), "send": key})

        assert not Document.objects.filter(family=family).exists()
