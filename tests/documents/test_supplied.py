"""« documents fournis »: the own household's pieces and the student's, nothing of the other's."""

import datetime as dt
import re
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from documents import services
from documents.enums import RefusalReason
from documents.models import Document
from documents.pieces import valid_until
from tests.factories import DocumentFactory, DocumentTypeFactory, StudentFactory
from tests.queries import FAMILY_PAGE, count_queries


@pytest.fixture
def url(student):
    return f"/extranet/eleves/{student.pk}/documents/"


@pytest.fixture
def signed_in(client, parent):
    client.force_login(parent)
    return client


def shown(response):
    """The rows of the two groups: « Famille », « Élève »."""
    return [list(response.context[group]) for group in ["of_family", "of_student"]]


class TestWho:
    def test_each_household_sees_its_own_and_the_student_s(
        self, client, url, parent, other_parent, family, other_family, student, proof, photo
    ):
        ours = DocumentFactory(type=proof, family=family, name="chez Martin.pdf")
        theirs = DocumentFactory(type=proof, family=other_family, name="chez Durand.pdf")
        face = DocumentFactory(type=photo, student=student, name="Louise.jpg")

        client.force_login(parent)
        response = client.get(url)
        assert shown(response) == [[ours], [face]]
        assert "Durand" not in response.text

        client.force_login(other_parent)
        response = client.get(url)
        assert shown(response) == [[theirs], [face]]
        assert "chez Martin" not in response.text

    def test_not_a_brother_s(self, signed_in, url, family, photo):
        DocumentFactory(type=photo, student=StudentFactory(family=family))

        assert shown(signed_in.get(url)) == [[], []]

    @pytest.mark.parametrize("person", ["stranger", "registrar"])
    def test_nobody_else(self, client, url, request, person):
        client.force_login(request.getfixturevalue(person))

        assert client.get(url).status_code == 404

    def test_no_teacher(self, client, url, teacher):
        client.force_login(teacher.user)

        assert client.get(url).status_code == 404

    def test_an_anonymous_visitor_signs_in_first(self, client, url):
        response = client.get(url)

        assert response.status_code == 302
        assert response["Location"] == f"{reverse('accounts:sign_in')}?next={quote(url)}"

    def test_nothing_is_posted_here(self, signed_in, url):
        assert signed_in.post(url).status_code == 405


class TestWhat:
    def test_a_piece_with_its_name_size_pages_date_state_and_link(
        self, signed_in, url, proof, family
    ):
        document = DocumentFactory(
            type=proof, family=family, name="quittance.pdf", size=1_468_006, pages=4
        )
        Document.objects.update(uploaded_at=dt.datetime(2027, 5, 3, 16, 5, tzinfo=dt.UTC))

        text = re.sub(r"[ \n]+", " ", signed_in.get(url).text)

        link = f'<a class="text-break" href="/extranet/documents/{document.pk}/">'
        assert f"{link}Télécharger quittance.pdf</a>" in text
        assert "(1,4\u00a0Mo, 4&nbsp;pages)" in text
        assert "Envoyée le 3\u00a0mai 2027 à 18\u00a0h\u00a005" in text
        assert text.count("Envoyée le") == 1
        assert "<strong>Justificatif de domicile</strong>" in text
        assert "reçue, à examiner" in text

    def test_an_accepted_one(self, signed_in, url, proof, family, registrar):
        services.accept(DocumentFactory(type=proof, family=family), actor=registrar)

        text = signed_in.get(url).text

        assert ">acceptée<" in text
        assert "Motif du refus" not in text

    def test_a_refused_one_with_the_reason(self, signed_in, url, photo, student, registrar):
        document = DocumentFactory(type=photo, student=student)
        services.refuse(
            document, reason=RefusalReason.UNREADABLE, comment="<Trop sombre>", actor=registrar
        )

        text = signed_in.get(url).text

        assert ">refusée<" in text
        assert "Motif du refus&nbsp;: Le document est illisible. &lt;Trop sombre&gt;</p>" in text
        assert registrar.username not in text

    def test_one_too_old_will_be_asked_for_again(self, signed_in, url, family):
        document = DocumentFactory(type=DocumentTypeFactory(valid_months=6), family=family)
        sentence = "elle ne l'est plus&nbsp;: elle sera redemandée à la prochaine réinscription"
        assert sentence not in signed_in.get(url).text

        Document.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=190))

        response = signed_in.get(url)
        assert response.context["expired"] == {document.pk}
        assert sentence in response.text
        assert "Valable jusqu'au" in response.text

    def test_since_when_it_is_accepted_and_until_when_it_counts(
        self, signed_in, url, family, registrar
    ):
        kind = DocumentTypeFactory(valid_months=6, kept_months=12)
        document = DocumentFactory(type=kind, family=family)
        services.accept(document, actor=registrar)
        Document.objects.update(uploaded_at=timezone.now() - dt.timedelta(days=2))
        today, until = timezone.localdate(), valid_until(Document.objects.get(), kind)

        text = re.sub(r"[ \n]+", " ", signed_in.get(url).text)

        assert f", acceptée le {day(today)} à " in text
        assert f"Valable jusqu'au {day(until)}." in text
        assert "Conservée 12\u00a0mois après la fin de la dernière année scolaire" in text.replace(
            "&#x27;", "'"
        )

    def test_only_the_current_ones(self, signed_in, url, proof, photo, family, student):
        DocumentFactory(type=photo, student=student, removed_at=timezone.now())
        old = DocumentFactory(type=proof, family=family, removed_at=timezone.now())
        current = DocumentFactory(type=proof, family=family)
        Document.objects.filter(pk=old.pk).update(removed_at=None, replaced_by=current)

        response = signed_in.get(url)

        assert shown(response) == [[current], []]
        assert "Aucune pièce de l'élève." in response.text.replace("&#x27;", "'")

    def test_none(self, signed_in, url, student):
        text = signed_in.get(url).text

        assert "Aucune pièce n'a été envoyée pour le moment." in text
        assert f'href="/extranet/eleves/{student.pk}/reinscription/"' in text


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_queries_whatever_the_count(signed_in, url, student, family, count):
    for number in range(count):
        DocumentFactory(type=DocumentTypeFactory(valid_months=6), family=family)
        DocumentFactory(type=DocumentTypeFactory(name=f"Photo {number}"), student=student)

    # Session, account, household, pieces, site.
    assert count_queries(signed_in, url) == 5 <= FAMILY_PAGE
