"""The drill of a launch (`make drill`, `make drill-postgres`): thousands of mails, real senders,
a mail server that refuses, postpones and cuts; the senders are killed twice.

Ends with 1 if anybody reachable was not mailed, or mailed twice without a killed sender that
explains it, or if the pages tell other figures than the mail server.
"""

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from threading import Event, Thread

from bench.environment import fresh_database, say  # isort: skip  # it starts Django

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import mails
from accounts.models import User
from bench.households import make_town
from reenrolment.launch_progress import State
from reenrolment.models import Campaign, LaunchMail
from tests.factories import PASSWORD, UserFactory
from tests.queries import count_queries
from tests.smtp import CUT, MailServer

HURRIED = "pressee@example.org"  # asks for a password in the middle of the launch
JUST_BEFORE = 10.0  # seconds: a mail accepted so shortly before a kill may be sent again


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=5000)
    count = parser.parse_args().mails
    with fresh_database() as url:
        return Drill(count, url).play()


def address_of(number: int) -> str:
    """One in fifty is refused for good, one in fifty for the moment, one in five hundred cut."""
    mood = "refus" if number % 50 == 7 else "tard" if number % 50 == 23 else "oui"
    return f"{'coupe' if number % 500 == 3 else mood}.{number}@example.org"


def answer(address: str, number: int) -> str | None:
    match address.partition(".")[0], number:
        case "refus", _:
            return "550 5.1.1 User unknown"
        case "tard", 1:
            return "451 4.7.1 Greylisted"
        case "coupe", 1:
            return CUT
    return None


class Drill:
    def __init__(self, count: int, url: str):
        self.addresses = [address_of(number) for number in range(count)]
        self.without = count // 20
        self.url = url
        self.accepted_at: dict[str, float] = {}  # the first time
        self.killed_at: list[float] = []
        self.faults: list[str] = []
        self.condemned: subprocess.Popen | None = None
        self.senders: list[subprocess.Popen] = []
        self.deadline = time.monotonic() + 120 + count

    def play(self) -> int:
        database = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
        say(f"{database}, {os.cpu_count()} cœurs, {len(self.addresses)} responsables à prévenir,")
        say(f"et {self.without} foyers sans adresse e-mail.")
        campaign = make_town(self.addresses + [""] * self.without)
        UserFactory(username="pressee", email=HURRIED)
        UserFactory(username="direction", is_staff=True, is_superuser=True)
        settings.STAFF_SECOND_FACTOR = False
        self.admin = Client()
        self._sign_in(campaign, "direction")

        self._measure("aperçu", page("launch", campaign))
        self._measure("essai à blanc", page("launch_rehearsal", campaign))
        self._launch(campaign)
        with MailServer(answer, self._before_250) as self.server:
            try:
                self._send_with_accidents(campaign)
            finally:
                for sender in self.senders:
                    sender.kill()
            self._end()
        self._measure("suivi, à la fin", page("launch_progress", campaign))
        self._measure("suivi, tous", page("launch_progress", campaign) + "?etat=&page=20")
        self._measure("lettres", page("launch_letters", campaign))
        self._compare(campaign)
        for fault in self.faults:
            say(f"FAUTE : {fault}")
        return bool(self.faults)

    def _sign_in(self, campaign, username):
        typed = {"username": username, "password": PASSWORD}
        site = {"establishment": campaign.establishment_id}
        self.admin.post(reverse("accounts:sign_in"), typed | site)

    # --- The launch ------------------------------------------------------------------------------

    def _launch(self, campaign):
        expected = len(self.addresses) + self.without
        start = time.perf_counter()
        response = self.admin.post(
            page("launch", campaign), {"expected": expected, "confirm": "on"}
        )
        say(f"« Lancer » répond en {time.perf_counter() - start:.2f} s")
        if response.status_code != 302 or LaunchMail.objects.count() != expected:
            self.faults.append("le lancement n'a pas écrit une ligne par responsable")

    def _send_with_accidents(self, campaign):
        """One sender, killed at a « 250 »; then two at once, one of them killed; then two again."""
        start = time.perf_counter()
        with families_at_work(self.faults) as taken:
            self.condemned = first = self._start_sender()
            self._wait_for(lambda: first.poll() is not None)
            senders = [self._start_sender(), self._start_sender()]
            self._wait_for(lambda: self._progress() >= 0.5)
            self._measure("suivi, à mi-chemin", page("launch_progress", campaign) + "?etat=")
            self._ask_for_a_password()
            self._wait_for(lambda: self._progress() >= 0.6)
            self._kill(senders[0])
            senders[0] = self._start_sender()
            self._wait_for(is_idle)
            seconds = time.perf_counter() - start
            for sender in senders:  # politely: each finishes its mail
                sender.terminate()
            # -SIGTERM: told to stop before it had begun.
            if not {sender.wait() for sender in senders} <= {0, -signal.SIGTERM}:
                self.faults.append("un expéditeur ne s'est pas arrêté de lui-même")
        sent = len(self.server.accepted)
        say(f"envoi : {sent} messages en {seconds:.0f} s, {sent / seconds * 60:.0f} par minute")
        say(
            f"pages de familles pendant l'envoi : {len(taken)}, médiane"
            f" {statistics.median(taken) * 1000:.0f} ms, la plus longue {max(taken) * 1000:.0f} ms"
        )

    def _end(self):
        """What was postponed, and what the killed senders held, once its time has come."""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = self.server.host, self.server.port
        while mails.waiting().exists():
            now = timezone.now()
            held = mails.waiting().filter(taken_until__gt=now)
            say(
                f"le temps passe : {held.count()} message(s) d'un expéditeur tué,"
                f" {mails.waiting().filter(due_at__gt=now).count()} remis à plus tard"
            )
            mails.waiting().update(due_at=now, taken_until=None)
            mails.send_due()

    def _start_sender(self):
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "DEBUG": "off",
            "EMAIL_URL": f"smtp://{self.server.host}:{self.server.port}",
        }
        sender = subprocess.Popen(
            [sys.executable, "manage.py", "send_mails", "--forever", "--every", "0.1"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        self.senders.append(sender)
        return sender

    def _wait_for(self, condition):
        while not condition():
            if time.monotonic() > self.deadline:
                raise SystemExit("FAUTE : l'envoi n'avance plus")
            time.sleep(0.05)

    def _before_250(self, address):
        """In the server's thread: the mail is accepted, and its sender does not know it yet."""
        self.accepted_at.setdefault(address, time.monotonic())
        if self.condemned and self._progress() >= 0.25:
            self._kill(self.condemned)
            self.condemned = None

    def _kill(self, sender):
        self.killed_at.append(time.monotonic())
        os.kill(sender.pid, signal.SIGKILL)
        sender.wait()

    def _progress(self):
        return len(self.server.accepted) / len(self.addresses)

    def _ask_for_a_password(self):
        start = time.perf_counter()
        Client().post(reverse("accounts:lost_password"), {"username": "pressee", "email": HURRIED})
        self._wait_for(lambda: HURRIED in self.accepted_at)
        say(f"« mot de passe perdu » au milieu : reçu en {time.perf_counter() - start:.1f} s")

    # --- What it gave ----------------------------------------------------------------------------

    def _measure(self, name, address):
        start = time.perf_counter()
        queries = count_queries(self.admin, address)
        say(f"page « {name} » : {time.perf_counter() - start:.2f} s, {queries} requêtes")

    def _compare(self, campaign):
        counts = Counter(self.server.accepted)
        counts.pop(HURRIED)
        reachable = {address for address in self.addresses if not address.startswith("refus")}
        refused = len(self.addresses) - len(reachable)
        missed = reachable - set(counts)
        doubled = {address for address, count in counts.items() if count > 1}
        explained = {
            address
            for address in doubled
            if counts[address] == 2
            and any(0 <= at - self.accepted_at[address] < JUST_BEFORE for at in self.killed_at)
        }
        say(f"expéditeurs tués : {len(self.killed_at)}")
        say(f"acceptés une fois : {sum(count == 1 for count in counts.values())}")
        say(f"refusés pour de bon : {refused}")
        say(f"doublés : {len(doubled)}, dont {len(explained)} par un expéditeur tué avant d'avoir")
        say("noté le « 250 » du serveur")
        if missed or set(counts) - reachable:
            self.faults.append(f"{len(missed)} joignables oubliés")
        if doubled - explained or len(doubled) > len(self.killed_at):
            self.faults.append(f"{len(doubled)} doublés, {len(explained)} expliqués")

        figures = self.admin.get(page("launch_progress", campaign)).context["figures"]
        told = {State(state): number for state, number in figures if number}
        true = {
            State.SENT: len(set(counts)),
            State.FAILED: refused,
            State.NO_EMAIL: self.without,
        }
        true = {state: number for state, number in true.items() if number}
        say("suivi : " + ", ".join(f"{number} {state.label}" for state, number in told.items()))
        if told != true:
            self.faults.append(f"le suivi devrait dire {true}")
        accounts = User.objects.filter(guardian__isnull=False).count()
        if accounts != len(self.addresses) + self.without:
            self.faults.append(f"{accounts} comptes")


def page(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:reenrolment_campaign_{name}", args=[campaign.pk])


def is_idle() -> bool:
    """Is there nothing left that a live sender could do now?"""
    now = timezone.now()
    return (
        not LaunchMail.objects.filter(prepared_at=None).exists()
        and not mails.waiting().filter(Q(taken_until=None), due_at__lte=now).exists()
    )


@contextlib.contextmanager
def families_at_work(faults: list[str]) -> Iterator[list[float]]:
    """Somebody asks for a password ten times a second: a page that writes. Gives the times taken.

    A page that fails is added to the faults.
    """
    taken, stop = [], Event()

    def work():
        number = 0
        while not stop.wait(0.1):
            number += 1
            typed = {"username": f"inconnu{number}", "email": "inconnu@example.org"}
            client = Client(REMOTE_ADDR=f"10.1.{number // 250 % 250}.{number % 250}")
            start = time.perf_counter()
            try:
                status = client.post(reverse("accounts:lost_password"), typed).status_code
            except Exception as error:  # « database is locked »
                status = repr(error)
            taken.append(time.perf_counter() - start)
            if status != 302:
                faults.append(f"une page de famille répond {status}")
        connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
