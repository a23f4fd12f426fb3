"""« make bench »: how fast the family's pages, the picks, the sign-ins and the opening evening are.

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

from bench import evening, pages, pgbench, picks, report, sign_ins
from bench.databases import databases
from bench.server import Server, run, serve

SECRET_KEY = "bench"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    url = os.environ["DATABASE_URL"]
    towns = ["small", "race"] if quick else ["small", "race", "large"]
    with (
        tempfile.TemporaryDirectory(prefix="imuse-bench-") as folder,
        databases(url, [*towns, "floor"]) as urls,
    ):
        return Bench(Path(folder), urls, quick).play()


class Bench:
    def __init__(self, folder: Path, urls: dict[str, str], quick: bool):
        self.folder, self.urls = folder, urls
        self.rounds, self.seconds = (1, 0.4) if quick else (3, 1.0)

    def play(self) -> int:
        say("préparation des bases…")
        product = {name: self._product(url) for name, url in self.urls.items() if name != "floor"}
        run(product["small"], "django", "collectstatic", "--no-input", "--verbosity", "0")
        floor = self._floor(self.urls["floor"])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            casts = {name: pool.submit(_build, name, product[name]) for name in product}
            floor_cast = json.loads(run(floor, "bench.floor.populate"))
            casts = {name: cast.result() for name, cast in casts.items()}
        with contextlib.ExitStack() as stack:
            log = self.folder / "gunicorn.log"
            servers = {
                name: stack.enter_context(serve("imuse.wsgi", environment, log))
                for name, environment in product.items()
            }
            floor_server = stack.enter_context(serve("bench.floor.wsgi", floor, log))
            faults = self._measure(servers, casts, floor_server, floor_cast)
        for fault in faults:
            sys.stdout.write(f"FAUTE : {fault}\n")
        return bool(faults)

    def _measure(self, servers, casts, floor, floor_cast) -> list[str]:
        read = pages.measure(
            pages.visit_floor(floor, floor_cast),
            pages.visit(servers["small"], casts["small"]),
            pages.visit(servers["large"], casts["large"]) if "large" in servers else None,
            rounds=self.rounds,
            seconds=self.seconds,
            say=say,
        )
        races = [picks.Race(name, slots) for name, slots in picks.SPREADS.items()]
        for number in range(self.rounds):
            for race in races:
                say(f"tour {number + 1} sur {self.rounds} : choix sur {race.name}")
                picks.run_race(race, servers["race"], casts["race"], floor, floor_cast)
                self._play_sql(race, servers["race"])
        say("connexions")
        signed_in = [
            sign_ins.sample(servers["small"], casts["small"], 2 * self.seconds)
            for _ in range(self.rounds)
        ]
        say("la soirée d'ouverture : une minute")
        opening = evening.play(servers["small"], casts["small"])
        self._tell(read, races, signed_in, opening)
        return [*(fault for race in races for fault in race.faults), *opening.faults]

    def _play_sql(self, race: picks.Race, server: Server):
        if program := pgbench.find_program():
            text = pgbench.script(
                **json.loads(server.ask("bench.town", "pick_sql")), slots=race.slots
            )
            race.sql.append(pgbench.play(program, self.urls["race"], text, self.folder))
            server.ask("bench.town", "reset")

    def _tell(self, read, races, signed_in, opening):
        sections = {
            "Les pages": report.pages_table(read),
            "Les choix et les dépôts": report.picks_table(races),
            "Des lignes ou un compteur": report.shapes_table(races),
            "Les connexions": [report.sign_ins_line(signed_in)],
            "La soirée d'ouverture": report.evening_table(opening),
        }
        lines = [self._machine(), ""]
        for title, table in sections.items():
            lines += [f"### {title}", "", *table, ""]
        missed = report.missed_targets(read, races, signed_in, opening)
        lines += ["### Les cibles", ""]
        lines += [f"- manquée : {target}" for target in missed] or ["Toutes sont atteintes."]
        if slow := report.aims_missed(read):
            lines += [f"- au-dessus des deux tiers du plancher visés : {', '.join(slow)}"]
        sys.stdout.write("\n".join(lines) + "\n")

    def _machine(self):
        models = {
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        }
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        with contextlib.closing(psycopg2.connect(self.urls["small"])) as database:
            version = database.server_version // 10_000
        return (
            f"{', '.join(models)}, {os.cpu_count()} cœurs, {memory:.0f} Gio ; PostgreSQL {version},"
            f" Python {platform.python_version()}, Django {django.__version__} ; gunicorn à deux"
            f" processus, tout sur la même machine ; charge au début {os.getloadavg()[2]:.1f} ;"
            f" {self.rounds} tour(s)."
        )

    def _product(self, url):
        return {
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": url,
            "DEBUG": "off",
            "SSL_REDIRECT": "off",
            "STAFF_SECOND_FACTOR": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "VAR_DIR": str(self.folder),
        }

    def _floor(self, url):
        return {
            "DJANGO_SETTINGS_MODULE": "bench.floor.settings",
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": url,
        }


def _build(shape, environment):
    return json.loads(run(environment, "bench.town", "build", shape))


def say(line: str) -> None:
    """Where it stands: beside the tables, which alone go to the output."""
    sys.stderr.write(f"… {line}\n")


if __name__ == "__main__":
    sys.exit(main())
