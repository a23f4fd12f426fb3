"""The picture that shows what a piece looks like: by the staff, for whoever signs in."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image

from documents.models import DocumentType
from families.files_to_delete import delete_next
from tests.factories import DocumentTypeFactory, PieceRuleFactory

TYPES = "/admin/documents/documenttype/"


def picture(size=(60, 80), image_format="JPEG", name="Modèle été.JPG"):
    content = BytesIO()
    Image.new("RGB", size, "#7a1c3b").save(content, image_format, comment=b"Ma cuisine, 48.85 N")
    return SimpleUploadedFile(name, content.getvalue())


@pytest.fixture
def shown(db):
    return DocumentTypeFactory(shown=True)


@pytest.fixture
def examples(storage):
    """`examples()` lists those that are kept, once the sender has come by."""

    def names():
        while delete_next():
            pass
        folders, _ = storage.listdir("")
        return storage.listdir("examples")[1] if "examples" in folders else []

    return names


class TestView:
    @pytest.mark.parametrize("who", ["parent", "registrar", "teacher"])
    def test_inline_and_unable_to_act(self, client, request, shown, who):
        person = request.getfixturevalue(who)
        client.force_login(getattr(person, "user", person))

        response = client.get(reverse("documents:example", args=[shown.pk]))

        assert response.getvalue().startswith(b"\x89PNG")
        wanted = {
            "Content-Type": "image/png",
            "Content-Disposition": 'inline; filename="exemple.png"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=86400",
        }
        assert {name: response[name] for name in wanted} == wanted

    def test_a_type_without_one_is_not_found(self, client, parent, proof):
        client.force_login(parent)

        assert client.get(reverse("documents:example", args=[proof.pk])).status_code == 404

    def test_nobody_signs_in_first(self, client, shown):
        assert client.get(reverse("documents:example", args=[shown.pk])).status_code == 302

    def test_the_storage_is_down(self, client, parent, shown, broken_storage, caplog):
        client.force_login(parent)

        response = client.get(reverse("documents:example", args=[shown.pk]))

        assert response.status_code == 503
        assert response["Cache-Control"] == "no-store"
        assert "could not be read" in caplog.text


@pytest.mark.usefixtures("transactional_db")
class TestForm:
    @pytest.fixture
    def signed_in(self, client, superuser):
        client.force_login(superuser)
        return client

    @pytest.fixture
    def save(self, signed_in, proof):
        def post(document_type=proof, **changes):
            facts = {
                "name": document_type.name,
                "owner": "family",
                "formats": "pdf",
                "example_alt": "une quittance",
            }
            address = f"{TYPES}{document_type.pk}/change/"
            return signed_in.post(address, facts | changes)

        return post

    def errors(self, response):
        return response.context["adminform"].form.errors

    def test_written_anew_whatever_its_name(self, save, proof, examples):
        assert save(picture=picture(size=(3000, 4000))).status_code == 302

        proof.refresh_from_db()
        [kept] = examples()
        assert proof.example.name == f"examples/{kept}"
        content = proof.example.read()
        assert Image.open(BytesIO(content)).size == (900, 1200)
        assert b"cuisine" not in content

    def test_the_rest_of_the_page_is_saved_too(self, save, proof):
        save(shows_quotient="on", kept_months=12)

        proof.refresh_from_db()
        assert (proof.shows_quotient, proof.kept_months) == (True, 12)

    def test_shown_on_its_page_and_replaced(self, save, signed_in, shown, examples):
        page = signed_in.get(f"{TYPES}{shown.pk}/change/").text
        assert f'src="/extranet/documents/exemples/{shown.pk}/?v={shown.example_version}"' in page
        [former] = examples()

        assert save(shown, picture=picture(name="a.png", image_format="PNG")).status_code == 302

        [kept] = examples()
        assert kept != former
        assert DocumentType.objects.get(pk=shown.pk).example_version == kept[:8]

    def test_kept_when_the_rest_changes_then_taken_away(self, save, shown, examples):
        save(shown, usual_pages=4)
        assert DocumentType.objects.get(pk=shown.pk).example
        assert len(examples()) == 1

        save(shown, forget_example="on", example_alt="")
        assert not DocumentType.objects.get(pk=shown.pk).example
        assert examples() == []

    @pytest.mark.parametrize(
        ("upload", "sentence"),
        [
            (SimpleUploadedFile("exemple.pdf", b"%PDF-1.4 dull"), "image JPEG ou PNG"),
            (SimpleUploadedFile("exemple.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50), "contenu"),
            (SimpleUploadedFile("exemple.svg", b"<svg onload='alert(1)'/>"), ".svg"),
            (SimpleUploadedFile("exemple.jpg", b""), "vide"),
        ],
    )
    def test_a_refused_one_says_why_and_leaves_nothing(
        self, save, proof, examples, upload, sentence
    ):
        response = save(picture=upload, purpose="Le tarif en dépend.")

        assert list(self.errors(response)) == ["picture"]
        assert sentence in self.errors(response)["picture"][0]
        assert "Le tarif en dépend." in response.text
        assert examples() == []
        assert DocumentType.objects.get(pk=proof.pk).purpose == ""

    def test_another_fault_of_the_form_stores_nothing(self, save, shown, examples):
        response = save(picture=picture(), name=shown.name)

        assert list(self.errors(response)) == ["name"]
        assert len(examples()) == 1

    @pytest.mark.parametrize("extra", [{"picture": True}, {}])
    def test_it_is_described(self, save, shown, proof, extra):
        kind = proof if extra else shown
        response = save(kind, example_alt=" ", **({"picture": picture()} if extra else {}))

        assert list(self.errors(response)) == ["example_alt"]

    def test_the_storage_is_down(self, save, proof, broken_storage):
        response = save(picture=picture())

        assert list(self.errors(response)) == ["picture"]
        assert "ne répond pas" in self.errors(response)["picture"][0]
        assert not DocumentType.objects.get(pk=proof.pk).example

    def test_gone_with_its_type(self, signed_in, shown, examples):
        signed_in.post(f"{TYPES}{shown.pk}/delete/", {"post": "yes"})

        assert not DocumentType.objects.exists()
        assert examples() == []


def test_the_database_refuses_one_that_is_not_described(shown):
    with pytest.raises(IntegrityError), transaction.atomic():
        DocumentType.objects.update(example_alt="")


class TestDeletion:
    """A type in use stays: its page says so in a sentence."""

    @pytest.fixture
    def signed_in(self, client, superuser):
        client.force_login(superuser)
        return client

    def test_from_its_page(self, signed_in, proof):
        PieceRuleFactory(document_type=proof)

        response = signed_in.get(f"{TYPES}{proof.pk}/delete/")

        assert "est en usage (1 pièce demandée, 0 fichier envoyé)" in response.text
        assert "ne peut pas être supprimé" in response.text

    def test_however_it_is_asked(self, signed_in, proof):
        PieceRuleFactory(document_type=proof)

        signed_in.post(f"{TYPES}{proof.pk}/delete/", {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [proof.pk], "post": "yes"}
        response = signed_in.post(TYPES, chosen)

        assert "est en usage" in response.text
        assert DocumentType.objects.get() == proof

    def test_one_that_nobody_uses_goes(self, signed_in, proof):
        signed_in.post(f"{TYPES}{proof.pk}/delete/", {"post": "yes"})

        assert not DocumentType.objects.exists()
