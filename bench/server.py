"""gunicorn with two workers, as deploy/imuse.service starts it: started, measured, ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2

WORKERS = 2
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Server:
    """One application under load, on a port of its own."""

    port: int
    workers: list[int]  # their process ids
    environment: dict[str, str]

    def cpu(self) -> float:
        """The seconds of processor that the workers have taken until now."""
        return sum(_cpu_of(worker) for worker in self.workers)

    def cpu_of_base(self) -> dict[int, float]:
        """The same of each connection to its database, by process; {} on another machine."""
        connect = psycopg2.connect(self.environment["DATABASE_URL"])
        with contextlib.closing(connect) as database, database.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = [pid for (pid,) in cursor]
        return {pid: _cpu_of(pid) for pid in found if _is_postgres(pid)}

    def ask(self, module: str, *arguments: str) -> str:
        """What a command of the bench writes, in the server's own environment."""
        return run(self.environment, module, *arguments)


def run(environment: dict[str, str], module: str, *arguments: str) -> str:
    """The output of `python -m module …`; raises CalledProcessError."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    done = subprocess.run(
        command, env=os.environ | environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout


@contextlib.contextmanager
def serve(
    application: str, environment: dict[str, str], log: Path, *, nice: int = 0
) -> Iterator[Server]:
    """The server, once each worker has answered; what it says goes to `log`.

    `nice` is how far it stands back for the others, from 0 to 19.
    """
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(WORKERS), "--timeout", "60", "--log-level", "warning"]
    with log.open("ab") as output:
        master = subprocess.Popen(
            command, env=os.environ | environment, stdout=output, stderr=output
        )
    os.setpriority(os.PRIO_PROCESS, master.pid, nice)  # which its workers take from it
    try:
        yield Server(port, _wait_for_workers(master, port, log), environment)
    finally:
        master.send_signal(signal.SIGTERM)
        try:
            master.wait(timeout=20)
        except subprocess.TimeoutExpired:
            master.kill()
            master.wait()


def _wait_for_workers(master, port, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and master.poll() is None:
        workers = _children_of(master.pid)
        if len(workers) == WORKERS and _listens(port):
            return workers
        time.sleep(0.1)
    raise SystemExit(f"gunicorn n'a pas démarré :\n{log.read_text()}")


def _children_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_postgres(pid):
    name = Path(f"/proc/{pid}/comm")
    return name.exists() and name.read_text().startswith("postgres")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _cpu_of(pid):
    """utime and stime of proc(5); the name of the command may hold spaces."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK
