"""Each family page beside the floor's, in a small town and in a large one, by turns."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from bench.clients import Browser, hammer
from bench.forms import find_form, pick
from bench.measures import Sample, Spread, spread
from bench.server import Server

CLIENTS = 4  # two workers are never idle, and the queue stays short
HOUSEHOLDS = 8  # whose pages are read by turns
FLOOR = "/page/"
FLOOR_QUERIES = 5  # the session, the account, and three of its own
QUERY_MS = 1.0  # what each query beyond those may cost
EDIT = "/extranet/eleves/{student}/reinscription/"
PICK = f"{EDIT}places/"
PARTS = {"X-Parts": "1"}  # the script's: it takes but these of the page
PAGES = {
    "Accueil": "/extranet/accueil/",
    "Famille": "/extranet/famille/",
    "Élève : identité": "/extranet/eleves/{student}/identite/",
    "Élève : cours": "/extranet/eleves/{student}/cours/",
    "Élève : historique": "/extranet/eleves/{student}/historique/",
    "Élève : répertoire": "/extranet/eleves/{student}/repertoire/",
    "Réinscription": EDIT,
    "Réinscription : vérifier": f"{EDIT}verifier/",
    "Élève : documents": "/extranet/eleves/{student}/documents/",
    "Facturation": "/extranet/facturation/cotisations/",
    "Facturation : locations": "/extranet/facturation/locations/",
    "Une facture": "/extranet/facturation/{invoice}/",
    "Paiements": "/extranet/facturation/paiements/",
    "Mot de passe": "/extranet/mot-de-passe/",
    "Mes connexions": "/extranet/mot-de-passe/connexions/",
    "Mes données": "/extranet/famille/mes-donnees/",
}


@dataclass
class Page:
    """The samples of one page, round by round."""

    name: str
    queries: int
    floor: list[Sample] = field(default_factory=list)
    small: list[Sample] = field(default_factory=list)
    large: list[Sample] = field(default_factory=list)

    @property
    def cpu_ratio(self) -> Spread:
        """To the floor's page measured in the same round."""
        return spread(s.cpu_ms / f.cpu_ms for s, f in zip(self.small, self.floor, strict=True))

    @property
    def cpu_ms(self) -> float:
        return spread(sample.cpu_ms for sample in self.small).median

    @property
    def allowed_ms(self) -> float:
        """The floor's, and 1 ms for each query beyond its own."""
        floor = spread(sample.cpu_ms for sample in self.floor).median
        return floor + QUERY_MS * max(0, self.queries - FLOOR_QUERIES)

    @property
    def growth(self) -> Spread | None:
        """How many times slower in the large town, PostgreSQL included; None if not measured."""
        pairs = list(zip(self.large, self.small, strict=False))
        return spread(s.per_second / large.per_second for large, s in pairs) if pairs else None


@dataclass(frozen=True)
class Visited:
    """A server, and the browsers of a few households signed in on it."""

    server: Server
    browsers: list[Browser]
    keys: list[dict[str, int]]  # of each household, by the name that its addresses give them

    def addresses(self, path: str) -> Iterator:
        turns = cycle(zip(self.browsers, self.keys, strict=True))
        for browser, keys in turns:
            yield lambda b=browser, k=keys: b.get(path.format(**k))


def visit(server: Server, cast: dict) -> Visited:
    """The product's server, for the first households of its town."""
    chosen = cast["households"][:HOUSEHOLDS]
    browsers = [Browser(server, household["cookies"]) for household in chosen]
    keys = [{"student": each["student"], "invoice": each["invoice"]} for each in chosen]
    return Visited(server, browsers, keys)


def visit_floor(server: Server, cast: dict) -> Visited:
    browsers = [Browser(server, cookies) for cookies in cast["sessions"][:HOUSEHOLDS]]
    return Visited(server, browsers, [{} for _ in browsers])


def measure(
    floor: Visited, small: Visited, large: Visited | None, *, rounds: int, seconds: float, say
) -> list[Page]:
    """Every page in every town, round after round; the floor again beside each page."""
    for town in filter(None, (small, large)):
        asyncio.run(_choose_slots(town))
    pages = [Page(name, count) for name, count in _count_queries(small).items()]
    for number in range(rounds):
        for page in pages:
            say(f"tour {number + 1} sur {rounds} : {page.name}")
            page.floor.append(_sample(floor, FLOOR, seconds))
            page.small.append(_sample(small, PAGES[page.name], seconds))
            if large:
                page.large.append(_sample(large, PAGES[page.name], seconds))
    return pages


def _count_queries(town):
    paths = {name: path.format(**town.keys[0]) for name, path in PAGES.items()}
    asked = {"cookies": town.browsers[0].cookies, "addresses": list(paths.values())}
    counts = json.loads(town.server.ask("bench.town", "queries", json.dumps(asked)))
    return {name: counts[path] for name, path in paths.items()}


async def _choose_slots(town):
    """So that the page shows places held and the week, and the recap has something to show."""
    for browser, keys in zip(town.browsers, town.keys, strict=True):
        path = EDIT.format(**keys)
        form = find_form((await browser.get(path)).page, "administrative")
        answer = await browser.post_files(path, pick(form, 0))
        if answer.status != 302:
            raise SystemExit(f"{path} : réponse {answer.status} au choix d'un créneau")


def _sample(town, path, seconds):
    asyncio.run(hammer(town.addresses(path), clients=CLIENTS, seconds=seconds / 5))  # warm
    before = town.server.cpu()
    answers = asyncio.run(hammer(town.addresses(path), clients=CLIENTS, seconds=seconds))
    cpu = town.server.cpu() - before
    if wrong := {answer.status for answer in answers} - {200}:
        raise SystemExit(f"{path} : réponse {wrong}")
    lasted = max(a.answered_at for a in answers) - min(a.sent_at for a in answers)
    return Sample(
        per_second=len(answers) / lasted,
        seconds=[answer.seconds for answer in answers],
        cpu_ms=cpu * 1000 / len(answers),
    )
