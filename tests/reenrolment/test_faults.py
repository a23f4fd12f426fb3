"""Whatever fails: no half dossier, no row without its file, and a second try works."""

import time
from threading import Event, Thread

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.urls import reverse

from accounts import mails
from accounts.models import Mail
from documents import services as documents
from documents.models import Document
from imuse.invariants import violations
from reenrolment import emails, saving
from reenrolment.enums import Status
from reenrolment.models import SuppliedPiece, Transition
from reenrolment.pieces import load_pieces
from reenrolment.services import decisions, submission
from students import services as students
from students.models import Enrolment
from tests.documents.builders import make_pdf
from tests.documents.private_storages import answering, s3_storage, use_storage
from tests.factories import PieceRuleFactory


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    client.raise_request_exception = False
    return client


def url(case, name):
    return reverse(f"reenrolment:{name}", args=[case.student.pk])


def recap(client, case):
    form = client.get(url(case, "check")).context["form"]
    return {name: form[name].value() for name in ("terms", "fingerprint")} | {"accept": "on"}


STEPS = {
    "the move is logged": (Transition.objects, "create"),
    "a place is claimed": (students, "claim"),
    "a course is asked for": (students, "enrol_without_place"),
    "the pieces are frozen": (SuppliedPiece.objects, "bulk_create"),
    "the mail is composed": (emails, "compose"),
    "the mail is queued": (mails, "queue_many"),
}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_submitting_fails_at_any_step(home, case, parent, family, monkeypatch, step, after):
    """The error page, nothing half done; then the same « Valider » works."""
    piece = PieceRuleFactory().document_type
    documents.hand_in("a.pdf", make_pdf(), type=piece, family=family, actor=parent)
    case.fill_in()
    data = recap(home, case)
    owner, name = STEPS[step]
    work = getattr(owner, name)

    def fail(*args, **kwargs):
        if after:
            work(*args, **kwargs)
        raise OperationalError("canceling statement due to statement timeout")

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        failed = home.post(url(case, "submit"), data)

    assert failed.status_code == 500
    assert 'lang="fr"' in failed.content.decode()
    assert (case.reenrolment.status, Mail.objects.count()) == (Status.DRAFT, 0)
    assert not Enrolment.objects.exclude(place=None).exists()
    assert list(violations()) == []

    assert home.post(url(case, "submit"), data).url == url(case, "confirmation")
    assert (case.reenrolment.status, Mail.objects.count()) == (Status.SUBMITTED, 1)
    assert list(violations()) == []


@pytest.mark.parametrize("decision", ["validate", "refuse", "withdraw"])
def test_deciding_fails_when_its_mail_does(case, placed, registrar, monkeypatch, decision):
    calls = {
        "validate": lambda: decisions.validate(placed, actor=registrar),
        "refuse": lambda: decisions.refuse(placed, reason="Non.", actor=registrar),
        "withdraw": lambda: submission.withdraw(placed, actor=registrar),
    }
    before = _granted(case)

    def fail(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(mails, "queue_many", fail)
        with pytest.raises(OperationalError):
            calls[decision]()

    assert case.reenrolment.status == Status.SUBMITTED
    assert _granted(case) == before
    calls[decision]()
    assert case.reenrolment.status != Status.SUBMITTED


def test_a_storage_that_is_down_keeps_the_rest_of_the_page(home, case, family, monkeypatch):
    piece = PieceRuleFactory().document_type
    storage = type(Document._meta.get_field("file").storage)

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "_save", fail)

    response = home.post(
        url(case, "edit"),
        {
            "comment": "Bonjour",
            "initial-comment": "",
            f"piece-{piece.pk}-f{family.pk}": SimpleUploadedFile("a.pdf", make_pdf()),
        },
    )

    [(_, sentence)] = response.context["errors"]
    assert sentence.startswith("Votre fichier n'a pas pu être enregistré")
    assert case.reenrolment.comment == "Bonjour"
    assert not Document.objects.exists()


def test_no_transaction_is_open_while_a_file_is_stored(home, case, family, monkeypatch):
    """A storage that is slow holds up nobody else."""
    piece = PieceRuleFactory().document_type
    storage = type(Document._meta.get_field("file").storage)
    save, opened = storage._save, []
    outside = len(connection.savepoint_ids)

    def watch(self, name, content):
        opened.append(len(connection.savepoint_ids) - outside)
        return save(self, name, content)

    monkeypatch.setattr(storage, "_save", watch)

    home.post(
        url(case, "edit"),
        {f"piece-{piece.pk}-f{family.pk}": SimpleUploadedFile("a.pdf", make_pdf())},
    )

    assert opened == [0]


def test_a_bucket_that_never_answers_is_a_sentence_and_the_typed_text_stays(
    home, case, family, monkeypatch
):
    """Said of each of the three files, and waited for once."""
    keys = [f"piece-{PieceRuleFactory().document_type_id}-f{family.pk}" for _ in range(3)]
    with answering() as server:
        use_storage(monkeypatch, s3_storage(server.endpoint, connect_timeout=1, read_timeout=1))
        files = {key: SimpleUploadedFile("a.pdf", make_pdf()) for key in keys}
        response = home.post(url(case, "edit"), {"comment": "Bonjour", **files})

    sentences = [sentence for _, sentence in response.context["errors"]]
    assert len(sentences) == 3
    assert all(each.startswith("Votre fichier n'a pas pu être enregistré") for each in sentences)
    assert server.asked_times == 2  # the two attempts of the first
    assert case.reenrolment.comment == "Bonjour"
    assert not Document.objects.exists()


def test_files_that_take_too_long_together_are_sent_in_two_goes(home, case, family, monkeypatch):
    """gunicorn would end the request: what is kept is said, and so is what is not."""
    keys = [f"piece-{PieceRuleFactory().document_type_id}-f{family.pk}" for _ in range(2)]
    hand_in = saving.supplies.hand_in

    def slowly(*args, **kwargs):
        time.sleep(0.1)
        return hand_in(*args, **kwargs)

    monkeypatch.setattr(saving.supplies, "hand_in", slowly)
    monkeypatch.setattr(saving, "LAST_START_SECONDS", 0.05)
    files = {key: SimpleUploadedFile("a.pdf", make_pdf()) for key in keys}

    response = home.post(url(case, "edit"), {"comment": "Bonjour", **files})

    [(field, sentence)] = response.context["errors"]
    assert field == f"id_{keys[1]}"
    assert sentence.startswith("Ce fichier n'a pas été enregistré")
    assert [f"piece-{d.type_id}-f{d.family_id}" for d in Document.objects.all()] == keys[:1]


def test_a_piece_replaced_while_one_validates_is_read_again(home, case, parent, family):
    """Its file is gone: the dossier must not be submitted with it."""
    piece = PieceRuleFactory().document_type
    send = {"type": piece, "family": family, "actor": parent}
    documents.hand_in("a.pdf", make_pdf(), **send)
    case.fill_in()
    read = load_pieces(case.reenrolment)
    documents.hand_in("b.pdf", make_pdf(), **send)

    with pytest.raises(ValidationError) as refusal:
        submission.freeze(case.reenrolment, read)

    assert refusal.value.code == "changed"
    assert not SuppliedPiece.objects.exists()


def test_a_connection_lost_after_the_commit_keeps_the_file_of_the_row(parent, family, monkeypatch):
    """The server has committed, its answer never came: the piece is there, whole."""
    piece = PieceRuleFactory().document_type
    replace = documents._replace_current

    def lose_the_answer(*args):
        replace(*args)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(documents, "_replace_current", lose_the_answer)

    with pytest.raises(OperationalError):
        documents.hand_in("a.pdf", make_pdf(), type=piece, family=family, actor=parent)

    with Document.objects.get().file.open() as kept:
        assert kept.read() == make_pdf()


def test_a_database_that_is_away_leaves_the_file_to_the_sweep(parent, family, monkeypatch, caplog):
    """Nobody can say whether the row is there: a file too many is the lesser evil."""
    piece = PieceRuleFactory().document_type
    deleted = []

    def away(*args, **kwargs):
        raise OperationalError("could not connect to server")

    monkeypatch.setattr(documents, "_replace_current", away)
    monkeypatch.setattr(type(Document.objects.all()), "exists", away)
    monkeypatch.setattr(documents, "schedule", deleted.append)

    with pytest.raises(OperationalError):
        documents.hand_in("a.pdf", make_pdf(), type=piece, family=family, actor=parent)

    assert deleted == []
    assert "may have been kept or not" in caplog.text


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_submitting(case, parent, monkeypatch):
    """PostgreSQL ends its session once the place is claimed: the place is free again."""
    case.fill_in()
    freeze = submission.freeze

    def killed(*args):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        freeze(*args)

    with monkeypatch.context() as patch:
        patch.setattr(submission, "freeze", killed)
        with pytest.raises(OperationalError):
            case.submit(parent)
    connection.close()

    assert (case.reenrolment.status, Mail.objects.count()) == (Status.DRAFT, 0)
    assert list(violations()) == []
    case.submit(parent)
    assert case.choice(case.theory).granted.slot == case.slot
    assert list(violations()) == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_waiting_too_long_for_a_place_leaves_a_draft(case, parent):
    """`lock_timeout` or `statement_timeout`: the claim is given up, nothing is half done."""
    case.fill_in()
    held, done = Event(), Event()

    def hold():
        with transaction.atomic():
            students.lock_slots([case.slot.pk])
            held.set()
            done.wait(timeout=30)
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    held.wait(timeout=30)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 300")
        with pytest.raises(OperationalError):
            case.submit(parent)
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")

    assert case.reenrolment.status == Status.DRAFT
    case.submit(parent)
    assert list(violations()) == []


def _granted(case):
    return [
        (enrolment.pk, enrolment.status, enrolment.place_id)
        for enrolment in Enrolment.objects.filter(student=case.student).order_by("pk")
    ]
