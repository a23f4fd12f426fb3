"""The opening evening: 500 families sign in, look, pick, check and submit within a minute."""

import asyncio
import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field

from bench.clients import Answer, Browser
from bench.forms import find_form, is_granted, pick_line, take_parts, tick
from bench.measures import unfair
from bench.pages import EDIT, PARTS, PICK
from bench.picks import FULL
from bench.server import Server

LIMIT = 60  # seconds in which all must have submitted
THINKING = (0.2, 1.0)  # seconds between an answer and the next click
SIGN_IN = "connexion (mot de passe)"
TRIES = 8  # slots that a family picks before it goes on without


@dataclass
class Evening:
    families: int
    arrival: float  # the seconds in which they arrive, evenly
    steps: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    granted: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    submitted: int = 0
    stopped: int = 0  # families that could not go on to the recap, or to the confirmation
    lasted: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)  # seconds, of each who shares the machine
    faults: list[str] = field(default_factory=list)

    @property
    def answers(self) -> list[Answer]:
        return [answer for answers in self.steps.values() for answer in answers]

    @property
    def failed(self) -> int:
        return sum(answer.failed for answer in self.answers)

    @property
    def pages(self) -> list[float]:
        """The seconds of every answer but the password's."""
        return [a.seconds for step, all_ in self.steps.items() if step != SIGN_IN for a in all_]

    @property
    def unfair(self) -> int:
        return sum(unfair(self.granted[slot], self.refused[slot]) for slot in self.refused)

    @property
    def unclear(self) -> int:
        return sum(not a.says(FULL) for answers in self.refused.values() for a in answers)


def play(server: Server, cast: dict, *, arrival: float) -> Evening:
    """The families of the cast, each for its first child."""
    server.ask("bench.town", "reset")
    evening = Evening(families=len(cast["households"]), arrival=arrival)
    site, base, clients = server.cpu(), server.cpu_of_base(), time.process_time()
    asyncio.run(_everybody(evening, server, cast))
    evening.cpu = {
        "site": server.cpu() - site,
        "base": sum(cpu - base.get(pid, 0) for pid, cpu in server.cpu_of_base().items()),
        "clients": time.process_time() - clients,
    }
    stored = json.loads(server.ask("bench.town", "verify"))
    evening.faults += [f"trop de places vendues : {slot}" for slot in stored["oversold"]]
    evening.faults += stored["violations"]
    if evening.failed:
        evening.faults.append(f"{evening.failed} réponses 5xx ou perdues")
    if stored["submitted"] != evening.submitted:
        told = f"{evening.submitted} confirmations"
        evening.faults.append(f"{told}, {stored['submitted']} dossiers déposés dans la base")
    return evening


async def _everybody(evening, server, cast):
    start = asyncio.get_running_loop().time()
    apart = evening.arrival / evening.families
    async with asyncio.TaskGroup() as group:
        for number, household in enumerate(cast["households"]):
            family = Family(evening, Browser(server), household, cast, random.Random(number))
            group.create_task(family.play(delay=apart * number))
    evening.lasted = asyncio.get_running_loop().time() - start


class Family:
    """`hurried`: it thinks no time at all."""

    def __init__(self, evening, browser, household, cast, rng, *, hurried=False):
        self.evening, self.household, self.cast, self.rng = evening, household, cast, rng
        self.browser, self.hurried = browser, hurried
        self.edit = EDIT.format(student=household["student"])
        self.places = PICK.format(student=household["student"])

    async def play(self, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            await self._re_enrol()
        except LookupError:  # a page that leads no further
            self.evening.stopped += 1

    async def _re_enrol(self):
        await self._sign_in()
        page = await self._get("réinscription", self.edit)
        form = find_form(page.page, "administrative")
        await self._tick(form)
        await self._pick(form)
        fields = tick(form)
        answer = await self._post("vérifier (envoi)", self.edit, fields | {"check": ""}, files=True)
        recap = await self._follow("vérifier", answer)
        form = find_form(recap.page, "accept")
        answer = await self._post("valider (envoi)", form.action, form.fields | {"accept": "on"})
        await self._follow("confirmation", answer)
        self.evening.submitted += answer.location.endswith("/confirmation/")

    async def _sign_in(self):
        page = await self._get("page de connexion", "/extranet/connexion/")
        typed = {
            "establishment": str(self.cast["site"]),
            "username": self.household["username"],
            "password": self.cast["password"],
        }
        fields = find_form(page.page, "password").fields | typed
        answer = await self._post(SIGN_IN, "/extranet/connexion/", fields)
        answer = await self._follow("entrer", answer)
        await self._follow("accueil", answer)

    async def _tick(self, form):
        """Every course: the script saves the whole form, a moment later."""
        answer = await self._post("cases cochées", self.edit, tick(form), headers=PARTS)
        take_parts(form, answer.page)

    async def _pick(self, form):
        """By the script, until a slot is kept, or none is left: then the course alone is asked."""
        for _ in range(TRIES):
            if not form.options:
                break
            fields = pick_line(form, self._preferred())
            wanted = fields[f"{fields['line']}-slot_id"]
            answer = await self._post("choix", self.places, fields)
            take_parts(form, answer.page)
            if is_granted(answer.status, answer.page):
                self.evening.granted[wanted].append(answer)
                break
            self.evening.refused[wanted].append(answer)

    def _preferred(self):
        """Everybody wants the first hours of the list."""
        return min(self.rng.randrange(8), self.rng.randrange(8))

    async def _follow(self, step, answer):
        """Where the answer leads, at once, as a browser does. Raises LookupError: nowhere."""
        if not answer.location:
            raise LookupError(step)
        return await self._do(step, self.browser.get(answer.location), thinking=False)

    async def _get(self, step, path):
        return await self._do(step, self.browser.get(path), thinking=True)

    async def _post(self, step, path, fields, *, files=False, **more):
        send = self.browser.post_files if files else self.browser.post
        return await self._do(step, send(path, fields, **more), thinking=True)

    async def _do(self, step, action, thinking):
        if thinking and not self.hurried:
            await asyncio.sleep(self.rng.uniform(*THINKING))
        answer = await action
        self.evening.steps[step].append(answer)
        return answer
