"""400 clients pick at the same instant: over 20 slots of 10 places, then over one."""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field

from bench.clients import Answer, Browser, all_at_once
from bench.databases import execute
from bench.forms import find_form, is_granted, pick_line, take_parts, tick
from bench.measures import Sample, rate, unfair
from bench.pages import EDIT, PARTS, PICK
from bench.server import Server

PLACES = 10
FULL = "complet"  # what every refusal says
SPREADS = {"20 créneaux de 10": 20, "un créneau de 10": 1}
# All the floor's claims, in both shapes.
TAKE_BACK = """
    DELETE FROM floor_claim;
    UPDATE floor_slot SET taken = 0;
    UPDATE floor_place SET student_id = NULL;
"""
FLOOR_SHAPES = ["counter", "count", "rows", "rows_at_once"]


@dataclass
class Race:
    """The samples of the picks over so many slots, round by round."""

    name: str
    slots: int
    picks: list[Sample] = field(default_factory=list)
    submissions: list[Sample] = field(default_factory=list)
    floor: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    sql: list[float] = field(default_factory=list)  # picks per second, by pgbench
    faults: list[str] = field(default_factory=list)
    unfair: int = 0
    unclear: int = 0


def run_race(race: Race, product: Server, cast: dict, floor: Server, floor_cast: dict) -> None:
    """One round: the product, then each of the floor's shapes."""
    asyncio.run(_race_product(race, product, cast))
    for shape in FLOOR_SHAPES:
        asyncio.run(_race_floor(race, shape, floor, floor_cast))


async def _race_product(race, server, cast):
    server.ask("bench.town", "reset")
    crowd = [(Browser(server, h["cookies"]), h["student"]) for h in cast["households"]]
    forms = await _tick_all(crowd)
    answers, sample = await _timed(
        server,
        [
            browser.post(PICK.format(student=student), pick_line(forms[n], n % race.slots))
            for n, (browser, student) in enumerate(crowd)
        ],
    )
    race.picks.append(sample)
    granted = _judge(race, answers, expected=race.slots * PLACES)
    stored = json.loads(server.ask("bench.town", "verify"))
    if stored["held"] != len(granted):
        race.faults.append(f"{len(granted)} places annoncées, {stored['held']} gardées")
    await _submit(race, server, [crowd[n] for n in granted])
    race.faults += _wrong(json.loads(server.ask("bench.town", "verify")), submitted=len(granted))


async def _tick_all(crowd):
    """The page of each, as it is when only the slot is still to pick."""
    addresses = [EDIT.format(student=student) for _, student in crowd]
    pages = zip(crowd, addresses, strict=True)
    screens = await all_at_once(browser.get(address) for (browser, _), address in pages)
    _check_all_came(screens)
    forms = [find_form(screen.page, "administrative") for screen in screens]
    saved = await all_at_once(
        browser.post(address, tick(form), headers=PARTS)
        for (browser, _), address, form in zip(crowd, addresses, forms, strict=True)
    )
    _check_all_came(saved)
    for form, answer in zip(forms, saved, strict=True):
        take_parts(form, answer.page)
    return forms


def _judge(race, answers, expected):
    """The ranks of those who have a place; notes the failures, and what is unfair or unclear."""
    given = [is_granted(answer.status, answer.page) for answer in answers]
    granted = [n for n, is_given in enumerate(given) if is_given]
    failed = sum(answer.failed for answer in answers)
    if failed:
        race.faults.append(f"{failed} réponses 5xx ou perdues")
    if len(granted) != expected:
        race.faults.append(f"{len(granted)} places données pour {expected}")
    by_slot = defaultdict(lambda: ([], []))
    for n, answer in enumerate(answers):
        by_slot[n % race.slots][not given[n]].append(answer)
    race.unfair += sum(unfair(given, refused) for given, refused in by_slot.values())
    refused = [a for a, is_given in zip(answers, given, strict=True) if not is_given]
    race.unclear += sum(a.status == 200 and not a.says(FULL) for a in refused)
    return granted


async def _submit(race, server, winners):
    screens = await all_at_once(
        b.get(f"{EDIT.format(student=student)}verifier/") for b, student in winners
    )
    _check_all_came(screens)
    forms = [find_form(screen.page, "accept") for screen in screens]
    answers, sample = await _timed(
        server,
        [
            browser.post(form.action, form.fields | {"accept": "on"})
            for (browser, _), form in zip(winners, forms, strict=True)
        ],
    )
    race.submissions.append(sample)
    refused = [a for a in answers if not a.location.endswith("/confirmation/")]
    if refused:
        race.faults.append(f"{len(refused)} dossiers refusés alors que la place était gardée")


async def _race_floor(race, shape, server, cast):
    execute(server.environment["DATABASE_URL"], TAKE_BACK)
    answers, sample = await _timed(
        server,
        [
            Browser(server, cookies).post(
                f"/claim/{shape}/",
                {
                    "slot": str(cast["slots"][n % race.slots]),
                    "csrfmiddlewaretoken": cookies["csrftoken"],
                },
            )
            for n, cookies in enumerate(cast["sessions"])
        ],
    )
    race.floor[shape].append(sample)
    granted = sum(answer.status == 302 for answer in answers)
    if granted != race.slots * PLACES:
        race.faults.append(f"plancher ({shape}) : {granted} places données")


def _check_all_came(screens):
    """Before a start: without what each has on the screen there is nothing to measure."""
    if lost := sum(screen.status != 200 for screen in screens):
        raise SystemExit(f"{lost} pages perdues avant le départ : la machine est trop chargée.")


async def _timed(server, actions) -> tuple[list[Answer], Sample]:
    before = server.cpu()
    answers = await all_at_once(actions)
    cpu = server.cpu() - before
    seconds = [answer.seconds for answer in answers]
    return answers, Sample(rate(answers), seconds, cpu * 1000 / len(answers))


def _wrong(stored: dict, *, submitted: int) -> list[str]:
    """What the database must not hold after a rush."""
    found = [f"trop de places vendues : {slot}" for slot in stored["oversold"]]
    found += stored["violations"]
    if stored["submitted"] != submitted or stored["requested"] != submitted:
        told = f"{stored['submitted']} dossiers et {stored['requested']} places"
        found.append(f"{submitted} dépôts annoncés, {told} dans la base")
    return found
