"""The SQL of a pick, recorded from the product and played by pgbench: what PostgreSQL alone can do.

Each client of pgbench is a household of the « race » town, whose keys follow one another.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

CLIENTS = 2  # as many as gunicorn has workers, each with one connection
SECONDS = 3
# What a client reads or writes for itself, and how bench.town's spread keys tell it.
_OWN = {"place": re.compile(r"\b6\d{7}\b"), "hold": re.compile(r"\b7\d{7}\b")}
_STEP = {"student": 1, "dossier": 1}  # from one household to the next; three courses for each


def find_program() -> str | None:
    """Debian puts it beside the server's programs when the client's wrapper is not there."""
    return shutil.which("pgbench") or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))), None
    )


def script(statements: list[list[str]], keys: dict[str, int], slots: int) -> str:
    """One pick and its giving back, for whichever client plays it, over so many slots."""
    lines = [f"\\set slot {keys['slot']} + random(0, {slots - 1})"]
    lines += [
        f"\\set {name} {key} + {_STEP.get(name, 3)} * :client_id"
        for name, key in keys.items()
        if name != "slot"
    ]
    for statement in (one for request in statements for one in request):
        lines.append(_with_variables(statement, keys))
    return "\n".join(lines) + "\n"


def play(program: str, url: str, text: str, folder: Path) -> float:
    """Picks, and givings back, per second: a script plays two."""
    file = folder / "pick.sql"
    file.write_text(text)
    command = [program, "--no-vacuum", "--client", str(CLIENTS), "--time", str(SECONDS)]
    command += ["--file", str(file), url]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.M)
    if done.returncode or not found:
        raise SystemExit(f"pgbench : {done.stderr}")
    return 2 * float(found[1])


def _with_variables(statement, keys):
    for name, key in keys.items():
        statement = re.sub(rf"\b{key}\b", f":{name}", statement)
    for name, key in _OWN.items():
        statement = key.sub(f":{name}_id", statement)
    statement = " ".join(statement.split())
    if re.fullmatch('SELECT "students_place".* LIMIT 1', statement):
        return f"{statement} \\gset place_"
    if re.fullmatch('INSERT INTO "students_hold".* RETURNING "students_hold"."id"', statement):
        return f"{statement} \\gset hold_"
    return f"{statement};"
