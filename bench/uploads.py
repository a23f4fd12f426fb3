"""The pages of the others while 20 families send files of 2 Mo without a pause.

Each page alone, then beside the uploads: these on a server of their own, as deploy/ has it, then on
the one of the pages. There is no nginx here: the browsers choose the server by the length of what
they send, as its `map` does.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count

from PIL import Image

from bench.clients import Answer, Browser, Upload, hammer
from bench.forms import find_form
from bench.measures import Sample, Spread, percentile, rate, spread
from bench.pages import CLIENTS, EDIT, PAGES, Visited, visit
from bench.server import Server

FAMILIES = 20
LIMIT = 2.0  # times slower, the pages of the others
NICE = 5  # a third of the weight, as CPUWeight=33 in deploy/imuse-uploads.service
READ = ["Accueil", "Réinscription"]
SETTLING = 2.0  # seconds before the pages are measured: the first files start the checks
SENT_BYTES = range(1_700_000, 2 * 1024 * 1024)
APART, TOGETHER = "à part", "ensemble"


@dataclass
class Beside:
    """A page, alone and beside the uploads, round by round."""

    name: str
    alone: list[Sample] = field(default_factory=list)
    during: dict[str, list[Sample]] = field(default_factory=lambda: {APART: [], TOGETHER: []})

    def slower(self, way: str) -> Spread:
        """How many times longer the p50 is than in the same round without uploads."""
        pairs = zip(self.alone, self.during[way], strict=True)
        return spread(
            percentile(busy.seconds, 50) / percentile(alone.seconds, 50) for alone, busy in pairs
        )

    def fewer(self, way: str) -> Spread:
        """How many times fewer pages per second the same clients are given."""
        pairs = zip(self.alone, self.during[way], strict=True)
        return spread(alone.per_second / busy.per_second for alone, busy in pairs)


@dataclass
class Rush:
    pages: list[Beside] = field(default_factory=lambda: [Beside(name) for name in READ])
    sent: dict[str, list[Sample]] = field(default_factory=lambda: {APART: [], TOGETHER: []})
    faults: list[str] = field(default_factory=list)


def measure(pages: Server, apart: Server, cast: dict, *, rounds: int, seconds: float, say) -> Rush:
    """Each round: the pages alone, then with each way of sending; those who send don't read."""
    pages.ask("bench.town", "reset")  # a submitted dossier takes no file
    rush, readers = Rush(), visit(pages, cast)
    taken = len(readers.browsers)
    senders = cast["households"][taken : taken + FAMILIES]
    files = make_files()
    for number in range(rounds):
        say(f"tour {number + 1} sur {rounds} : les pages seules, puis pendant les envois")
        for page in rush.pages:
            asyncio.run(_read(readers, page, seconds / 5))  # warm
            page.alone.append(asyncio.run(_read(readers, page, seconds)))
        for way, server in [(APART, apart), (TOGETHER, pages)]:
            crowd = [_Sender(pages, server, household, files) for household in senders]
            asyncio.run(_rush(rush, way, readers, crowd, seconds))
    return rush


def make_files() -> dict[str, Upload]:
    """By the field they are for: a photo of 12 megapixels, and four scanned pages in a PDF."""
    photo, scan = BytesIO(), BytesIO()
    _grain((3000, 4000), spread=8).save(photo, "JPEG", quality=76)
    first, *others = (_grain((1240, 1754), spread=12) for _ in range(4))
    first.save(scan, "PDF", save_all=True, append_images=others, quality=76)
    files = {
        "photo": Upload("photo.jpg", photo.getvalue(), "image/jpeg"),
        "proof": Upload("attestation.pdf", scan.getvalue(), "application/pdf"),
    }
    for file in files.values():
        if len(file.content) not in SENT_BYTES:
            raise SystemExit(f"{file.name} : {len(file.content)} octets, et non 2 Mo")
    return files


def _grain(size, spread):
    """As paper under a lamp: an image that compresses as a photo does."""
    return Image.effect_noise(size, spread).convert("RGB")


class _Sender:
    """A family that sends a photo, looks at the page, sends a proof, and so on."""

    def __init__(self, pages, uploads, household, files):
        self.browser = Browser(pages, household["cookies"], uploads)
        self.path = EDIT.format(student=household["student"])
        self.turns = [{household[kind]: file} for kind, file in files.items()]
        self.answers: list[Answer] = []
        self.pages: list[Answer] = []  # that follow

    async def send(self, rank: int, ended: asyncio.Event) -> None:
        page = await self.browser.get(self.path)
        fields = find_form(page.page, "administrative").fields
        for turn in count(rank):
            if ended.is_set():
                return
            file = self.turns[turn % len(self.turns)]
            answer = await self.browser.post_files(self.path, fields, file)
            self.answers.append(answer)
            if answer.location:
                self.pages.append(await self.browser.get(answer.location))


async def _rush(rush, way, readers, crowd, seconds):
    before = _sent(readers.server)["sent"]
    async with _sending(crowd):
        await asyncio.sleep(SETTLING)
        for page in rush.pages:
            page.during[way].append(await _read(readers, page, seconds))
    answers = [answer for sender in crowd for answer in sender.answers]
    rush.sent[way].append(Sample(rate(answers), [a.seconds for a in answers], 0))
    rush.faults += _wrong(answers, _sent(readers.server), before)
    if lost := sum(page.status != 200 for sender in crowd for page in sender.pages):
        rush.faults.append(f"{lost} pages perdues après un envoi")


@contextlib.asynccontextmanager
async def _sending(crowd):
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for rank, sender in enumerate(crowd):
            group.create_task(sender.send(rank, ended))
        yield
        ended.set()


async def _read(readers: Visited, page, seconds) -> Sample:
    answers = await hammer(readers.addresses(PAGES[page.name]), clients=CLIENTS, seconds=seconds)
    if wrong := {answer.status for answer in answers} - {200}:
        raise SystemExit(f"{page.name} : réponse {wrong}")
    return Sample(rate(answers), [answer.seconds for answer in answers], 0)


def _sent(server):
    return json.loads(server.ask("bench.town", "verify_uploads"))


def _wrong(answers: list[Answer], stored: dict, before: int) -> Iterator[str]:
    """What was refused or lost, and what the database holds otherwise than was said."""
    if failed := sum(answer.failed for answer in answers):
        yield f"{failed} envois 5xx ou perdus"
    announced = sum(answer.status == 302 for answer in answers)
    if refused := len(answers) - announced - failed:
        yield f"{refused} envois refusés"
    if (kept := stored["sent"] - before) != announced:
        yield f"{announced} fichiers annoncés reçus, {kept} dans la base"
    yield from stored["wrong"]
