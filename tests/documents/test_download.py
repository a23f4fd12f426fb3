"""A file goes to its own family only, and can do nothing in the browser."""

import uuid
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from documents.models import Document
from tests.factories import DocumentFactory, GuardianFactory

CONTENT = b"%PDF-1.4 dull"  # of the factory


@pytest.fixture
def of_family(proof, family):
    return DocumentFactory(type=proof, family=family)


@pytest.fixture
def of_student(photo, student):
    return DocumentFactory(type=photo, student=student)


@pytest.fixture
def get(client):
    """`get(document, user)`: what this person is answered."""

    def answer(document, user):
        client.force_login(user)
        return client.get(f"/extranet/documents/{document.pk}/")

    return answer


class TestWho:
    def test_the_family_and_its_other_guardian(self, get, parent, family, of_family, of_student):
        father = GuardianFactory(family=family, first_name="Paul").user

        for document in [of_family, of_student]:
            assert [get(document, user).status_code for user in [parent, father]] == [200, 200]

    def test_a_student_s_piece_belongs_to_both_households(self, get, other_parent, of_student):
        assert get(of_student, other_parent).status_code == 200

    def test_a_family_s_piece_is_hidden_from_the_other_household(
        self, get, other_parent, of_family
    ):
        assert get(of_family, other_parent).status_code == 404

    @pytest.mark.parametrize("person", ["stranger", "registrar", "accountant", "director"])
    def test_nobody_else(self, get, request, person, of_family, of_student):
        user = request.getfixturevalue(person)

        assert [get(d, user).status_code for d in [of_family, of_student]] == [404, 404]

    def test_no_teacher(self, get, teacher, of_family, of_student):
        answers = [get(document, teacher.user) for document in [of_family, of_student]]

        assert [answer.status_code for answer in answers] == [404, 404]

    def test_one_that_does_not_exist(self, get, parent):
        assert get(Document(pk=uuid.uuid4()), parent).status_code == 404

    def test_an_anonymous_visitor_signs_in_first(self, client, of_family):
        url = reverse("documents:download", args=[of_family.pk])

        response = client.get(url)

        assert response.status_code == 302
        assert response["Location"] == f"{reverse('accounts:sign_in')}?next={quote(url)}"

    def test_nothing_is_posted_here(self, client, parent, of_family):
        client.force_login(parent)

        assert client.post(f"/extranet/documents/{of_family.pk}/").status_code == 405


class TestWhat:
    def test_the_file_and_headers_that_keep_it_still(self, get, parent, of_family):
        response = get(of_family, parent)

        assert response.getvalue() == CONTENT
        wanted = {
            "Content-Type": "application/pdf",
            "Content-Length": str(len(CONTENT)),
            "Content-Disposition": 'attachment; filename="justificatif.pdf"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        assert {name: response[name] for name in wanted} == wanted

    @pytest.mark.parametrize(
        ("name", "header"),
        [
            ("avis 2026 (1).pdf", 'attachment; filename="avis 2026 (1).pdf"'),
            ('a"b\\c.pdf', 'attachment; filename="a\\"b\\\\c.pdf"'),
            ("d'été.pdf", "attachment; filename*=utf-8''d%27%C3%A9t%C3%A9.pdf"),
            ("a\r\nX: y.pdf", "attachment; filename*=utf-8''a%0D%0AX%3A%20y.pdf"),
        ],
    )
    def test_whatever_the_name_the_header_is_sound(self, get, parent, proof, family, name, header):
        document = DocumentFactory(type=proof, family=family, name=name)

        assert get(document, parent)["Content-Disposition"] == header

    def test_a_piece_replaced_or_taken_back_can_still_be_read(
        self, get, parent, proof, family, of_family
    ):
        Document.objects.update(removed_at=timezone.now())

        assert get(of_family, parent).status_code == 200

    def test_its_length_is_known_before_it_is_fetched(self, client, parent, of_family):
        client.force_login(parent)

        response = client.head(f"/extranet/documents/{of_family.pk}/")

        assert response["Content-Length"] == str(len(CONTENT))

    def test_a_file_that_is_missing_is_said_calmly(self, get, parent, of_family, storage, caplog):
        storage.delete(of_family.file.name)

        response = get(of_family, parent)

        assert response.status_code == 503
        assert "Fichier indisponible pour le moment" in response.text
        assert "Content-Disposition" not in response
        assert [r.levelname for r in caplog.records if r.name == "documents.lending"] == ["ERROR"]

    def test_a_storage_that_is_down_is_said_calmly(self, get, parent, of_family, request):
        request.getfixturevalue("broken_storage")

        assert get(of_family, parent).status_code == 503
