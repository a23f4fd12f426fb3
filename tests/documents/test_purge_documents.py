"""Files that have served their time go; rows and verdicts stay."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from documents import keeping, purging, services
from documents.enums import FileGone, Verdict
from documents.models import Document, DocumentType
from families.models import FileToDelete
from reenrolment.enums import Status
from reenrolment.models import Reenrolment
from students.models import SchoolYear
from tests.factories import CampaignFactory, DocumentFactory, DocumentTypeFactory, FamilyFactory

PURGED = "Effacé, en tout : 0 fichier, 0\u00a0octet.\n"


@pytest.fixture
def purge(capsys):
    def call(*args):
        call_command("purge_documents", *args)
        return capsys.readouterr().out

    return call


@pytest.fixture
def years(db):
    """`years(2024)`: the school year that begins in September 2024."""

    def make(start):
        return SchoolYear.objects.get_or_create(
            starts_on=dt.date(start, 9, 1), ends_on=dt.date(start + 1, 8, 31)
        )[0]

    return make


@pytest.fixture
def sent(proof, family):
    """A piece of the family, sent at noon of this day."""

    def make(day, **fields):
        document = DocumentFactory(**{"type": proof, "family": family, **fields})
        at = timezone.make_aware(dt.datetime.combine(day, dt.time(12)))
        Document.objects.filter(pk=document.pk).update(uploaded_at=at)
        return document

    return make


def lines(today):
    return [(line.type, line.reason, line.count, line.size) for line in purging.purge(today=today)]


class TestRetention:
    """The piece of 2024-2025, kept three months after its end."""

    LAST, OVER = dt.date(2025, 11, 30), dt.date(2025, 12, 1)

    @pytest.fixture(autouse=True)
    def _three_months(self, proof, years):
        proof.kept_months = 3
        proof.save()
        for start in (2024, 2025):
            years(start)

    @pytest.fixture
    def document(self, sent):
        return sent(dt.date(2024, 11, 10), verdict=Verdict.ACCEPTED)

    @pytest.fixture
    def dossier(self, document, examined, years, registrar):
        """A validated dossier that it served, for the year 2025-2026."""
        dossier = examined(document)
        dossier.status, dossier.decided_by, dossier.decided_at = (
            "validated",
            registrar,
            timezone.now(),
        )
        dossier.save()
        type(dossier.campaign).objects.update(school_year=years(2025), previous_year=years(2024))
        return dossier

    def test_the_file_goes_and_the_verdict_stays(self, document, proof, stored):
        assert lines(self.OVER) == [(proof, FileGone.RETENTION, 1, 13)]

        document.refresh_from_db()
        assert (document.verdict, document.name) == (Verdict.ACCEPTED, "justificatif.pdf")
        assert (document.file.name, document.file_gone_reason) == ("", FileGone.RETENTION)
        assert document.why_gone.startswith("durée de conservation écoulée, le ")
        assert stored() == []
        assert lines(self.OVER) == []  # once

    def test_it_is_asked_for_again(self, document):
        lines(self.OVER)

        assert not Document.objects.current().exists()

    @pytest.mark.parametrize("kept_months", [3, None])
    def test_not_before(self, document, proof, stored, kept_months):
        DocumentType.objects.update(kept_months=kept_months)
        day = self.LAST if kept_months else dt.date(2100, 1, 1)

        assert lines(day) == []
        assert stored() == [document.file.name]

    def test_zero_is_the_end_of_the_year(self, document):
        DocumentType.objects.update(kept_months=0)

        assert lines(dt.date(2025, 8, 31)) == []
        assert len(lines(dt.date(2025, 9, 1))) == 1

    def test_a_piece_of_the_summer_is_of_the_year_that_comes(self, sent, years):
        SchoolYear.objects.filter(starts_on__year=2024).update(ends_on=dt.date(2025, 7, 5))
        sent(dt.date(2025, 7, 20))

        assert lines(self.OVER) == []
        assert len(lines(dt.date(2026, 12, 1))) == 1

    def test_a_piece_of_no_year_that_is_known_stays(self, sent):
        sent(dt.date(2030, 1, 1))

        assert lines(dt.date(2100, 1, 1)) == []

    def test_a_later_year_that_it_served_counts(self, dossier):
        assert lines(self.OVER) == []
        assert len(lines(dt.date(2026, 12, 1))) == 1

    def test_a_dossier_to_examine_keeps_it(self, document, examined, years, stored):
        dossier = examined(document)
        type(dossier.campaign).objects.update(school_year=years(2025), previous_year=years(2024))

        assert lines(dt.date(2030, 1, 1)) == []
        assert stored() == [document.file.name]

    @pytest.mark.parametrize(("open_", "kept"), [(True, True), (False, False)])
    def test_a_draft_keeps_what_it_shows_while_its_campaign_is_open(
        self, document, student, open_, kept
    ):
        Reenrolment.objects.create(campaign=CampaignFactory(closed=not open_), student=student)

        assert (lines(self.OVER) == []) == kept

    def test_of_one_type_only(self, document, sent, proof):
        other = DocumentTypeFactory(name="Photo")
        kept = sent(dt.date(2024, 11, 10), type=other)

        assert [line[0] for line in lines(self.OVER)] == [proof]
        assert list(Document.objects.with_file()) == [kept]

    def test_one_that_a_dossier_takes_meanwhile_stays(self, document, examined, monkeypatch):
        """Between the reading and the lock, the family has validated with it."""
        next_ = purging._next

        def validated(*args):
            found = next_(*args)
            if found and not document.supplied_pieces.exists():
                examined(document)
            return found

        monkeypatch.setattr(purging, "_next", validated)

        assert lines(self.OVER) == []
        document.refresh_from_db()
        assert (document.file_gone_at, document.removed_at) == (None, None)


class TestOldVersions:
    def test_they_go_once_the_dossier_is_decided(self, proof_of, examined, stored, registrar):
        first = proof_of()
        dossier = examined(first)
        newer = proof_of()
        today = timezone.localdate()
        assert lines(today) == []

        Reenrolment.objects.filter(pk=dossier.pk).update(
            status=Status.VALIDATED, decided_at=timezone.now(), decided_by=registrar
        )

        [(_, reason, count, _)] = lines(today)
        assert (reason, count) == (FileGone.REPLACED, 1)
        assert stored() == [newer.file.name]

    def test_so_do_those_taken_back(self, proof_of, examined, stored):
        document = proof_of()
        dossier = examined(document)
        services.remove(document)
        assert stored() == [document.file.name]

        dossier.supplied_pieces.update(in_force=False)  # the complement was sent

        [(_, reason, _, _)] = lines(timezone.localdate())
        assert reason == FileGone.REMOVED
        assert stored() == []


class TestCommand:
    @pytest.fixture
    def old(self, proof, sent):
        """Five old versions of five households, 13 bytes each."""
        for _ in range(5):
            sent(dt.date(2024, 11, 10), family=FamilyFactory(), removed_at=timezone.now())

    @pytest.mark.usefixtures("old")
    def test_it_tells_how_many_of_each_type(self, purge, stored):
        assert purge("--dry-run") == (
            "Justificatif de domicile, retiré : 5 fichiers, 65\u00a0octets.\n"
            "À effacer, en tout : 5 fichiers, 65\u00a0octets.\n"
        )
        assert len(stored()) == 5

        assert purge() == (
            "Justificatif de domicile, retiré : 5 fichiers, 65\u00a0octets.\n"
            "Effacé, en tout : 5 fichiers, 65\u00a0octets.\n"
        )
        assert stored() == []
        assert purge() == PURGED

    @pytest.mark.usefixtures("old")
    def test_interrupted_it_goes_on_the_next_time(self, purge, stored, monkeypatch):
        monkeypatch.setattr(purging, "BATCH", 2)
        let_go, calls = keeping.let_go, []

        def stop(*args):
            calls.append(args)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return let_go(*args)

        with monkeypatch.context() as patch:
            patch.setattr(keeping, "let_go", stop)
            with pytest.raises(KeyboardInterrupt):
                purge()

        assert Document.objects.with_file().count() == 1
        assert "Effacé, en tout : 1 fichier, 13\u00a0octets." in purge()
        assert stored() == []

    @pytest.mark.usefixtures("old")
    def test_a_storage_that_is_down_lets_the_files_go_later(
        self, purge, stored, storage, monkeypatch
    ):
        def fail(*args):
            raise OSError("Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(type(storage), "delete", fail)
            purge()

        assert not Document.objects.with_file().exists()
        assert FileToDelete.objects.count() == 5
        FileToDelete.objects.update(due_at=timezone.now())
        assert stored() == []

    def test_its_queries_do_not_follow_the_rows(self, sent, proof):
        def queries(rows):
            for _ in range(rows):
                sent(dt.date(2024, 11, 10), family=FamilyFactory(), removed_at=timezone.now())
            with CaptureQueriesContext(connection) as captured:
                assert sum(line[2] for line in lines(timezone.localdate())) == rows
            return len(captured)

        assert queries(2) == queries(20)
