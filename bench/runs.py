"""`make bench-runs`: a year's invoices issued by the queue, its workers killed, stopped, resumed.

Ends with 1 if a number is missing or double, a household billed twice or forgotten, a mail missing
or double, a rule of `check_invariants` broken, or a page that makes more queries as the run grows.
"""

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.environment import fresh_database, say  # isort: skip  # it starts Django

import datetime as dt

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from bench import payers
from bench.measures import french
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.runs.controlling import View
from billing.runs.drafting import AT_ONCE, draft_next
from billing.runs.issuing import issue_next
from families.models import Guardian
from imuse.invariants import CHECKS, files
from tests.factories import PASSWORD, UserFactory
from tests.smtp import MailServer

HOUSEHOLDS, QUICK = 20_000, 400
KILLS = [0.1, 0.25, 0.4, 0.55, 0.7]  # of the work done, when a worker is killed
STOPPED = 0.5
TICKS = os.sysconf("SC_CLK_TCK")
PEAK = "VmHWM"  # /proc/<pid>/status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    with fresh_database() as url:
        return Play(QUICK if asked.quick else asked.households, asked.workers, url).play()


@dataclass
class Phase:
    """What a part of the run took: seconds, CPU of the workers, done at each moment."""

    name: str
    seconds: float = 0.0
    cpu: float = 0.0
    done: list[tuple[float, int]] = field(default_factory=list)

    @property
    def paces(self) -> list[float]:
        """Per second, in each tenth of the work."""
        if not self.done:
            return []
        total, paces, (began, before) = self.done[-1][1], [], self.done[0]
        for at, done in self.done[1:]:
            if done - before >= max(1, total // 10):
                paces.append((done - before) / (at - began))
                began, before = at, done
        return paces


class Worker:
    """`manage.py send_mails --forever`; its CPU is read to the end, and its memory at its peak."""

    def __init__(self, url: str, server: MailServer):
        environment = os.environ | {
            "DATABASE_URL": url,
            "DEBUG": "off",
            "EMAIL_URL": f"smtp://{server.host}:{server.port}",
        }
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "send_mails", "--forever", "--every", "0.1"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        self.peak = 0  # MB
        self.memories: list[int] = []  # MB, as it went on
        self.cpu = 0.0

    def look(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{self._process.pid}/status") as status:
                sizes = dict(line.split(":", 1) for line in status)
            self.peak = int(sizes[PEAK].split()[0]) // 1024
            self.memories.append(int(sizes["VmRSS"].split()[0]) // 1024)

    def end(self, how: signal.Signals) -> None:
        self.look()
        self._process.send_signal(how)
        _, _, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = -how  # wait4 has reaped it
        self.cpu = usage.ru_utime + usage.ru_stime


class Play:
    def __init__(self, households: int, workers: int, url: str):
        self.households, self.count, self.url = households, workers, url
        self.workers: list[Worker] = []
        self.ended: list[Worker] = []
        self.killed_at: list[float] = []
        self.accepted_at: dict[str, float] = {}
        self.faults: list[str] = []
        self.phases: list[Phase] = []
        self.queries: dict[str, list[int]] = {}  # of a step, at the beginning and at the end
        self.chance = random.Random(6)

    def play(self) -> int:
        load = french(f"{os.getloadavg()[0]:.1f}")
        say(f"{os.cpu_count()} cœurs, charge {load}, {self.count} expéditeurs")
        start = time.perf_counter()
        self.site, self.year = payers.settle(self.households)
        say(f"{self.households} foyers écrits en {time.perf_counter() - start:.0f} s")
        UserFactory(username="regie", is_staff=True, is_superuser=True)
        settings.STAFF_SECOND_FACTOR = False
        self.admin = Client()
        typed = {"username": "regie", "password": PASSWORD, "establishment": self.site.pk}
        self.admin.post(reverse("accounts:sign_in"), typed)

        with MailServer(before_250=self._before_250) as self.server:
            try:
                self._prepare()
                self._read_pages("à contrôler", full=True)
                self._issue()
                self._send_the_rest()
            finally:
                for worker in self.workers:
                    worker.end(signal.SIGKILL)
        self._read_pages("émise", full=False)
        self._report()
        self._compare()
        for fault in self.faults:
            say(f"FAUTE : {fault}")
        return bool(self.faults)

    # --- What an agent does, and the queue -------------------------------------------------------

    def _prepare(self):
        address = reverse("admin:billing_invoicerun_add")
        posted = {
            "establishment": self.site.pk,
            "school_year": self.year.pk,
            "kind": "cotisation",
            "label": "Cotisations",
            "billed": "confirmed",
            "parts": 3,
            "due_on": timezone.localdate() + dt.timedelta(days=30),
        }
        start = time.perf_counter()
        response = self.admin.post(address, posted)
        say(f"« Préparer les brouillons » répond en {_seconds(start)}")
        self.run = InvoiceRun.objects.get()
        if response.status_code != 302:
            self.faults.append(f"« Préparer » répond {response.status_code}")
        self._count_queries(f"préparer {AT_ONCE} foyers", draft_next)
        total = self.run.households.count()
        left = self.run.households.filter(outcome=RunOutcome.TO_DO)
        with self._phase("préparation", lambda: total - left.count(), total, KILLS):
            pass
        self._wait_for(lambda: self._state() == RunState.TO_CHECK)
        self._count_queries(f"préparer {AT_ONCE} foyers, rien à faire", draft_next)

    def _issue(self):
        drafts = self.run.invoices.count()
        half = int(drafts * STOPPED)
        self._launch(drafts)
        issue_next()  # which also makes the counter of the year
        issued = self.run.invoices.filter(status=InvoiceStatus.ISSUED)
        self._count_queries("émettre une facture", issue_next)
        kills = [share * STOPPED for share in KILLS]
        with self._phase("émission, première moitié", issued.count, half, kills, of=drafts):
            self.admin.post(self._page("stop"))
        self._stays_stopped(issued)
        self._read_pages("émission arrêtée", full=False)
        self._launch(drafts - issued.count())
        kills = [STOPPED + share * STOPPED for share in KILLS]
        last = drafts - 5
        with self._phase("émission, seconde moitié", issued.count, last, kills, of=drafts):
            self._end_workers()
        if planned := self.run.invoices.filter(status=InvoiceStatus.DRAFT).count():
            self._count_queries("émettre une facture", issue_next)
            say(f"{planned} restaient à la fin de la mesure")
        while issue_next():
            pass
        issue_next()
        if self._state() != RunState.ISSUED:
            self.faults.append(f"la facturation finit « {self._state()} »")

    def _launch(self, expected):
        start = time.perf_counter()
        answer = self.admin.post(
            self._page("issue_all"), {"expected": expected, "confirm": "on"}, follow=True
        )
        say(f"« Émettre {expected} factures » répond en {_seconds(start)}")
        if self._state() != RunState.ISSUING:
            told = [str(message) for message in answer.context["messages"]]
            raise SystemExit(f"FAUTE : l'émission n'est pas lancée : {told}")

    def _stays_stopped(self, issued):
        time.sleep(0.5)  # what was under way
        before = issued.count()
        time.sleep(1)
        if (self._state(), issued.count()) != (RunState.PAUSED, before):
            self.faults.append("l'émission arrêtée continue")

    def _send_the_rest(self):
        """What the killed workers held too, as if its time had come."""
        mails.waiting().exclude(taken_until=None).update(taken_until=None)
        sent = Mail.objects.filter(sent_at__isnull=False)
        with self._phase("messages restants", sent.count, Mail.objects.count(), []):
            pass

    # --- The workers -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def _phase(self, name, done, until, kills, of=None):
        """Waits for `until` to be done; the block is what is done then, workers at work."""
        while len(self.workers) < self.count:
            self.workers.append(Worker(self.url, self.server))
        phase, kills = Phase(name), sorted(kills)
        total = of or until
        cpu, start = self._cpu(), time.perf_counter()
        deadline = start + 120 + total
        while True:
            number, now = done(), time.perf_counter()
            phase.done.append((now, number))
            if number >= until:
                break
            if now > deadline:
                raise SystemExit(f"FAUTE : {name} n'avance plus, à {number} sur {until}")
            if kills and number >= kills[0] * total:
                kills.pop(0)
                self._kill_one()
            for worker in self.workers:
                worker.look()
            time.sleep(0.2)
        yield
        phase.seconds = time.perf_counter() - start
        self._end_workers()
        phase.cpu = self._cpu() - cpu
        self.phases.append(phase)

    def _kill_one(self):
        worker = self.workers.pop(self.chance.randrange(len(self.workers)))
        self.killed_at.append(time.monotonic())
        worker.end(signal.SIGKILL)
        self.ended.append(worker)
        self.workers.append(Worker(self.url, self.server))

    def _end_workers(self):
        while self.workers:
            worker = self.workers.pop()
            worker.end(signal.SIGTERM)
            self.ended.append(worker)

    def _cpu(self):
        return sum(worker.cpu for worker in self.ended)

    def _wait_for(self, condition):
        for _ in range(200):
            if condition():
                return
            draft_next()
        raise SystemExit("FAUTE : rien n'avance plus")

    def _before_250(self, address):
        self.accepted_at[address] = time.monotonic()

    # --- What it costs ---------------------------------------------------------------------------

    def _count_queries(self, name, step):
        start = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            step()
        say(f"{name} : {len(queries)} requêtes, {(time.perf_counter() - start) * 1000:.0f} ms")
        self.queries.setdefault(name, []).append(len(queries))

    def _read_pages(self, when, *, full):
        views = View if full else [View.ALL]
        last = -(-self.run.households.count() // 100)
        pages = {f"contrôle, {view.label}": f"?voir={view.value}" for view in views}
        pages["contrôle, dernière page"] = f"?page={last}"
        pages["contrôle, plus grands, page du milieu"] = f"?voir=plus-grands&page={last // 2 or 1}"
        for name, query in pages.items():
            self._read(f"{name} ({when})", self._page("change") + query)
        self._read(f"liste des facturations ({when})", reverse(LIST))
        if full:
            self._read("confirmer l'émission", self._page("issue_all"))
            for format_ in ("csv", "xlsx"):
                start = time.perf_counter()
                answer = self.admin.post(self._page("export"), {"format": format_})
                size = len(answer.content) // 1024
                say(f"export {format_}, tous les foyers : {_seconds(start)}, {size} Ko")

    def _read(self, name, address):
        self.admin.get(address)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                status = self.admin.get(address).status_code
            times.append(time.perf_counter() - start)
        if status != 200:
            self.faults.append(f"la page « {name} » répond {status}")
        milliseconds = statistics.median(times) * 1000
        say(f"page « {name} » : {milliseconds:.0f} ms, {len(queries)} requêtes")
        if len(queries) > MOST_QUERIES:
            self.faults.append(f"la page « {name} » fait {len(queries)} requêtes")

    def _report(self):
        for phase in self.phases:
            number = phase.done[-1][1] - phase.done[0][1]
            each = phase.cpu / max(number, 1) * 1000
            say(
                f"{phase.name} : {number} en {phase.seconds:.0f} s,"
                f" {number / phase.seconds * 60:.0f} par minute,"
                f" {each:.1f} ms de CPU d'expéditeur chacun(e)"
            )
            paces = ", ".join(f"{pace * 60:.0f}" for pace in phase.paces)
            say(f"    par minute, dixième par dixième : {paces}")
        long = max(self.ended, key=lambda worker: len(worker.memories))
        say(
            f"mémoire d'un expéditeur : {max(worker.peak for worker in self.ended)} Mo au plus ;"
            f" celui qui a vécu le plus longtemps : {long.memories[len(long.memories) // 10]} Mo"
            f" après un dixième de sa vie, {long.memories[-1]} Mo à la fin"
        )
        for name, counts in self.queries.items():
            if counts[-1] > counts[0]:
                self.faults.append(f"{name} : {counts[0]} requêtes, puis {counts[-1]}")

    # --- What it gave ----------------------------------------------------------------------------

    def _compare(self):
        invoices = Invoice.objects.filter(run=self.run)
        issued = invoices.filter(status=InvoiceStatus.ISSUED)
        numbers = sorted(issued.values_list("number", flat=True))
        if numbers != list(range(1, len(numbers) + 1)):
            self.faults.append("les numéros ne se suivent pas")
        outcomes = Counter(self.run.households.values_list("outcome", flat=True))
        told = ", ".join(f"{count} {RunOutcome(key).label}" for key, count in outcomes.items())
        say(f"{len(numbers)} factures émises, de 1 à {numbers[-1]} ; foyers : {told}")
        if outcomes[RunOutcome.ISSUED] != len(numbers) or invoices.count() != len(numbers):
            self.faults.append("un foyer n'a pas sa facture, ou en a deux")
        twice = issued.values("family").annotate(each=Count("pk")).filter(each__gt=1)
        if twice.exists():
            self.faults.append(f"{twice.count()} foyers facturés deux fois")
        priced = RunHousehold.objects.filter(run=self.run, total__gt=0)
        if priced.count() != len(numbers):
            self.faults.append(f"{priced.count()} foyers doivent quelque chose")
        self._compare_mails(issued)
        violations = [fault for check in CHECKS if check is not files for fault in check()]
        say(f"check_invariants : {len(violations)} faute(s)")
        self.faults += violations

    def _compare_mails(self, issued):
        invoice_of = dict(issued.values_list("family", "pk"))
        told = Guardian.objects.filter(family__in=invoice_of).exclude(email="")
        expected = [
            f"{MailKind.INVOICE}:{invoice_of[family]}:{guardian}"
            for family, guardian in told.values_list("family", "pk")
        ]
        written = list(Mail.objects.filter(kind=MailKind.INVOICE).values_list("key", flat=True))
        if sorted(written) != sorted(expected):
            self.faults.append(f"{len(written)} messages pour {len(expected)} responsables")
        counts = Counter(self.server.accepted)
        doubled = [address for address, count in counts.items() if count > 1]
        say(
            f"{len(written)} messages écrits, {len(counts)} responsables prévenus ;"
            f" expéditeurs tués : {len(self.killed_at)}, messages doublés par eux : {len(doubled)}"
        )
        if set(counts) != set(told.values_list("email", flat=True)):
            self.faults.append("des responsables n'ont pas été prévenus")
        if len(doubled) > len(self.killed_at):
            self.faults.append(f"{len(doubled)} messages doublés")

    def _page(self, name):
        return reverse(f"admin:billing_invoicerun_{name}", args=[self.run.pk])

    def _state(self):
        return InvoiceRun.objects.values_list("state", flat=True).get(pk=self.run.pk)


LIST = "admin:billing_invoicerun_changelist"
MOST_QUERIES = 20


def _seconds(start: float) -> str:
    return french(f"{time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
