"""A storage down, slow or full, a worker killed: a clear sentence, and nothing half done."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from documents import lending, services, sweeping
from documents.models import Document
from families.files_to_delete import delete_next
from families.models import FileToDelete
from tests.documents.conftest import PDF
from tests.documents.private_storages import (
    FullDisk,
    answering,
    http,
    local_folder,
    s3_storage,
    use_storage,
)
from tests.factories import DocumentTypeFactory, FamilyFactory, UserFactory

SENTENCE = (
    "Votre fichier n'a pas pu être enregistré\u00a0: notre espace de stockage ne répond pas. Le"
    " reste de votre saisie est conservé\u00a0; réessayez dans quelques minutes."
)
SOON = 4  # seconds: two attempts of one, a pause, and a machine that is busy
NOBODY = "http://127.0.0.1:1"  # no server listens there
ANSWERS = {
    "silent": b"",
    "broken": http("500 Internal Server Error", "InternalError"),
    "forbidden": http("403 Forbidden", "AccessDenied"),
    "without bucket": http("404 Not Found", "NoSuchBucket"),
    "not S3": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n%PDF",
}


@contextmanager
def failing(fault):
    """The private storage of each fault."""
    if fault == "stopped":
        yield s3_storage(NOBODY, connect_timeout=1, read_timeout=1)
        return
    with answering(ANSWERS[fault]) as server:
        storage = s3_storage(server.endpoint, connect_timeout=1, read_timeout=1)
        yield storage
        storage.connection.meta.client.close()


def refused(send):
    with pytest.raises(ValidationError) as refusal:
        send()
    assert refusal.value.code == "storage_down"
    assert refusal.value.messages == [SENTENCE]


class TestHandIn:
    @pytest.mark.parametrize("fault", ["stopped", "silent", "broken", "forbidden"])
    def test_a_bucket_that_fails_is_a_sentence_and_the_piece_before_stays(
        self, folder, proof_of, kept, fault
    ):
        before = proof_of()

        with pytest.MonkeyPatch.context() as patch, failing(fault) as storage:
            use_storage(patch, storage)
            start = time.monotonic()
            refused(proof_of)
            assert time.monotonic() - start < SOON

        assert list(Document.objects.all()) == [before]
        assert list(Document.objects.current()) == [before]
        assert kept() == [before.file.name]

    def test_a_file_that_arrives_after_all_goes(self, folder, proof_of, monkeypatch):
        """The server took it, its answer never came: the sender deletes it, or the sweep."""
        with pytest.MonkeyPatch.context() as patch:
            use_storage(patch, s3_storage(NOBODY))
            refused(proof_of)

        [scheduled] = FileToDelete.objects.all()
        assert scheduled.name[:2] == scheduled.name[3:5]

    def test_a_full_disk_keeps_no_beginning_of_the_file(
        self, tmp_path, monkeypatch, proof_of, caplog
    ):
        storage = FullDisk(location=tmp_path)
        use_storage(monkeypatch, storage)

        refused(proof_of)

        [name] = FileToDelete.objects.values_list("name", flat=True)
        assert storage.size(name) == FullDisk.room  # the disk has kept what it could
        assert "File too large" in caplog.text
        assert delete_next()
        assert not storage.exists(name)
        assert not Document.objects.exists()

    def test_a_folder_that_cannot_be_written(self, tmp_path, monkeypatch, proof_of):
        (tmp_path / "documents").write_text("not a folder")
        use_storage(monkeypatch, local_folder(tmp_path / "documents"))

        refused(proof_of)

        assert not Document.objects.exists()


class TestDownload:
    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            *[(fault, "notre espace de stockage ne répond pas") for fault in ("stopped", "silent")],
            *[(fault, "notre espace de stockage ne répond pas") for fault in ("broken", "cut off")],
            ("forbidden", "notre espace de stockage ne répond pas"),
            ("without bucket", "ne se trouve pas dans notre espace de stockage"),
        ],
    )
    def test_a_page_and_nothing_of_the_file(
        self, folder, proof_of, client, parent, monkeypatch, fault, said
    ):
        document = proof_of()
        client.force_login(parent)

        with failing(fault) as storage:
            use_storage(monkeypatch, storage)
            start = time.monotonic()
            response = client.get(reverse("documents:download", args=[document.pk]))

        assert time.monotonic() - start < SOON
        assert response.status_code == 503
        assert said in response.text
        assert "Content-Disposition" not in response

    def test_a_staff_member_is_told_and_nothing_is_logged_as_read(
        self, folder, proof_of, client, registrar, monkeypatch
    ):
        document = proof_of()
        client.force_login(registrar)
        use_storage(monkeypatch, s3_storage(NOBODY))

        response = client.get(reverse("admin:documents_document_file", args=[document.pk]))

        assert response.status_code == 503
        assert not document.accesses.exists()

    @pytest.mark.parametrize("who", ["parent", "registrar"])
    def test_one_that_is_not_kept_any_more(self, proof_of, client, request, who):
        old = proof_of()
        proof_of()
        client.force_login(request.getfixturevalue(who))
        view = "documents:download" if who == "parent" else "admin:documents_document_file"

        response = client.get(reverse(view, args=[old.pk]))

        assert response.status_code == 410
        old.refresh_from_db()
        assert old.why_gone.startswith("remplacé par une version plus récente, le ")
        assert f"Ce fichier n'est plus conservé ({old.why_gone})." in response.text.replace(
            "&#x27;", "'"
        )

    def test_one_let_go_while_it_was_asked_for(self, proof_of, client, parent, stored):
        """The row was read before the replacement, the file asked for after."""
        old = proof_of()
        proof_of()
        stored()

        stale = Document.objects.get(pk=old.pk)
        stale.file, stale.file_gone_at = old.file.name, None
        with pytest.raises(lending.FileNotKept):
            lending.lend(stale)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_silent_bucket_holds_no_transaction_open(monkeypatch):
    type_, family, actor = DocumentTypeFactory(), FamilyFactory(), UserFactory()
    before = services.hand_in("a.pdf", PDF, type=type_, family=family, actor=actor)
    codes = []

    def send():
        try:
            services.hand_in("a.pdf", PDF, type=type_, family=family, actor=actor)
        except ValidationError as error:
            codes.append(error.code)
        finally:
            connection.close()

    with answering() as server:
        use_storage(monkeypatch, s3_storage(server.endpoint, read_timeout=2, attempts=1))
        thread = Thread(target=send)
        thread.start()
        assert server.asked.wait(timeout=30)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND (state LIKE 'idle in transaction%' OR wait_event_type = 'Lock')"
            )
            held = cursor.fetchall()
        assert thread.is_alive()
        thread.join()

    assert (held, codes) == ([], ["storage_down"])
    assert list(Document.objects.current()) == [before]


KILLED = """
import os, signal, sys
import django
django.setup()
from documents import keeping, services
from documents.models import DocumentType
from accounts.models import User
from families.models import Family
from pytest import MonkeyPatch
from tests.documents.conftest import PDF
from tests.documents.private_storages import local_folder, use_storage

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

folder, moment, type_, family, actor = sys.argv[1:]
use_storage(MonkeyPatch(), local_folder(folder))
if moment == "stored":
    services._replace_current = die
elif moment == "about to commit":
    let_go = keeping.let_go
    keeping.let_go = lambda *args: (let_go(*args), die())
services.hand_in(
    "a.pdf",
    PDF,
    type=DocumentType.objects.get(pk=type_),
    family=Family.objects.get(pk=family),
    actor=User.objects.get(pk=actor),
)
die()
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["stored", "about to commit", "committed"])
def test_a_worker_killed_leaves_only_what_the_sender_and_the_sweep_take(
    tmp_path, monkeypatch, capsys, moment
):
    storage = local_folder(tmp_path)
    use_storage(monkeypatch, storage)
    type_, family, actor = DocumentTypeFactory(), FamilyFactory(), UserFactory()
    before = services.hand_in("a.pdf", PDF, type=type_, family=family, actor=actor)

    _kill(tmp_path, moment, type_.pk, family.pk, actor.pk)

    [current] = Document.objects.current()
    assert (current == before) == (moment != "committed")
    assert len(_files(tmp_path)) == 2
    while delete_next():
        pass
    monkeypatch.setattr(sweeping, "AGE", dt.timedelta(seconds=-1))
    call_command("sweep_documents")
    assert _files(tmp_path) == [current.file.name]
    call_command("check_invariants")


def _kill(*args):
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", KILLED, *map(str, args)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def _files(folder):
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found)
