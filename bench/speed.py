"""« make bench »: how fast the family's pages, the picks, the sign-ins and the opening evening are,
and the pages while others upload.

Writes its tables in Markdown, as docs/performance.md holds them. Ends with 1 if a place was sold
too many, if an answer was a 5xx, or if the database does not hold what the families were told.
A target that is missed is said, and is no failure: it may be the machine.
"""

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
import psycopg2

from bench import evening, pages, pgbench, picks, report, sign_ins, uploads
from bench.databases import databases
from bench.server import run, serve

SECRET_KEY = "bench"
# Each part and the servers that it needs, in the order of the report.
PARTS = {
    "pages": ["floor", "small", "large"],
    "picks": ["floor", "race"],
    "sign_ins": ["small"],
    "evening": ["small"],
    "uploads": ["small"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS, help="une partie seulement")
    asked = parser.parse_args()
    parts = [asked.only] if asked.only else list(PARTS)
    names = {name for part in parts for name in PARTS[part]} - ({"large"} if asked.quick else set())
    with (
        tempfile.TemporaryDirectory(prefix="imuse-bench-") as folder,
        databases(os.environ["DATABASE_URL"], sorted(names)) as urls,
    ):
        return Bench(Path(folder), urls, asked.quick).play(parts)


class Bench:
    def __init__(self, folder: Path, urls: dict[str, str], quick: bool):
        self.folder, self.urls = folder, urls
        self.rounds, self.seconds = (1, 0.4) if quick else (3, 1.0)
        self.families, self.arrival = (100, 9) if quick else (500, 45)  # seconds
        self.missed: list[str] = []
        self.faults: list[str] = []

    def play(self, parts: list[str]) -> int:
        tell(self._machine(), "")
        say("préparation des bases et des serveurs")
        environments = {name: self._environment(name) for name in self.urls}
        product = self._environment("product")
        run(product, "django", "collectstatic", "--no-input", "--verbosity", "0")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            built = {name: pool.submit(build, name, environments[name]) for name in self.urls}
            self.casts = {name: cast.result() for name, cast in built.items()}
        with contextlib.ExitStack() as stack:
            log = self.folder / "gunicorn.log"
            self.servers = {
                name: stack.enter_context(serve(_application(name), environment, log))
                for name, environment in environments.items()
            }
            for part in parts:
                getattr(self, f"measure_{part}")()
        tell("### Les cibles", "")
        tell(*(f"- manquée : {target}" for target in self.missed))
        tell(*(f"- FAUTE : {fault}" for fault in self.faults))
        if not self.missed and not self.faults:
            tell("Toutes sont atteintes.")
        return bool(self.faults)

    def measure_pages(self) -> None:
        large = pages.visit(self.servers["large"], self.casts["large"]) if self._has_large else None
        read = pages.measure(
            pages.visit_floor(self.servers["floor"], self.casts["floor"]),
            pages.visit(self.servers["small"], self.casts["small"]),
            large,
            rounds=self.rounds,
            seconds=self.seconds,
            say=say,
        )
        tell("### Les pages", "", *report.pages_table(read), "")
        self.missed += report.missed_by_pages(read)

    def measure_picks(self) -> None:
        races = [picks.Race(name, slots) for name, slots in picks.SPREADS.items()]
        recorded = json.loads(self.servers["race"].ask("bench.town", "pick_sql"))
        product = self.servers["race"], self.casts["race"]
        floor = self.servers["floor"], self.casts["floor"]
        for number in range(self.rounds):
            for race in races:
                say(f"tour {number + 1} sur {self.rounds} : choix sur {race.name}")
                picks.run_race(race, *product, *floor)
                self._play_sql(race, recorded)
        tell("### Les choix et les dépôts", "", *report.picks_table(races), "")
        tell("### Des lignes ou un compteur", "", *report.shapes_table(races), "")
        self.missed += report.missed_by_races(races)
        self.faults += [fault for race in races for fault in race.faults]

    def measure_sign_ins(self) -> None:
        say("connexions")
        samples = [
            sign_ins.sample(self.servers["small"], self.casts["small"], 2 * self.seconds)
            for _ in range(self.rounds)
        ]
        tell("### Les connexions", "", report.sign_ins_line(samples), "")
        self.missed += report.missed_by_sign_ins(samples)

    def measure_evening(self) -> None:
        say("la soirée d'ouverture")
        cast = self.casts["small"]
        cast = cast | {"households": cast["households"][: self.families]}
        opening = evening.play(self.servers["small"], cast, arrival=self.arrival)
        tell("### La soirée d'ouverture", "", *report.evening_table(opening), "")
        self.missed += report.missed_by_evening(opening)
        self.faults += opening.faults

    def measure_uploads(self) -> None:
        pages_server, log = self.servers["small"], self.folder / "gunicorn.log"
        with serve("imuse.wsgi", pages_server.environment, log, nice=uploads.NICE) as apart:
            rush = uploads.measure(
                pages_server,
                apart,
                self.casts["small"],
                rounds=self.rounds,
                seconds=4 * self.seconds,
                say=say,
            )
        tell("### Les envois", "", *report.uploads_table(rush), "")
        self.missed += report.missed_by_uploads(rush)
        self.faults += rush.faults

    @property
    def _has_large(self):
        return "large" in self.urls

    def _play_sql(self, race: picks.Race, recorded: dict):
        if program := pgbench.find_program():
            text = pgbench.script(**recorded, slots=race.slots)
            self.servers["race"].ask("bench.town", "tick_all")
            race.sql.append(pgbench.play(program, self.urls["race"], text, self.folder))

    def _machine(self):
        models = {
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        }
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        with contextlib.closing(psycopg2.connect(os.environ["DATABASE_URL"])) as database:
            version = database.server_version // 10_000
        return (
            f"{', '.join(models)}, {os.cpu_count()} cœurs, {memory:.0f} Gio ; PostgreSQL {version},"
            f" Python {platform.python_version()}, Django {django.__version__} ; gunicorn à deux"
            f" processus, tout sur la même machine ; charge au début {os.getloadavg()[0]:.1f} ;"
            f" {self.rounds} tour(s)."
        )

    def _environment(self, name):
        url = self.urls.get(name, os.environ["DATABASE_URL"])
        return environment_of(name, url, self.folder)


def environment_of(name: str, url: str, folder: Path) -> dict[str, str]:
    """Of the floor, or of the product as in production, with that database."""
    if name == "floor":
        settings = {"DJANGO_SETTINGS_MODULE": "bench.floor.settings"}
    else:
        settings = {
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DEBUG": "off",
            "SSL_REDIRECT": "off",
            "STAFF_SECOND_FACTOR": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "CONN_MAX_AGE": "600",  # a connection that ends takes its processor time along
            "VAR_DIR": str(folder),
        }
    return {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, **settings}


def _application(name):
    return "bench.floor.wsgi" if name == "floor" else "imuse.wsgi"


def build(name: str, environment: dict[str, str]) -> dict:
    """Fills the empty database; gives what its clients need."""
    if name == "floor":
        return json.loads(run(environment, "bench.floor.populate"))
    return json.loads(run(environment, "bench.town", "build", name))


def tell(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def say(line: str) -> None:
    """Where it stands: beside the tables, which alone go to the output."""
    sys.stderr.write(f"… {line}\n")


if __name__ == "__main__":
    sys.exit(main())
