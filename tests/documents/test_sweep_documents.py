"""Files without a row, rows without their file, in a folder as in a bucket."""

import datetime as dt
import re

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db.models import FileField

from accounts.models import private_storage
from accounts.private_files import shelves
from documents import sweeping
from tests.documents.private_storages import s3_storage, use_storage

pytestmark = pytest.mark.django_db

NOBODY = "http://127.0.0.1:1"
LOST = "ab/" + "ab" * 16  # a name as ours are, that no row gives


@pytest.fixture
def aged(monkeypatch):
    """Every file is older than an hour."""
    monkeypatch.setattr(sweeping, "AGE", dt.timedelta(seconds=-1))


@pytest.fixture
def sweep(capsys):
    """`sweep()`: what the command said, and its error."""

    def call(*args):
        try:
            call_command("sweep_documents", *args)
        except CommandError as error:
            return capsys.readouterr().out, str(error)
        return capsys.readouterr().out, ""

    return call


@pytest.fixture
def lose(private):
    """A worker killed before its commit left this behind."""

    def save(name=LOST):
        return private.save(name, ContentFile(b"%PDF-1.4 orphan"))

    return save


@pytest.mark.usefixtures("aged", "private")
class TestOrphans:
    def test_they_go_and_the_others_stay(self, proof_of, lose, kept, sweep):
        document = proof_of()
        lose()

        assert sweep() == ("Supprimés : 1 (15\u00a0octets).\n", "")
        assert kept() == [document.file.name]
        assert sweep() == ("Supprimés : 0 (0\u00a0octet).\n", "")

    def test_said_first(self, lose, kept, sweep):
        lose()

        assert sweep("--dry-run") == ("À supprimer : 1 (15\u00a0octets).\n", "")
        assert kept() == [LOST]

    @pytest.mark.parametrize("name", ["exports/ab-1", "lists/ab"])
    def test_those_of_other_apps_too(self, lose, kept, sweep, name):
        lose(name)

        assert sweep()[0].startswith("Supprimés : 1 ")
        assert kept() == []

    @pytest.mark.parametrize("name", ["elsewhere/a.pdf", "ab/sub/file", "zz/file", "abc/file"])
    def test_what_is_on_no_shelf_is_never_touched(self, private, lose, sweep, name):
        lose(name)

        assert sweep() == ("Supprimés : 0 (0\u00a0octet).\n", "")
        assert private.exists(name)

    def test_one_whose_row_came_meanwhile_stays(self, proof_of, lose, sweep, kept, monkeypatch):
        """Its row was committed after the rows of the folder were read."""
        document = proof_of()
        monkeypatch.setattr(sweeping.Shelf, "names", lambda shelf, folder: set())

        assert sweep() == ("Supprimés : 0 (0\u00a0octet).\n", "")
        assert kept() == [document.file.name]

    def test_more_than_a_few_are_no_accident(self, lose, kept, sweep):
        """The command was run with another database: every file looks lost."""
        names = [lose(f"{n:02x}/{n:02x}") for n in range(4)]

        out, error = sweep("--limit", "3")

        assert (out, error[:49]) == ("", "Plus de 3 fichiers n'ont pas de ligne : rien n'es")
        assert kept() == sorted(names)
        assert sweep("--limit", "4")[1] == ""
        assert kept() == []

    def test_two_at_once(self, private, lose, kept, sweep, monkeypatch):
        """The other one has deleted it between the listing and the deletion."""
        lose()
        delete = type(private).delete

        def twice(storage, name):
            delete(storage, name)
            delete(storage, name)

        monkeypatch.setattr(type(private), "delete", twice)

        assert sweep() == ("Supprimés : 1 (15\u00a0octets).\n", "")
        assert kept() == []

    def test_one_that_will_not_go_is_told(self, private, lose, sweep, monkeypatch, caplog):
        lose()

        def fail(*args):
            raise OSError("Input/output error")

        monkeypatch.setattr(type(private), "delete", fail)

        assert sweep() == ("Supprimés : 0 (15\u00a0octets).\n", "1 non supprimé(s).")
        assert LOST in caplog.text


@pytest.mark.usefixtures("private")
def test_an_upload_in_progress_is_left_alone(lose, kept, sweep):
    lose()

    assert sweep() == ("Supprimés : 0 (0\u00a0octet).\n", "")
    assert kept() == [LOST]


@pytest.mark.usefixtures("aged")
class TestMissing:
    def test_they_are_told_and_the_command_ends_in_error(self, private, proof_of, sweep):
        document = proof_of()
        private.delete(document.file.name)

        out, error = sweep()

        assert out == (
            f"pièce {document.pk}\u00a0: le fichier {document.file.name} manque.\n"
            "Supprimés : 0 (0\u00a0octet).\n"
        )
        assert error == "1 fichier(s) manquant(s)."

    def test_one_that_was_let_go_is_not_missing(self, private, proof_of, kept, sweep):
        proof_of()
        newer = proof_of()

        assert kept() == [newer.file.name]
        assert sweep()[1] == ""

    def test_one_stored_meanwhile_is_not_missing(self, private, proof_of, sweep, monkeypatch):
        proof_of()
        monkeypatch.setattr(sweeping, "_listed", lambda storage, folder: set())

        assert sweep()[1] == ""

    def test_a_storage_that_is_down_says_so_and_accuses_no_row(self, folder, proof_of, sweep):
        proof_of()
        with pytest.MonkeyPatch.context() as patch:
            use_storage(patch, s3_storage(NOBODY))
            out, error = sweep()

        assert (out, error[:28]) == ("", "Le stockage ne répond pas : ")


def test_a_folder_at_a_time_whatever_the_number(
    folder, proof_of, family, django_assert_max_num_queries
):
    proof_of()
    folders = sum(len(shelf.folders) for shelf in shelves())

    with django_assert_max_num_queries(folders):
        sweeping.sweep(limit=0)


def test_every_private_file_is_on_a_shelf():
    """Else a sweep would take none of its leftovers, or somebody else's would take its files."""
    private = {
        f"{field.model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, FileField) and field._storage_callable is private_storage
    }

    assert private == {f"{shelf.model}.{shelf.field}" for shelf in shelves()}


def test_the_folders_of_the_pieces_are_all_those_of_their_names(proof_of):
    name = proof_of().file.name

    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}", name)
    assert len(set(sweeping.PIECES.folders)) == 256
    assert name[:2] in sweeping.PIECES.folders
    assert sweeping.PIECES.named([name, LOST]) == {name}
