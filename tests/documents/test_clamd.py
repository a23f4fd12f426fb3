"""Our client of clamd: what it understands, and that no daemon holds it longer than it was told."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from documents.antivirus.clamd import Clamd, NotScanned, Unreachable
from tests.fake_clamd import FOUND, SIGNATURE, FakeClamd

LARGE = bytes(2 * 1024 * 1024)


@pytest.fixture(params=["tcp", "unix"])
def server(request):
    with TemporaryDirectory() as folder:  # pytest's is too long for the name of a socket
        fake = FakeClamd(Path(folder, "clamd.ctl") if request.param == "unix" else None)
        yield fake
        fake.stop()


@pytest.fixture
def client(server):
    return Clamd.at(server.setting)


def test_clean(client, server):
    assert client.scan(b"A dull file.", seconds=5) == ""
    assert server.scanned == [b"A dull file."]


@pytest.mark.parametrize("content", [b"", b"x", LARGE, LARGE + b"x"])
def test_every_byte_is_sent(client, server, content):
    client.scan(content, seconds=5)

    assert server.scanned == [content]


def test_infected(client):
    assert client.scan(LARGE + SIGNATURE, seconds=5) == FOUND


def test_it_is_there(client):
    client.ping()

    assert client.version() == "ClamAV 1.4.3/27500/Thu Jan  1 00:00:00 2026"


def test_what_clamd_cannot_scan(client, server):
    server.fault = "error"

    with pytest.raises(NotScanned, match="Can't allocate memory"):
        client.scan(b"x", seconds=5)


def test_too_large_for_clamd_which_hangs_up_before_the_end(client, server):
    """By TCP its answer may be lost with the connection: it is one fault or the other."""
    server.fault = "too_large"

    with pytest.raises((NotScanned, Unreachable)):
        client.scan(LARGE, seconds=5)


@pytest.mark.parametrize("fault", ["hangs_up", "garbage", "endless"])
def test_what_is_no_answer(client, server, fault):
    server.fault = fault

    with pytest.raises(Unreachable):
        client.scan(b"x", seconds=5)


@pytest.mark.parametrize("fault", ["silent", "drips"])
def test_the_whole_has_a_deadline(client, server, fault):
    server.fault = fault
    start = time.monotonic()

    with pytest.raises(Unreachable):
        client.scan(b"x", seconds=0.3)

    assert time.monotonic() - start < 1


def test_no_time_left(client):
    with pytest.raises(Unreachable):
        client.scan(b"x", seconds=0)


def test_nobody_there(client, server):
    server.stop()

    for ask in (client.ping, client.version, lambda: client.scan(b"x", seconds=5)):
        with pytest.raises(Unreachable):
            ask()


@pytest.mark.parametrize(
    "setting",
    [
        *["clamd", "/run/clamav/clamd.ctl", "unix://", "unix:///", "unix://run/clamd.ctl"],
        *["tcp://127.0.0.1", "tcp://:3310", "tcp://127.0.0.1:port", "tcp://127.0.0.1:99999"],
        *["http://127.0.0.1:3310", "tcp://127.0.0.1:3310/x", "tcp://[::1:3310"],
    ],
)
def test_a_setting_that_names_no_daemon_stops_the_start(settings, setting):
    settings.CLAMD = setting

    with pytest.raises(ImproperlyConfigured, match=r"écrivez unix:///run/clamav/clamd\.ctl"):
        Clamd.at(setting)
    assert [error.id for error in run_checks()] == ["documents.E010"]


@pytest.mark.parametrize("setting", ["", "unix:///run/clamav/clamd.ctl", "tcp://[::1]:3310/"])
def test_a_good_setting_or_none(settings, setting):
    settings.CLAMD = setting

    assert run_checks() == []
