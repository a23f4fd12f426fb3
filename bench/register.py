"""« make bench-register »: the registers of 1,000 classes of twelve, all in one evening.

Each teacher opens the page of his lesson and calls it; the answer is lost for some, who send the
same again; two devices call the same class now and then. Ends with 1 if an answer was a 5xx, or if
a register, an absence or a mail is missing or is there twice.

The classes are made, and counted at the end, by bench/register_town.py.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path

from bench.clients import Answer, Browser
from bench.databases import databases
from bench.measures import percentile
from bench.server import run, serve

STUDENTS, ABSENT = 12, 2  # of each class
AT_ONCE = 40  # teachers who read or send at the same moment
SENT_TWICE, TWO_DEVICES = 0.1, 0.02  # of the classes
CSRF_FIELD = "csrfmiddlewaretoken"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=1000)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="imuse-bench-") as folder,
        databases(os.environ["DATABASE_URL"], ["register"]) as urls,
    ):
        environment = {
            "SECRET_KEY": "bench",
            "DATABASE_URL": urls["register"],
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DEBUG": "off",
            "SSL_REDIRECT": "off",
            "STAFF_SECOND_FACTOR": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "VAR_DIR": folder,
        }
        run(environment, "django", "collectstatic", "--no-input", "--verbosity", "0")
        classes = json.loads(run(environment, "bench.register_town", "build", str(asked.classes)))
        with serve("imuse.wsgi", environment, Path(folder) / "gunicorn.log") as server:
            began = time.monotonic()
            evening = Evening(server, random.Random(59200))
            asyncio.run(evening.play(classes))
            lasted = time.monotonic() - began
            cpu = server.cpu()
        held = json.loads(run(environment, "bench.register_town", "verify"))
        if any(answer.status >= 500 for answer in (*evening.read, *evening.sent)):
            sys.stderr.write((Path(folder) / "gunicorn.log").read_text()[-5000:])
    return report(evening, held, classes, lasted, cpu)


class Evening:
    def __init__(self, server, rng):
        self.server, self.rng = server, rng
        self.read: list[Answer] = []
        self.sent: list[Answer] = []
        self.refused = 0  # of two devices, the second one, told what differs

    async def play(self, classes: list[dict]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def teach(each):
            async with gate:
                await self._call(each)

        await asyncio.gather(*(teach(each) for each in classes))

    async def _call(self, each):
        page = Browser(self.server, each["cookies"])
        self.read.append(await page.get(each["url"]))
        body = self._body(each, absent=each["students"][:ABSENT])
        twice = self.rng.random() < SENT_TWICE
        if self.rng.random() < TWO_DEVICES:
            other = self._body(each, absent=each["students"][-ABSENT:])
            answers = await asyncio.gather(
                page.post(each["url"], body),
                Browser(self.server, each["cookies"]).post(each["url"], other),
            )
            self.refused += sum(answer.status == 409 for answer in answers)
        else:
            answers = [await page.post(each["url"], body)]
        if twice:
            answers.append(await page.post(each["url"], body))
            self.refused += answers[-1].status == 409
        self.sent += answers

    def _body(self, each, *, absent):
        marks = {f"e{pk}-kind": "absent" if pk in absent else "present" for pk in each["students"]}
        key = str(uuid.UUID(int=self.rng.getrandbits(128)))
        return {CSRF_FIELD: each["token"], "version": 0, "key": key, **marks}


def report(evening: Evening, held: dict, classes: list, lasted: float, cpu: float) -> int:
    faults = list(held["faults"])
    faults += [f"une réponse {a.status}" for a in evening.read if a.status != 200]
    faults += [f"une réponse {a.status}" for a in evening.sent if a.status not in (302, 409)]
    tell(f"{len(classes)} classes de {STUDENTS}, {AT_ONCE} enseignants à la fois\n")
    tell("| | réponses | p50 | p95 | la plus longue |", "|---|---|---|---|---|")
    for name, answers in (("page ouverte", evening.read), ("appel envoyé", evening.sent)):
        seconds = sorted(answer.seconds for answer in answers)
        middle, late = (round(1000 * percentile(seconds, part)) for part in (50, 95))
        longest = round(1000 * seconds[-1])
        tell(f"| {name} | {len(answers)} | {middle} ms | {late} ms | {longest} ms |")
    tell(
        f"\n{lasted:.0f} s en tout ({len(classes) / lasted:.1f} classes par seconde, "
        f"{1000 * cpu / len(classes):.0f} ms de processeur par classe) ; "
        f"{held['registers']} appels, "
        f"{held['absences']} absences, {held['mails']} messages en attente, "
        f"{evening.refused} envois refusés et montrés (deux appareils)."
    )
    tell(*(f"- FAUTE : {fault}" for fault in faults[:20]))
    return bool(faults)


def tell(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
