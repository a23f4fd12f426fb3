"""A real clamd, where Debian's is installed, with one signature of ours."""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from documents import services
from documents.antivirus.arrival import rest
from documents.antivirus.clamd import Clamd, NotScanned, Unreachable
from documents.enums import Scan, Verdict
from documents.models import Document
from tests.documents.builders import make_pdf
from tests.fake_clamd import FOUND, SIGNATURE

PROGRAM = shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
START_SECONDS = 60  # a fraction of one, on a machine that does nothing else

pytestmark = pytest.mark.skipif(not PROGRAM, reason="clamd n'est pas installé (clamav-daemon)")

CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}
LocalSocket {folder}/clamd.ctl
TCPSocket {port}
TCPAddr 127.0.0.1
StreamMaxLength 1M
MaxThreads 2
"""


@pytest.fixture(scope="module")
def daemon(unused_port):
    """The settings that lead to it: by its UNIX socket, by TCP."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        home.joinpath("one.ndb").write_text(f"Test.OneLine:0:*:{SIGNATURE.hex()}\n")
        home.joinpath("clamd.conf").write_text(
            CONFIGURATION.format(folder=folder, port=unused_port)
        )
        process = subprocess.Popen(
            [PROGRAM, f"--config-file={home / 'clamd.conf'}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            settings = [f"unix://{home / 'clamd.ctl'}", f"tcp://127.0.0.1:{unused_port}"]
            for setting in settings:
                _wait_for(process, setting)
            yield settings
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


@pytest.fixture(scope="module")
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(process, setting):
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            return Clamd.at(setting).ping()
        except Unreachable:
            time.sleep(0.05)
    pytest.fail(f"clamd did not start ({process.poll()}).")


@pytest.fixture(params=[0, 1], ids=["unix", "tcp"])
def setting(daemon, request):
    return daemon[request.param]


@pytest.fixture
def client(setting):
    return Clamd.at(setting)


def test_it_says_what_it_is(client):
    assert client.version().startswith("ClamAV ")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", ""),
        (b"A dull file.", ""),
        (make_pdf(pages=3), ""),
        (bytes(900_000), ""),
        (SIGNATURE, FOUND),
        (make_pdf() + SIGNATURE, FOUND),
        (bytes(900_000) + SIGNATURE, FOUND),
    ],
)
def test_it_finds_its_one_signature(client, content, found):
    assert client.scan(content, seconds=20) == found


def test_a_file_above_its_limit(daemon):
    with pytest.raises(NotScanned, match="size limit exceeded"):
        Clamd.at(daemon[0]).scan(bytes(2 * 1024 * 1024), seconds=20)


def test_from_the_quarantine_to_the_verdict(daemon, settings, proof, family, parent):
    def send(content):
        return services.hand_in("a.pdf", content, type=proof, family=family, actor=parent)

    settings.CLAMD = "unix:///nowhere/clamd.ctl"
    waiting = send(make_pdf() + b"\n%" + SIGNATURE)
    rest.end()
    settings.CLAMD = daemon[0]

    call_command("scan_documents")
    waiting = Document.objects.get(pk=waiting.pk)
    assert (waiting.scan, waiting.verdict) == (Scan.INFECTED, Verdict.REFUSED)

    assert send(make_pdf()).scan == Scan.CLEAN
    with pytest.raises(ValidationError) as refusal:
        send(make_pdf() + b"\n%" + SIGNATURE)
    assert refusal.value.code == "infected"
