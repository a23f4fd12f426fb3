"""The site as it runs: gunicorn with several workers, PayFiP in a process of its own."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection
from django.test import Client

WORKERS = 3
SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """`location`: where it redirects to. `page`: its entities are letters again."""

    status: int
    location: str
    page: str


class Browser:
    """Somebody's, or that of nobody: PayFiP's notification, a return without the cookie."""

    def __init__(self, port, user=None):
        self.port = port
        self._cookies = {}
        if user:
            client = Client()
            client.force_login(user)
            self._cookies = {
                "sessionid": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "csrftoken": secrets.token_hex(16),
            }

    def get(self, path, **query):
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path, **form):
        if token := self._cookies.get("csrftoken"):
            form["csrfmiddlewaretoken"] = token
        return self._ask("POST", path, urlencode(form, doseq=True))

    def _ask(self, method, path, body=None):
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookies} if cookies else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        wire = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            wire.request(method, path, body, headers)
            answer = wire.getresponse()
            page = unescape(answer.read().decode())
            for line in answer.headers.get_all("Set-Cookie", []):
                self._cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
            return Answer(answer.status, answer.getheader("Location", ""), page)
        finally:
            wire.close()


class PayFiP:
    """The simulator, moved by its own pages only."""

    def __init__(self, port):
        self._browser = Browser(port)
        self.url = f"http://127.0.0.1:{port}/tpa"

    def behave(self, **moods):
        """As told, and as usual for the rest; it tells nobody anything unless it is asked to."""
        usual = {"service": "up", "notify": "never", "return_by": "get", "late_answers": 0}
        assert self._browser.post("/commandes", **(usual | moods)).status == 303

    def choose(self, idop, choice):
        """The payment page is opened, then one of its buttons is pressed."""
        assert self.page(idop).status == 200
        self.end(idop, choice)

    def page(self, idop):
        return self._browser.get("/tpa/paiementws.web", idop=idop)

    def end(self, idop, choice):
        done = self._browser.post("/tpa/paiementws.web", idop=idop, choix=choice)
        assert done.status == 200

    def expire(self, idop):
        self._browser.post("/commandes", perimer=idop)

    def forget(self, idop):
        self._browser.post("/commandes", oublier=idop)

    def asked_for(self, refdet) -> int:
        """How many payments it was asked for under this reference, among the latest."""
        return self._browser.get("/commandes").page.count(f"{refdet},")


class Site:
    """`log` holds a line for each answer, with the worker that gave it."""

    def __init__(self, port, master, log):
        self.port, self._master, self._log = port, master, log

    def browser(self, user=None) -> Browser:
        return Browser(self.port, user)

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self._master.pid}/task/{self._master.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def answered(self, idop) -> set[str]:
        """The workers that answered about this payment."""
        lines = self._log.read_text().splitlines()
        return {line.split()[0] for line in lines if quote(idop) in line}

    def kill_workers(self) -> None:
        """At once and without a word, as a machine that loses its power; others take over."""
        killed = self.workers()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(self.workers()) == WORKERS and not set(killed) & set(self.workers()))


@contextmanager
def payfip_process():
    """A PayFiP, as `make demo` starts it."""
    port = _free_port()
    command = [sys.executable, "manage.py", "payfip_simulator", "--port", str(port)]
    with _process(command, {"DEBUG": "on"}, port):
        yield PayFiP(port)


@contextmanager
def site_processes(payfip: PayFiP, log: Path):
    """gunicorn on the database of the tests, as deploy/imuse.service starts it."""
    port = _free_port()
    command = [sys.executable, "-W", "ignore", "-m", "gunicorn", "imuse.wsgi"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS), "--log-level", "error"]
    command += ["--preload"]  # a worker that takes over is there at once
    command += ["--access-logfile", str(log), "--access-logformat", "%(p)s %(s)s %(r)s"]
    environment = {
        "DEBUG": "on",
        "DATABASE_URL": _database_url(),
        "PAYFIP_URL": payfip.url,
        "SITE_URL": f"http://127.0.0.1:{port}",
        "CONN_MAX_AGE": "60",
    }
    with _process(command, environment, port) as master:
        site = Site(port, master, log)
        wait_until(lambda: len(site.workers()) == WORKERS)
        yield site


def run_command(payfip: PayFiP, *words: str) -> subprocess.Popen:
    """`manage.py …`, started on the database of the tests; its output is text."""
    environment = {"DEBUG": "on", "DATABASE_URL": _database_url(), "PAYFIP_URL": payfip.url}
    return subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env=_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def somebody_waits_for_us() -> bool:
    """Does another connection wait for a lock of our transaction?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


@contextmanager
def _process(command, environment, port):
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=_environment(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, f"{command} has ended"
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(ours):
    clean = {
        name: value for name, value in os.environ.items() if not re.match("PAYFIP_|SITE_", name)
    }
    theirs = {"DJANGO_SETTINGS_MODULE": "imuse.settings", "SECRET_KEY": settings.SECRET_KEY}
    return clean | theirs | {"ALLOWED_HOSTS": "127.0.0.1", "STAFF_SECOND_FACTOR": "off"} | ours


def _database_url():
    """Of the very database of the test, which is not that of the environment."""
    facts = connection.settings_dict
    user = ":".join(quote(facts[name]) for name in ("USER", "PASSWORD") if facts[name])
    place = f"{facts['HOST'] or '127.0.0.1'}:{facts['PORT'] or 5432}"
    return f"postgres://{user}@{place}/{facts['NAME']}"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
