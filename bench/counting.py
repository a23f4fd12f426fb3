"""Counts, in the process itself, the function calls and the queries of each answer.

`python -m bench.counting floor` or `… product`, what the clients need coming in JSON by the
standard input: bench.calls starts it. Writes in JSON the counts by the name of the answer.
"""

import argparse
import cProfile
import io
import json
import pstats
import random
import sys
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from statistics import mean, median

import django

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402

from bench import clients  # noqa: E402
from bench.evening import Evening, Family  # noqa: E402
from bench.forms import find_form, pick, pick_line, take_parts, tick  # noqa: E402
from bench.pages import EDIT, FLOOR, HOUSEHOLDS, PAGES, PARTS, PICK  # noqa: E402

FAMILIES = 12  # of the evening; the first one warms the process
application = get_wsgi_application()


@dataclass(frozen=True)
class Counted(clients.Answer):
    calls: int
    queries: int


class Browser(clients.Browser):
    """As the other benches', without a network: each answer comes with its counts."""

    def __init__(self, cookies=None):
        self.cookies = dict(cookies or {})

    async def _send(self, method, path, body, content_type="", headers=None):
        sent_at, begun, queries = time.perf_counter(), [], []
        environ = self._environ(method, path, body, content_type)
        for name, value in (headers or {}).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value

        def note(execute, sql, parameters, many, context):
            queries.append(sql)
            return execute(sql, parameters, many, context)

        def start(status, headers, error=None):
            begun[:] = status, headers

        profile = cProfile.Profile()
        with connection.execute_wrapper(note):
            profile.enable()
            response = application(environ, start)
            page = b"".join(response)
            response.close()
            profile.disable()
        status, headers = begun
        for name, value in headers:
            if name == "Set-Cookie":
                self._keep(value)
        return Counted(
            status=int(status.split()[0]),
            location=dict(headers).get("Location", ""),
            page=page.decode(errors="replace"),
            sent_at=sent_at,
            answered_at=time.perf_counter(),
            calls=pstats.Stats(profile).total_calls,
            queries=len(queries),
        )

    def _environ(self, method, path, body, content_type):
        path, _, query = path.partition("?")
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


async def count_floor(cast: dict) -> dict:
    browsers = [Browser(cookies) for cookies in cast["sessions"][:HOUSEHOLDS]]
    token = {"csrfmiddlewaretoken": browsers[0].cookies["csrftoken"], "slot": str(cast["slots"][0])}
    pages = [await browser.get(FLOOR) for browser in browsers * 2]
    claims = [await browser.post("/claim/counter/", token) for browser in browsers]
    return {"la page": _typical(pages, 200), "prendre une place": _typical(claims, 302)}


async def count_product(cast: dict) -> dict:
    households = cast["households"]
    evening = await _play_evening(cast, households[:FAMILIES])
    readers = [(Browser(each["cookies"]), each) for each in households[FAMILIES:][:HOUSEHOLDS]]
    picks = await _pick_all(readers)
    pages = {
        name: _typical([await b.get(path.format(**keys)) for b, keys in readers * 2], 200)
        for name, path in PAGES.items()
    }
    counts = {name: _typical(answers, status) for name, (answers, status) in picks.items()}
    return {"pages": pages | counts, "soirée": evening}


async def _pick_all(readers):
    """The first hour, the second, the first again: by the script, then without it."""
    by_script, ticks, whole = [], [], []
    for browser, keys in readers:
        path = EDIT.format(**keys)
        form = find_form((await browser.get(path)).page, "administrative")
        ticks.append(await browser.post(path, tick(form), headers=PARTS))
        take_parts(form, ticks[-1].page)
        for slot in (0, 1):
            fields = pick_line(form, slot)
            by_script.append(await browser.post(PICK.format(**keys), fields))
            take_parts(form, by_script[-1].page)
        form = find_form((await browser.get(path)).page, "administrative")
        whole.append(await browser.post_files(path, pick(form, 0)))
    return {
        "Un choix, par le script": (by_script, 200),
        "Des cases cochées, par le script": (ticks, 200),
        "Un choix sans JavaScript (envoi)": (whole, 302),
    }


async def _play_evening(cast, households):
    """The mean of each step; the first family warms the process."""
    steps = defaultdict(list)
    for number, household in enumerate(households):
        evening = Evening(families=1, arrival=0)
        family = Family(evening, Browser(), household, cast, random.Random(number), hurried=True)
        await family.play(delay=0)
        if evening.submitted != 1:
            raise SystemExit("un dossier n'est pas déposé")
        for step, answers in evening.steps.items() if number else ():
            steps[step] += answers
    return {
        step: [round(mean(a.calls for a in all_)), round(mean(a.queries for a in all_))]
        for step, all_ in steps.items()
    }


def _typical(answers: Iterable[Counted], status: int) -> list[int]:
    """The medians; the first answer, for which the process loads what it keeps, does not count."""
    first, *answers = answers
    if wrong := {answer.status for answer in [first, *answers]} - {status}:
        raise SystemExit(f"réponse {wrong}")
    return [median(a.calls for a in answers), median(a.queries for a in answers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("application", choices=["floor", "product"])
    count = {"floor": count_floor, "product": count_product}[parser.parse_args().application]
    json.dump(finish(count(json.load(sys.stdin))), sys.stdout)


def finish(coroutine: Coroutine):
    """Its result, without a loop, in which Django would ask at each query whether it may run."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value


if __name__ == "__main__":
    main()
