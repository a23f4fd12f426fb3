"""Pieces handed in, taken back and examined: no half state, and a log of who did what."""

import uuid
from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from documents import services
from documents.enums import FileGone, RefusalReason, Verdict
from documents.models import Document
from families.models import FileToDelete
from reenrolment.models import Reenrolment, SuppliedPiece
from tests.documents.builders import make_jpeg
from tests.documents.conftest import PDF
from tests.factories import (
    CampaignFactory,
    DocumentFactory,
    DocumentTypeFactory,
    FamilyFactory,
    UserFactory,
)
from tests.races import run_together


@pytest.fixture
def use_in_a_dossier(student):
    """Marks a document as submitted with a dossier, which alone counts here."""

    def use(document):
        dossier, _ = Reenrolment.objects.get_or_create(campaign=CampaignFactory(), student=student)
        SuppliedPiece.objects.create(reenrolment=dossier, document=document)

    return use


class TestHandIn:
    def test_keeps_the_file_and_what_it_is(self, proof_of, proof, family, parent, stored):
        document = Document.objects.get(pk=proof_of().pk)

        assert (document.type, document.family, document.student) == (proof, family, None)
        assert (document.name, document.content_type) == ("quittance.pdf", "application/pdf")
        assert (document.size, document.pages, document.uploaded_by) == (len(PDF), 2, parent)
        assert document.received_sha256 == document.sha256 == sha256(PDF).hexdigest()
        assert (document.verdict, document.refusal) == (Verdict.PENDING, "")
        assert stored() == [document.file.name]
        with document.file.open() as kept:
            assert kept.read() == PDF

    def test_the_name_on_disk_says_nothing_of_the_family(self, proof_of):
        document = proof_of("Quittance Martin.pdf")

        assert document.file.name == f"{document.pk.hex[:2]}/{document.pk.hex}"

    def test_a_photo_is_kept_as_it_was_written_anew(self, photo, student, parent):
        received = make_jpeg(exif_orientation=6)

        document = services.hand_in("moi.jpg", received, type=photo, student=student, actor=parent)

        with document.file.open() as kept:
            content = kept.read()
        assert content != received
        assert document.received_sha256 == sha256(received).hexdigest()
        assert (document.sha256, document.size) == (sha256(content).hexdigest(), len(content))
        assert document.pages is None

    def test_replaces_the_one_before_whose_row_stays_and_file_goes(self, proof_of, stored):
        first, second = proof_of(), proof_of("autre.pdf")

        first.refresh_from_db()
        assert first.replaced_by == second
        assert list(Document.objects.current()) == [second]
        assert (first.file.name, first.file_gone_reason) == ("", FileGone.REPLACED)
        assert first.file_gone_at <= timezone.now()
        assert (first.name, first.size) == ("quittance.pdf", len(PDF))
        assert stored() == [second.file.name]

    def test_what_a_dossier_to_examine_was_submitted_with_stays(self, proof_of, examined, stored):
        """The brother's dossier was sent with it: the staff opens it still."""
        first = proof_of()
        examined(first)

        second = proof_of()

        first.refresh_from_db()
        assert (first.replaced_by, first.file_gone_at) == (second, None)
        assert stored() == sorted([first.file.name, second.file.name])

    def test_one_that_the_database_refuses_leaves_the_one_before_its_file(
        self, proof_of, stored, monkeypatch
    ):
        first = proof_of()

        def fail(*args):
            raise DatabaseError

        with monkeypatch.context() as patch:
            patch.setattr(services.keeping, "let_go", fail)
            with pytest.raises(DatabaseError):
                proof_of()

        assert list(Document.objects.current()) == [first]
        assert stored() == [first.file.name]

    def test_leaves_the_pieces_of_others_alone(self, proof_of, photo, student, parent):
        documents = [proof_of(), proof_of(family=FamilyFactory())]
        documents.append(
            services.hand_in("a.jpg", make_jpeg(), type=photo, student=student, actor=parent)
        )

        assert set(Document.objects.current()) == set(documents)

    def test_after_a_removal_the_next_one_is_current(self, proof_of):
        services.remove(proof_of())
        document = proof_of()

        assert list(Document.objects.current()) == [document]

    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("été.pdf", PDF, "name_not_allowed"),
            ("a.pdf", b"", "empty"),
            ("a.pdf", PDF[:200], "damaged"),
            ("a.jpg", make_jpeg(), "image_where_pdf"),
        ],
    )
    def test_a_refused_file_leaves_nothing_behind(self, proof_of, stored, name, content, code):
        current = proof_of()

        with pytest.raises(ValidationError) as refusal:
            proof_of(name, content)

        assert refusal.value.code == code
        assert list(Document.objects.current()) == [current]
        assert stored() == [current.file.name]

    @pytest.mark.usefixtures("broken_storage")
    def test_without_storage_nothing_is_kept_and_the_family_is_told(self, proof_of, stored, caplog):
        with pytest.raises(ValidationError) as refusal:
            proof_of()

        assert refusal.value.code == "storage_down"
        assert refusal.value.messages == [
            "Votre fichier n'a pas pu être enregistré\u00a0: notre espace de stockage ne répond "
            "pas. Le reste de votre saisie est conservé\u00a0; réessayez dans quelques minutes."
        ]
        assert (Document.objects.count(), stored()) == (0, [])
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_a_disk_that_fills_up_keeps_no_beginning_of_the_file(
        self, proof_of, stored, storage, monkeypatch
    ):
        save = type(storage)._save

        def fill_up(self, name, content):
            save(self, name, content)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(type(storage), "_save", fill_up)

        with pytest.raises(ValidationError) as refusal:
            proof_of()

        assert refusal.value.code == "storage_down"
        assert (Document.objects.count(), stored()) == (0, [])

    def test_a_current_piece_survives_a_storage_that_is_down(self, proof_of, stored, request):
        current = proof_of()
        request.getfixturevalue("broken_storage")

        with pytest.raises(ValidationError):
            proof_of()

        assert list(Document.objects.current()) == [current]
        assert stored() == [current.file.name]

    @pytest.mark.parametrize(
        ("error", "raised"),
        [
            (DatabaseError, DatabaseError),
            (IntegrityError, ValidationError),
            (SystemExit, SystemExit),
        ],
    )
    def test_a_database_that_fails_leaves_no_file(
        self, proof_of, stored, monkeypatch, error, raised
    ):
        current = proof_of()

        save = Document.save

        def fail(self, *args, force_insert=False, **kwargs):
            if force_insert:
                raise error
            save(self, *args, **kwargs)  # the one before is marked as replaced

        with monkeypatch.context() as patch:
            patch.setattr(Document, "save", fail)
            with pytest.raises(raised):
                proof_of()

        assert list(Document.objects.current()) == [current]
        assert stored() == [current.file.name]

    def test_a_piece_sent_meanwhile_by_the_other_parent_is_stale(
        self, proof_of, stored, monkeypatch
    ):
        current = proof_of()
        monkeypatch.setattr(
            type(Document.objects.all()), "current", lambda documents: documents.none()
        )

        with pytest.raises(ValidationError) as refusal:
            proof_of()

        assert refusal.value.code == "stale"
        assert refusal.value.messages == [
            "Cette pièce vient d'être envoyée par ailleurs\u00a0: rechargez la page."
        ]
        assert stored() == [current.file.name]

    @pytest.mark.parametrize("owners", [["family"], [], ["family", "student"]])
    def test_a_piece_has_the_owner_that_its_type_says(
        self, photo, family, student, parent, stored, owners
    ):
        everybody = {"family": family, "student": student}

        with pytest.raises(ValueError, match="student"):
            services.hand_in(
                "a.jpg",
                make_jpeg(),
                type=photo,
                actor=parent,
                **{name: everybody[name] for name in owners},
            )

        assert stored() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("sent_before", [False, True])
def test_both_parents_send_the_same_piece_at_once(stored, sent_before):
    proof, actor = DocumentTypeFactory(), UserFactory()

    def send(family):
        try:
            return services.hand_in("a.pdf", PDF, type=proof, family=family, actor=actor).pk
        except ValidationError as error:
            return error.code

    for _ in range(20):
        family = FamilyFactory()
        before = [send(family)] if sent_before else []

        results = run_together(lambda _, family=family: send(family), 2)

        kept = Document.objects.filter(family=family)
        [current] = kept.current()
        assert {code for code in results if isinstance(code, str)} <= {"stale"}
        assert current.pk in results
        assert {row.pk for row in kept} == {
            pk for pk in [*before, *results] if isinstance(pk, uuid.UUID)
        }
        names = {row.file.name for row in Document.objects.with_file()}
        assert set(stored()) == names


class TestRemove:
    def test_row_and_file_go(self, proof_of, stored):
        services.remove(proof_of())

        assert (Document.objects.count(), stored()) == (0, [])

    def test_the_file_stays_until_the_row_is_gone_for_good(self, proof_of, stored):
        document = proof_of()

        with transaction.atomic():
            services.remove(document)
            transaction.set_rollback(True)

        assert stored() == [document.file.name]

    def test_what_it_had_replaced_goes_too(self, proof_of, stored):
        proof_of(), proof_of()
        services.remove(proof_of())

        assert (Document.objects.count(), stored()) == (0, [])

    def test_of_what_a_dossier_used_the_row_stays(self, proof_of, stored, use_in_a_dossier):
        document = proof_of()
        use_in_a_dossier(document)

        services.remove(document)

        document.refresh_from_db()
        assert document.removed_at is not None
        assert (document.file.name, document.file_gone_reason) == ("", FileGone.REMOVED)
        assert list(Document.objects.current()) == []
        assert stored() == []

    def test_what_the_staff_examines_stays_but_is_not_current(self, proof_of, stored, examined):
        document = proof_of()
        examined(document)

        services.remove(document)

        document.refresh_from_db()
        assert (document.removed_at is None, document.file_gone_at) == (False, None)
        assert list(Document.objects.current()) == []
        assert stored() == [document.file.name]

    def test_a_replacement_goes_and_what_a_dossier_used_stays(
        self, proof_of, stored, use_in_a_dossier
    ):
        used = proof_of()
        use_in_a_dossier(used)

        services.remove(proof_of())

        [kept] = Document.objects.all()
        assert (kept, kept.replaced_by) == (used, None)
        assert kept.removed_at is not None
        assert kept.file_gone_reason == FileGone.REPLACED  # as it was, before the replacement went
        assert stored() == []

    def test_a_replacement_used_by_a_dossier_stays_and_the_first_goes(
        self, proof_of, stored, use_in_a_dossier
    ):
        proof_of()
        used = proof_of()
        use_in_a_dossier(used)

        services.remove(used)

        assert list(Document.objects.all()) == [used]
        assert list(Document.objects.current()) == []
        assert stored() == []

    def test_what_the_staff_examined_stays(self, proof_of, registrar):
        document = proof_of()
        services.accept(document, actor=registrar)

        services.remove(document)

        assert list(Document.objects.all()) == [document]
        assert list(Document.objects.current()) == []

    def test_the_access_log_loses_nothing(self, proof_of, registrar):
        document = proof_of()
        services.log_access(document, actor=registrar)

        services.remove(document)

        assert [access.actor for access in document.accesses.all()] == [registrar]

    def test_twice_is_once(self, proof_of, stored):
        document = proof_of()
        services.remove(Document.objects.get(pk=document.pk))
        services.remove(document)

        assert (Document.objects.count(), stored()) == (0, [])

    def test_a_storage_that_is_down_does_not_hold_the_row_back(
        self, proof_of, stored, monkeypatch, storage, caplog
    ):
        def fail(*args):
            raise OSError("Input/output error")

        document = proof_of()

        with monkeypatch.context() as patch:
            patch.setattr(type(storage), "delete", fail)
            services.remove(document)
            assert stored() == [document.file.name]

        assert Document.objects.count() == 0
        assert "could not be deleted" in caplog.text
        FileToDelete.objects.update(due_at=timezone.now())  # a minute later
        assert stored() == []


class TestReview:
    @pytest.fixture
    def document(self, proof, family):
        return DocumentFactory(type=proof, family=family)

    def reviews(self, document):
        return [(r.verdict, r.reason, r.comment, r.actor) for r in document.reviews.all()]

    def test_accepted(self, document, registrar):
        services.accept(document, actor=registrar)

        document.refresh_from_db()
        assert (document.verdict, document.refusal) == (Verdict.ACCEPTED, "")
        assert self.reviews(document) == [(Verdict.ACCEPTED, "", "", registrar)]

    @pytest.mark.parametrize(
        ("reason", "comment", "read"),
        [
            (RefusalReason.UNREADABLE, "", "Le document est illisible."),
            (RefusalReason.TOO_OLD, " Datez-le. ", "Le document est trop ancien. Datez-le."),
            (RefusalReason.OTHER, "Signez-le.", "Signez-le."),
            (
                RefusalReason.WRONG_PERSON,
                "x" * 300,
                f"Le document ne concerne pas votre foyer ou cet élève. {'x' * 300}",
            ),
        ],
    )
    def test_refused_and_the_family_reads_why(self, document, registrar, reason, comment, read):
        services.refuse(document, reason=reason, comment=comment, actor=registrar)

        document.refresh_from_db()
        assert (document.verdict, document.refusal) == (Verdict.REFUSED, read)
        assert self.reviews(document) == [(Verdict.REFUSED, reason, comment.strip(), registrar)]

    def test_a_verdict_may_be_corrected_and_both_stay_in_the_log(self, document, registrar):
        services.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)
        services.accept(document, actor=registrar)
        services.refuse(document, reason=RefusalReason.INCOMPLETE, actor=registrar)

        document.refresh_from_db()
        assert document.refusal == "Il manque des pages."
        assert [verdict for verdict, *_ in self.reviews(document)] == [
            *[Verdict.REFUSED, Verdict.ACCEPTED, Verdict.REFUSED]
        ]

    @pytest.mark.parametrize("comment", ["", "  \n"])
    def test_another_reason_is_said(self, document, registrar, comment):
        with pytest.raises(ValidationError) as refusal:
            services.refuse(document, reason=RefusalReason.OTHER, comment=comment, actor=registrar)

        assert refusal.value.code == "comment_required"
        assert refusal.value.messages == ["Précisez le motif du refus."]
        assert self.reviews(document) == []

    def test_a_refusal_has_a_reason(self, document, registrar):
        with pytest.raises(ValidationError) as refusal:
            services.refuse(document, reason="", comment="Non.", actor=registrar)

        assert refusal.value.messages == ["Un refus dit son motif."]
        document.refresh_from_db()
        assert document.verdict == Verdict.PENDING

    @pytest.mark.parametrize("changes", [{"reason": "whim"}, {"comment": "x" * 301}])
    def test_a_reason_of_the_list_and_300_characters(self, document, registrar, changes):
        facts = {"reason": RefusalReason.TOO_OLD, "comment": ""} | changes

        with pytest.raises(ValidationError) as refusal:
            services.refuse(document, **facts, actor=registrar)

        assert list(refusal.value.message_dict) == list(changes)
        assert self.reviews(document) == []

    def test_without_its_file_it_is_not_accepted(self, proof_of, registrar):
        old, _ = proof_of(), proof_of("autre.pdf")

        with pytest.raises(ValidationError) as refused:
            services.accept(old, actor=registrar)

        assert refused.value.code == "bad_transition"
        assert "n'est plus conservé" in refused.value.messages[0]
        assert not old.reviews.exists()

    def test_the_same_verdict_twice_is_once(self, document, registrar):
        copy = Document.objects.get(pk=document.pk)
        services.accept(document, actor=registrar)

        with pytest.raises(ValidationError) as refusal:
            services.accept(copy, actor=registrar)

        assert refusal.value.code == "bad_transition"
        assert refusal.value.messages == ["Cette pièce a déjà été examinée ainsi."]
        assert len(self.reviews(document)) == 1

    def test_refused_twice_is_once(self, document, registrar):
        services.refuse(document, reason=RefusalReason.TOO_OLD, actor=registrar)

        with pytest.raises(ValidationError) as refusal:
            services.refuse(document, reason=RefusalReason.INCOMPLETE, actor=registrar)

        assert refusal.value.code == "bad_transition"


def test_each_access_is_a_row(proof, family, registrar, director):
    document = DocumentFactory(type=proof, family=family)
    services.log_access(document, actor=registrar)
    services.log_access(document, actor=director)
    services.log_access(document, actor=registrar)

    assert [access.actor for access in document.accesses.all()] == [registrar, director, registrar]
