"""How many sign-ins a second, with the right password."""

import asyncio
from itertools import cycle

from bench.clients import Browser, hammer
from bench.measures import Sample, rate
from bench.server import Server
from bench.sessions import CSRF

CLIENTS = 8
TARGET = 30  # a second


def sample(server: Server, cast: dict, seconds: float) -> Sample:
    before = server.cpu()
    answers = asyncio.run(hammer(_sign_ins(server, cast), clients=CLIENTS, seconds=seconds))
    cpu = server.cpu() - before
    if wrong := {answer.status for answer in answers} - {302}:
        raise SystemExit(f"connexion : réponse {wrong}")
    return Sample(rate(answers), [a.seconds for a in answers], cpu * 1000 / len(answers))


def _sign_ins(server, cast):
    for household in cycle(cast["households"]):
        typed = {
            "establishment": str(cast["site"]),
            "username": household["username"],
            "password": cast["password"],
            "csrfmiddlewaretoken": CSRF,
        }
        browser = Browser(server, {cast["csrf_cookie"]: CSRF})
        yield lambda b=browser, t=typed: b.post("/extranet/connexion/", t)
