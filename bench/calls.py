"""« make bench-calls »: how many function calls and queries each page, each pick and each step of
the evening makes, beside the floor's page.

What a machine that others share can still tell: a profiler counts the same calls whatever its load.
Writes its tables in Markdown, as docs/performance.md holds them. A minute or two.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.databases import databases
from bench.server import run
from bench.speed import build, environment_of, tell


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="imuse-bench-") as folder,
        databases(os.environ["DATABASE_URL"], ["floor", "few"]) as urls,
    ):
        environments = {name: environment_of(name, url, Path(folder)) for name, url in urls.items()}
        run(environments["few"], "django", "collectstatic", "--no-input", "--verbosity", "0")
        casts = {name: build(name, environment) for name, environment in environments.items()}
        floor = _count("floor", environments["floor"], casts["floor"])
        product = _count("product", environments["few"], casts["few"])
    tell("### Les appels", "", *_table("Page", floor | product["pages"]), "")
    tell("### Une famille, de la page de connexion à la confirmation", "")
    tell(*_table("Étape", product["soirée"] | {"**En tout**": _sum(product["soirée"])}))


def _count(name, environment, cast):
    command = [sys.executable, "-W", "ignore", "-m", "bench.counting", name]
    done = subprocess.run(
        command,
        env=os.environ | environment,
        input=json.dumps(cast),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def _sum(counts):
    return [sum(values) for values in zip(*counts.values(), strict=True)]


def _table(head, counts):
    yield f"| {head} | appels | requêtes |"
    yield "|---|---|---|"
    for name, (calls, queries) in counts.items():
        thousands = f"{calls / 1000:.1f}".replace(".", ",")
        yield f"| {name} | {thousands} k | {queries:.0f} |"


if __name__ == "__main__":
    main()
