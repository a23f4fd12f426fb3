"""An optional antivirus: what it says of a file decides who may open it, and whether it stays."""

import datetime as dt
import logging

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from documents import services
from documents.antivirus import arrival, quarantine
from documents.antivirus.clamd import Clamd
from documents.enums import FileGone, RefusalReason, Scan, Verdict
from documents.keeping import let_go
from documents.lending import FileNotKept, FileQuarantined, lend
from documents.models import Document, Review
from families.files_to_delete import delete_next
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import DocumentFactory, FamilyFactory
from tests.fake_clamd import FOUND, SIGNATURE

PDF = make_pdf()
INFECTED_PDF = PDF + b"\n%" + SIGNATURE  # a comment, which the checks let through
WHY = (
    "Le contrôle de sécurité a trouvé un programme malveillant dans ce fichier. Il a été effacé."
    " Demandez une nouvelle copie du document, ou numérisez-le à nouveau, puis envoyez ce nouveau"
    " fichier."
)


@pytest.fixture
def send(proof, family, parent):
    def hand_in(content=PDF):
        return services.hand_in("quittance.pdf", content, type=proof, family=family, actor=parent)

    return hand_in


@pytest.fixture
def quarantined(db):
    """`quarantined(content)`: kept while clamd was away."""

    def make(content=PDF, days=0, scan=Scan.WAITING, **facts):
        facts.setdefault("family", FamilyFactory())
        document = DocumentFactory(file__data=content, scan=scan, **facts)
        sent = timezone.now() - dt.timedelta(days=days)
        Document.objects.filter(pk=document.pk).update(uploaded_at=sent)
        return document

    return make


def fresh(document):
    return Document.objects.get(pk=document.pk)


def state(document):
    document = fresh(document)
    return Scan(document.scan), Verdict(document.verdict), document.scanned_at is not None


def scan(capsys, *options):
    call_command("scan_documents", *options)
    return capsys.readouterr().out.strip()


class TestArrival:
    def test_without_an_antivirus_it_is_not_analysed(self, send):
        assert state(send()) == (Scan.NOT_ANALYSED, Verdict.PENDING, False)

    def test_a_clean_file(self, send, clamd):
        assert state(send()) == (Scan.CLEAN, Verdict.PENDING, True)
        assert clamd.scanned == [PDF]

    def test_an_infected_file_leaves_nothing_and_the_one_before_stays(
        self, send, clamd, stored, caplog
    ):
        before = send()

        with pytest.raises(ValidationError) as refusal:
            send(INFECTED_PDF)

        assert refusal.value.code == "infected"
        assert "numérisez-le à nouveau" in refusal.value.messages[0]
        assert [*Document.objects.current()] == [before]
        assert stored() == [before.file.name]
        [record] = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage() == f"A file received was refused, infected: {FOUND}"

    def test_a_photo_is_scanned_as_received_and_as_kept(self, clamd, photo, student, parent):
        received = make_jpeg()

        document = services.hand_in("a.jpg", received, type=photo, student=student, actor=parent)

        with document.file.open() as kept:
            assert sorted(clamd.scanned) == sorted([received, kept.read()])

    def test_what_a_photo_carries_is_refused_though_it_would_not_be_kept(
        self, clamd, photo, student, parent
    ):
        with pytest.raises(ValidationError) as refusal:
            services.hand_in(
                "a.jpg", make_jpeg() + SIGNATURE, type=photo, student=student, actor=parent
            )

        assert refusal.value.code == "infected"

    def test_a_file_refused_for_itself_is_not_shown_to_the_antivirus(self, send, clamd):
        with pytest.raises(ValidationError):
            send(b"%PDF- not one")

        assert clamd.scanned == []

    @pytest.mark.parametrize("fault", ["hangs_up", "garbage", "error"])
    def test_one_that_cannot_tell_puts_it_in_quarantine(self, send, clamd, fault, stored):
        clamd.fault = fault

        document = send(INFECTED_PDF)

        assert state(document) == (Scan.WAITING, Verdict.PENDING, False)
        assert stored() == [document.file.name]

    def test_one_that_is_away_too(self, send, clamd):
        clamd.stop()

        assert fresh(send()).scan == Scan.WAITING

    def test_a_wrong_setting_too(self, send, settings):
        settings.CLAMD = "clamd"

        assert fresh(send()).scan == Scan.WAITING
        arrival.rest.end()

    def test_one_that_is_silent_costs_its_time_once_for_all_the_files(
        self, send, clamd, monkeypatch
    ):
        monkeypatch.setattr(arrival, "LONGEST_SECONDS", 0.2)
        clamd.fault = "silent"

        scans = [fresh(send()).scan for _ in range(6)]

        assert scans == [Scan.WAITING] * 6
        assert len(clamd.scanned) == 1

    def test_one_that_is_slow_is_left_alone_for_a_while(self, send, clamd, monkeypatch):
        monkeypatch.setattr(arrival, "SLOW_SECONDS", 0.1)
        clamd.fault = "slow"

        assert [fresh(send()).scan for _ in range(3)] == [Scan.CLEAN, Scan.WAITING, Scan.WAITING]

        arrival.rest.end()
        assert fresh(send()).scan == Scan.CLEAN


class TestQuarantine:
    def test_it_is_lent_to_nobody(self, quarantined):
        with pytest.raises(FileQuarantined):
            lend(quarantined())

    def test_it_is_not_accepted(self, quarantined, registrar):
        document = quarantined()

        with pytest.raises(ValidationError) as refusal:
            services.accept(document, actor=registrar)

        assert refusal.value.code == "quarantined"
        assert state(document) == (Scan.WAITING, Verdict.PENDING, False)
        assert not Review.objects.exists()

    def test_an_agent_may_refuse_it(self, quarantined, registrar):
        document = quarantined()

        services.refuse(document, reason=RefusalReason.WRONG_KIND, actor=registrar)

        assert state(document) == (Scan.WAITING, Verdict.REFUSED, False)

    @pytest.mark.parametrize(
        "facts",
        [
            {"scan": Scan.WAITING, "verdict": Verdict.ACCEPTED},
            {"scan": Scan.INFECTED, "scanned_at": timezone.now()},
            {"scan": Scan.INFECTED, "scanned_at": timezone.now(), "file": ""},
            {"scan": Scan.CLEAN},
            {"scan": Scan.WAITING, "scanned_at": timezone.now()},
            {"scan": "perhaps"},
        ],
    )
    def test_the_database_says_no(self, quarantined, facts):
        document = quarantined()

        with pytest.raises(IntegrityError), transaction.atomic():
            Document.objects.filter(pk=document.pk).update(**facts)

    @pytest.mark.parametrize("reason", [RefusalReason.SECURITY, RefusalReason.TOO_OLD])
    def test_the_reason_of_the_antivirus_is_no_agent_s_nor_the_other_way_round(
        self, quarantined, registrar, reason
    ):
        actor = registrar if reason == RefusalReason.SECURITY else None
        facts = {"document": quarantined(), "verdict": Verdict.REFUSED, "reason": reason}

        with pytest.raises(IntegrityError), transaction.atomic():
            Review.objects.create(**facts, actor=actor)

    def test_the_service_says_so_in_words(self, quarantined, registrar):
        with pytest.raises(ValidationError, match="contrôle automatique"):
            services.refuse(quarantined(), reason=RefusalReason.SECURITY, actor=registrar)


class TestScanDocuments:
    def test_a_clean_one_can_be_used(self, quarantined, clamd, registrar, capsys):
        document = quarantined()

        assert scan(capsys) == "Pièces analysées : 1 saines."

        assert state(document) == (Scan.CLEAN, Verdict.PENDING, True)
        services.accept(document, actor=registrar)
        assert lend(fresh(document)).getvalue() == PDF

    def test_an_infected_one_is_refused_and_its_bytes_go(
        self, quarantined, clamd, capsys, stored, caplog
    ):
        document = quarantined(INFECTED_PDF)

        assert scan(capsys) == "Pièces analysées : 1 infectées, effacées et refusées."

        assert state(document) == (Scan.INFECTED, Verdict.REFUSED, True)
        assert fresh(document).refusal == WHY
        review = document.reviews.get()
        assert (review.verdict, review.reason, review.actor) == (
            *(Verdict.REFUSED, RefusalReason.SECURITY),
            None,
        )
        assert review.comment == f"Signature\u00a0: {FOUND}"
        while delete_next():
            pass
        assert stored() == []
        assert f"The document {document.pk} is infected, and goes: {FOUND}" in caplog.messages
        with pytest.raises(FileNotKept):
            lend(fresh(document))

    def test_an_infected_one_is_accepted_by_nobody(self, quarantined, clamd, registrar):
        document = quarantined(INFECTED_PDF)
        call_command("scan_documents")

        with pytest.raises(ValidationError) as refusal:
            services.accept(document, actor=registrar)

        assert refusal.value.code == "quarantined"

    def test_one_that_an_agent_refused_before(self, quarantined, clamd, registrar):
        document = quarantined(INFECTED_PDF)
        services.refuse(document, reason=RefusalReason.WRONG_KIND, actor=registrar)

        call_command("scan_documents")

        assert fresh(document).refusal == WHY
        assert document.reviews.count() == 2

    def test_oldest_first_and_not_more_than_the_limit(self, quarantined, clamd, capsys):
        days = {day: quarantined(PDF + b"%d" % day, days=day) for day in (1, 3, 2)}

        assert scan(capsys, "--limit", "2") == "Pièces analysées : 2 saines."

        assert clamd.scanned == [PDF + b"3", PDF + b"2"]
        assert fresh(days[1]).scan == Scan.WAITING

    def test_the_others_are_left_alone(self, quarantined, clamd, capsys):
        for each in (Scan.NOT_ANALYSED, Scan.CLEAN):
            when = timezone.now() if each == Scan.CLEAN else None
            quarantined(INFECTED_PDF, scan=each, scanned_at=when)

        assert scan(capsys) == "Pièces analysées : aucune."

    def test_clamd_that_is_away_leaves_all_as_it_was(self, quarantined, clamd):
        document = quarantined()
        clamd.stop()

        with pytest.raises(CommandError, match=r"ne répond pas .*en quarantaine\u00a0: 1\."):
            call_command("scan_documents")

        assert fresh(document).scan == Scan.WAITING

    @pytest.mark.parametrize("fault", ["error", "silent"])
    def test_one_that_it_cannot_scan_does_not_hold_up_the_others(
        self, quarantined, clamd, capsys, monkeypatch, fault
    ):
        monkeypatch.setattr(quarantine, "LONGEST_SECONDS", 0.2)
        hard, easy = quarantined(PDF + b"hard", days=1), quarantined()

        def before_answer():
            clamd.fault = fault if clamd.scanned[-1].endswith(b"hard") else ""

        clamd.before_answer = before_answer

        assert scan(capsys) == "Pièces analysées : 1 saines, 1 impossibles à analyser."
        assert [fresh(each).scan for each in (hard, easy)] == [Scan.WAITING, Scan.CLEAN]

    def test_a_file_that_cannot_be_read_neither(self, quarantined, clamd, capsys, storage):
        lost, easy = quarantined(days=1), quarantined()
        storage.delete(lost.file.name)

        assert scan(capsys) == "Pièces analysées : 1 saines, 1 impossibles à analyser."
        assert [fresh(each).scan for each in (lost, easy)] == [Scan.WAITING, Scan.CLEAN]

    def test_one_taken_back_meanwhile(
        self, quarantined, clamd, capsys, django_capture_on_commit_callbacks
    ):
        documents = [quarantined(days=2), quarantined(days=1)]

        def take_back():
            with django_capture_on_commit_callbacks(execute=True):
                services.remove(documents[1])

        keys = list(quarantine.waiting())
        take_back()

        assert [*quarantine.scan_all(keys)] == [
            *[quarantine.Outcome.CLEAN, quarantine.Outcome.OVERTAKEN]
        ]

    def test_one_erased_for_its_family_is_not_looked_for(self, quarantined, clamd, capsys):
        let_go([quarantined().pk], FileGone.RETENTION)

        assert scan(capsys) == "Pièces analysées : aucune."

    def test_the_second_of_two_runs_changes_nothing(self, quarantined, clamd):
        document = quarantined(INFECTED_PDF)
        stale = fresh(document)
        call_command("scan_documents")

        assert quarantine._settle(stale, FOUND) == quarantine.Outcome.OVERTAKEN
        assert document.reviews.count() == 1

    def test_without_an_antivirus_and_nothing_to_do(self, db, capsys):
        assert scan(capsys) == ""

    def test_switched_off_while_some_waited(self, quarantined, capsys):
        document = quarantined()

        with pytest.raises(CommandError, match=r"1 pièce\(s\) restent en quarantaine"):
            call_command("scan_documents")
        assert scan(capsys, "--release") == "Pièces sorties de quarantaine, non analysées : 1."

        assert state(document) == (Scan.NOT_ANALYSED, Verdict.PENDING, False)

    def test_they_are_not_released_behind_the_back_of_an_antivirus(self, quarantined, clamd):
        document = quarantined()

        with pytest.raises(CommandError):
            call_command("scan_documents", "--release")

        assert fresh(document).scan == Scan.WAITING


class TestAgain:
    def test_switched_on_later_then_with_new_signatures(
        self, quarantined, clamd, capsys, registrar
    ):
        document = quarantined(INFECTED_PDF, scan=Scan.NOT_ANALYSED)
        services.accept(document, actor=registrar)

        assert scan(capsys, "--again") == "Pièces analysées : 1 infectées, effacées et refusées."

        assert state(document) == (Scan.INFECTED, Verdict.REFUSED, True)
        assert [review.verdict for review in document.reviews.all()] == [
            *[Verdict.REFUSED, Verdict.ACCEPTED]
        ]
        assert scan(capsys, "--again") == "Pièces analysées : aucune."

    def test_the_longest_ago_first_so_that_each_has_its_turn(self, quarantined, clamd, capsys):
        now = timezone.now()
        for day in (1, 2):
            then = now - dt.timedelta(days=day)
            quarantined(PDF + b"%d" % day, scan=Scan.CLEAN, scanned_at=then)
        quarantined(PDF + b"never", scan=Scan.NOT_ANALYSED)

        for _ in range(3):
            scan(capsys, "--again", "--limit", "1")

        assert clamd.scanned == [PDF + b"never", PDF + b"2", PDF + b"1"]

    def test_clamd_that_is_away_takes_nothing_back(self, quarantined, clamd):
        document = quarantined(scan=Scan.CLEAN, scanned_at=timezone.now())
        clamd.stop()

        with pytest.raises(CommandError):
            call_command("scan_documents", "--again")

        assert fresh(document).scan == Scan.CLEAN


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_file_is_scanned(send, quarantined, clamd, monkeypatch):
    open_ones, scan = [], Clamd.scan

    def spy(*args, **kwargs):
        open_ones.append(connection.in_atomic_block)
        return scan(*args, **kwargs)

    monkeypatch.setattr(Clamd, "scan", spy)
    quarantined()

    send()
    call_command("scan_documents")

    assert open_ones == [False, False]


def test_a_scan_takes_as_many_queries_a_piece_whatever_waits(
    quarantined, clamd, django_assert_num_queries
):
    for _ in range(3):
        quarantined()

    # the keys; then of each: the row, a savepoint, the row locked, its state, the end
    with django_assert_num_queries(1 + 3 * 5):
        call_command("scan_documents")
