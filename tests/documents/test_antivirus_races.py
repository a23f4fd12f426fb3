"""On PostgreSQL: a scan, while the piece is replaced, taken back, accepted or scanned elsewhere."""

import pytest

from documents import services
from documents.antivirus import quarantine
from documents.antivirus.quarantine import Outcome
from documents.enums import Scan, Verdict
from documents.models import Document
from families.models import FileToDelete
from tests.documents.builders import make_pdf
from tests.factories import DocumentFactory, DocumentTypeFactory
from tests.fake_clamd import SIGNATURE
from tests.races import no_deadlock, run_together

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 20
PDF = make_pdf()


@pytest.fixture
def keep(family, parent):
    """`keep(content)`: a piece kept without its scan."""

    def make(content, scan=Scan.WAITING):
        kind = DocumentTypeFactory()
        return DocumentFactory(type=kind, family=family, file__data=content, scan=scan)

    return make


def scan(document):
    [outcome] = quarantine.scan_all([document.pk])
    return outcome


def play(document, other):
    """The outcome of the scan, then what the other act gave."""
    with no_deadlock():
        acts = [lambda: scan(document), other]
        return run_together(lambda number: acts[number](), 2)


def test_two_runs_scan_a_piece_once(keep, clamd):
    for _ in range(ROUNDS):
        document = keep(SIGNATURE)

        outcomes = play(document, lambda document=document: scan(document))

        assert sorted(outcome.name for outcome in outcomes) == ["INFECTED", "OVERTAKEN"]
        assert document.reviews.count() == 1
        assert FileToDelete.objects.filter(name=document.file.name).count() == 1


def test_replaced_meanwhile_the_new_piece_is_not_touched(keep, clamd, family, parent):
    for _ in range(ROUNDS):
        document = keep(SIGNATURE)

        outcome, new = play(
            document,
            lambda document=document: services.hand_in(
                "a.pdf", PDF, type=document.type, family=family, actor=parent
            ),
        )

        assert outcome == Outcome.INFECTED
        new = Document.objects.get(pk=new.pk)
        assert (new.scan, new.verdict) == (Scan.CLEAN, Verdict.PENDING)
        document = Document.objects.get(pk=document.pk)
        assert (document.scan, document.replaced_by) == (Scan.INFECTED, new)


def test_taken_back_meanwhile(keep, clamd):
    for _ in range(ROUNDS):
        document = keep(PDF)

        outcome, error = play(document, lambda document=document: services.remove(document))

        assert error is None
        assert outcome in (Outcome.CLEAN, Outcome.OVERTAKEN)
        assert not Document.objects.filter(pk=document.pk).exists()


def test_no_infected_piece_ends_accepted(keep, clamd, registrar):
    """Never scanned before, hence acceptable: the antivirus has the last word, first or second."""
    for _ in range(ROUNDS):
        document = keep(SIGNATURE, scan=Scan.NOT_ANALYSED)

        outcome, accepted = play(
            document, lambda document=document: services.accept(document, actor=registrar)
        )

        assert outcome == Outcome.INFECTED
        if isinstance(accepted, Exception):
            assert accepted.code in ("quarantined", "bad_transition")
        document = Document.objects.get(pk=document.pk)
        assert (document.scan, document.verdict, document.file.name) == (
            *(Scan.INFECTED, Verdict.REFUSED),
            "",
        )


def test_a_quarantined_piece_is_accepted_only_once_it_is_clean(keep, clamd, registrar):
    for _ in range(ROUNDS):
        document = keep(PDF)

        outcome, accepted = play(
            document, lambda document=document: services.accept(document, actor=registrar)
        )

        assert outcome == Outcome.CLEAN
        verdict = Document.objects.get(pk=document.pk).verdict
        if isinstance(accepted, Exception):
            assert (accepted.code, verdict) == ("quarantined", Verdict.PENDING)
        else:
            assert verdict == Verdict.ACCEPTED


def test_twenty_families_at_once_and_a_silent_clamd(clamd, family, parent, monkeypatch):
    """Each process that serves the site loses its delay once: here they share one."""
    monkeypatch.setattr("documents.antivirus.arrival.LONGEST_SECONDS", 0.5)
    clamd.fault = "silent"
    kinds = [DocumentTypeFactory() for _ in range(20)]

    def send(number):
        return services.hand_in("a.pdf", PDF, type=kinds[number], family=family, actor=parent)

    results = run_together(send, 20)

    assert [result.scan for result in results] == [Scan.WAITING] * 20
