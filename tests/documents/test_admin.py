"""The staff's pages: a file opens with the permission and is logged, nothing changes by a form."""

import pytest
from django.urls import reverse

from accounts.models import User
from documents import services
from documents.enums import RefusalReason, Verdict
from documents.models import Access, Document, DocumentType, PieceRule
from tests.factories import (
    CommuneFactory,
    DocumentFactory,
    DocumentTypeFactory,
    EstablishmentFactory,
    FamilyFactory,
    PieceRuleFactory,
    SchoolYearFactory,
    StudentFactory,
    UserFactory,
)
from tests.queries import count_queries

LIST = "/admin/documents/document/"


@pytest.fixture
def document(proof, family):
    return DocumentFactory(type=proof, family=family)


@pytest.fixture
def signed_in(client, registrar):
    client.force_login(registrar)
    return client


def page(document, action="change"):
    return f"{LIST}{document.pk}/{action}/"


def listed(response):
    return list(response.context["cl"].result_list)


def verdict(document):
    return Document.objects.get(pk=document.pk).verdict


def messages(response):
    return [str(message) for message in response.context["messages"]]


class TestFile:
    def test_it_is_lent_with_the_headers_of_the_family_s_and_logged(
        self, signed_in, document, registrar
    ):
        response = signed_in.get(reverse("admin:documents_document_file", args=[document.pk]))

        assert response.getvalue() == b"%PDF-1.4 dull"
        wanted = {
            "Content-Length": "13",
            "Content-Disposition": 'attachment; filename="justificatif.pdf"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        assert {name: response[name] for name in wanted} == wanted
        assert "no-store" in response["Cache-Control"]  # with what the admin adds
        assert [(a.document, a.actor) for a in Access.objects.all()] == [(document, registrar)]

    def test_the_access_is_logged_before_the_first_byte(self, signed_in, document):
        response = signed_in.get(page(document, "fichier"))

        assert response.streaming
        assert Access.objects.count() == 1  # nothing of the stream was read yet

    def test_no_log_no_file(self, client, registrar, document, monkeypatch):
        def fail(*args, **kwargs):
            raise RuntimeError("The log is down.")

        monkeypatch.setattr(services, "log_access", fail)
        client.force_login(registrar)
        client.raise_request_exception = False

        assert client.get(page(document, "fichier")).status_code == 500

    def test_staff_without_the_permission(self, client, accountant, document):
        client.force_login(accountant)

        assert client.get(page(document, "fichier")).status_code == 403
        assert Access.objects.count() == 0

    @pytest.mark.parametrize("person", ["parent", "stranger"])
    def test_who_is_no_staff_is_sent_to_the_sign_in(self, client, request, person, document):
        client.force_login(request.getfixturevalue(person))

        response = client.get(page(document, "fichier"))

        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")
        assert Access.objects.count() == 0

    def test_nothing_is_posted_here(self, signed_in, document):
        assert signed_in.post(page(document, "fichier")).status_code == 405

    def test_one_that_does_not_exist(self, signed_in, document):
        Document.objects.all().delete()

        assert signed_in.get(page(document, "fichier")).status_code == 404

    def test_a_storage_that_is_down_is_said_and_nothing_was_read(
        self, signed_in, document, request
    ):
        request.getfixturevalue("broken_storage")

        response = signed_in.get(page(document, "fichier"))

        assert response.status_code == 503
        assert "notre espace de stockage ne répond pas" in response.text
        assert Access.objects.count() == 0


class TestPage:
    def test_reviews_and_accesses_are_read_there(self, signed_in, document, registrar):
        services.refuse(document, reason=RefusalReason.TOO_OLD, comment="De 2021.", actor=registrar)
        services.log_access(document, actor=registrar)

        response = signed_in.get(page(document))

        assert "Le document est trop ancien. De 2021." in response.text
        formsets = response.context["inline_admin_formsets"]
        assert [len(formset.formset.queryset) for formset in formsets] == [1, 1]
        assert {formset.has_change_permission for formset in formsets} == {False}
        assert f'href="{page(document, "fichier")}"' in response.text

    def test_without_the_permission_to_read_no_link_leads_to_the_file(self, client, document):
        client.force_login(self.staff("view_document"))

        response = client.get(page(document))

        assert response.status_code == 200
        assert "/fichier/" not in response.text
        assert "Accepter cette pièce" not in response.text

    def test_nothing_is_added_changed_or_deleted(self, client, director, document):
        client.force_login(director)

        answers = [
            client.get(f"{LIST}add/"),
            client.post(page(document), {"verdict": "accepted"}),
            client.post(page(document, "delete"), {"post": "yes"}),
        ]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert verdict(document) == Verdict.PENDING

    def test_accepted_from_its_page(self, signed_in, document, registrar):
        assert "Accepter cette pièce" in signed_in.get(page(document)).text

        response = signed_in.post(page(document, "accepter"), follow=True)

        assert response.redirect_chain == [(page(document), 302)]
        assert messages(response) == [f"{document}\u00a0: pièce acceptée."]
        assert verdict(document) == Verdict.ACCEPTED
        assert [review.actor for review in document.reviews.all()] == [registrar]
        assert "Accepter cette pièce" not in response.text

    def test_accepted_twice_is_said(self, signed_in, document, registrar):
        services.accept(document, actor=registrar)

        response = signed_in.post(page(document, "accepter"), follow=True)

        assert messages(response) == [f"{document}\u00a0: Cette pièce a déjà été examinée ainsi."]

    def test_not_accepted_by_a_link(self, signed_in, document):
        assert signed_in.get(page(document, "accepter")).status_code == 405

    def test_not_accepted_without_the_permission(self, client, document):
        client.force_login(self.staff("view_document", "read_document"))

        assert client.post(page(document, "accepter")).status_code == 403
        assert verdict(document) == Verdict.PENDING

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_count(self, signed_in, document, registrar, count):
        for _ in range(count):
            services.log_access(document, actor=UserFactory())
            services.accept(document, actor=UserFactory())
            services.refuse(document, reason=RefusalReason.TOO_OLD, actor=UserFactory())

        assert count_queries(signed_in, page(document)) == 9

    def staff(self, *codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(permissions(codenames))
        return user


def permissions(codenames):
    model = User.user_permissions.field.related_model
    return model.objects.filter(codename__in=codenames, content_type__app_label="documents")


class TestList:
    def test_the_current_ones_unless_asked(self, signed_in, document):
        old = DocumentFactory(type=DocumentTypeFactory(), family=document.family)
        new = DocumentFactory(type=DocumentTypeFactory(), family=document.family)
        Document.objects.filter(pk=old.pk).update(replaced_by=new)

        assert set(listed(signed_in.get(LIST))) == {document, new}
        assert listed(signed_in.get(f"{LIST}?version=anciennes")) == [old]
        assert set(listed(signed_in.get(f"{LIST}?version=toutes"))) == {document, old, new}

    def test_by_verdict_and_type(self, signed_in, document, photo, student, registrar):
        face = DocumentFactory(type=photo, student=student)
        services.accept(face, actor=registrar)

        assert listed(signed_in.get(f"{LIST}?verdict__exact=pending")) == [document]
        assert listed(signed_in.get(f"{LIST}?type__id__exact={photo.pk}")) == [face]

    @pytest.mark.parametrize(
        ("words", "found"),
        [("nguyen", [0, 1]), ("Éléonore", [0, 1]), ("NGUYỄN eleonore", [0, 1]), ("lefort", [2])],
    )
    def test_found_by_family_or_student(self, signed_in, proof, photo, words, found):
        family = FamilyFactory(name="Nguyễn")
        student = StudentFactory(last_name="Nguyễn", first_name="Éléonore", family=family)
        StudentFactory(last_name="Nguyễn", first_name="Éléonore-Rose", family=family)
        documents = [
            DocumentFactory(type=proof, family=family),
            DocumentFactory(type=photo, student=student),
            DocumentFactory(type=proof, family=FamilyFactory(name="Lefort")),
        ]

        results = listed(signed_in.get(LIST, {"q": words}))

        assert sorted(documents.index(row) for row in results) == found

    def test_accepted_from_the_list_row_by_row(
        self, signed_in, document, photo, student, registrar
    ):
        done = DocumentFactory(type=photo, student=student)
        services.accept(done, actor=registrar)

        response = signed_in.post(
            LIST, {"action": "accept", "_selected_action": [document.pk, done.pk]}, follow=True
        )

        assert sorted(messages(response)) == [
            f"{document}\u00a0: pièce acceptée.",
            f"{done}\u00a0: Cette pièce a déjà été examinée ainsi.",
        ]
        assert verdict(document) == Verdict.ACCEPTED
        assert [review.actor for review in document.reviews.all()] == [registrar]

    def test_only_by_those_who_examine(self, client, document):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(permissions(["view_document"]))
        client.force_login(user)

        client.post(LIST, {"action": "accept", "_selected_action": [document.pk]})

        assert verdict(document) == Verdict.PENDING

    def test_not_for_the_regie(self, client, accountant, document):
        client.force_login(accountant)

        assert client.get(LIST).status_code == 403

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_count(self, signed_in, proof, photo, count):
        for _ in range(count):
            DocumentFactory(type=proof, family=FamilyFactory())
            DocumentFactory(type=photo, student=StudentFactory())

        assert count_queries(signed_in, LIST) == 10


class TestDocumentType:
    def change(self, client, piece_type, **changes):
        data = {"name": "Avis", "owner": "student", "formats": "pdf"} | changes
        return client.post(f"/admin/documents/documenttype/{piece_type.pk}/change/", data)

    def test_edited(self, signed_in, proof):
        assert self.change(signed_in, proof, valid_months=6).status_code == 302

        proof.refresh_from_db()
        assert (proof.name, proof.owner, proof.valid_months) == ("Avis", "student", 6)

    def test_its_owner_is_fixed_once_a_piece_was_sent(self, signed_in, proof, document):
        assert self.change(signed_in, proof).status_code == 302

        assert DocumentType.objects.get().owner == "family"


class TestPieceRule:
    RULES = "/admin/documents/piecerule/"

    @pytest.fixture
    def annex(self, establishment):
        return EstablishmentFactory(name="Annexe")

    def data(self, proof, establishment, **changes):
        facts = {
            "establishment": establishment.pk,
            "school_year": SchoolYearFactory.coming().pk,
            "document_type": proof.pk,
            "audience": "all",
            "communes": [CommuneFactory().pk],
            "position": 1,
        }
        return facts | changes

    def test_added_for_the_residents_of_a_commune(self, signed_in, proof, establishment):
        response = signed_in.post(f"{self.RULES}add/", self.data(proof, establishment))

        assert response.status_code == 302
        [rule] = PieceRule.objects.all()
        assert (rule.document_type, rule.establishment) == (proof, establishment)
        assert list(rule.communes.all()) == [CommuneFactory()]

    def test_not_for_another_site(self, signed_in, proof, annex):
        response = signed_in.post(f"{self.RULES}add/", self.data(proof, annex))

        assert list(response.context["adminform"].form.errors) == ["establishment"]
        assert PieceRule.objects.count() == 0

    def test_those_of_another_site_are_not_shown(self, signed_in, proof, annex):
        ours = PieceRuleFactory(document_type=proof)
        theirs = PieceRuleFactory(document_type=proof, establishment=annex)

        assert listed(signed_in.get(self.RULES)) == [ours]
        response = signed_in.get(f"{self.RULES}{theirs.pk}/change/")
        assert (response.status_code, response["Location"]) == (302, "/admin/")

    def test_the_site_signed_in_to_is_proposed(self, signed_in, establishment):
        form = signed_in.get(f"{self.RULES}add/").context["adminform"].form

        assert form.initial["establishment"] == establishment

    @pytest.mark.parametrize("count", [1, 3])
    def test_as_many_queries_whatever_the_count(self, signed_in, count):
        for _ in range(count):
            PieceRuleFactory().communes.set([CommuneFactory()])

        assert count_queries(signed_in, self.RULES) == 13
