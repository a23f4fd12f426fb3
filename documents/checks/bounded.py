"""Run a function on hostile bytes in a child process that is limited, killed and reaped.

    run(check_pdf, content)

gives what `check_pdf(content)` gives, and costs a few milliseconds more. See docs/decisions.md for
why, and `children` for what is on the other side.
"""

import atexit
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from documents.checks import wire
from documents.checks.children import ORDER, TOO_MUCH_MEMORY
from documents.checks.refusals import DAMAGED, TOO_COMPLEX, UNAVAILABLE, refusal

logger = logging.getLogger(__name__)

MARGIN_SECONDS = 10  # for a server that must start on a busy machine
START = "from documents.checks.children import serve; serve()"
# Neither the key of the site nor its database's password: a child has no use for them.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "MAGIC")


@dataclass(frozen=True)
class Limits:
    """What one child may use; beyond, it is killed."""

    cpu_seconds: float = 5  # rounded to whole seconds; an honest file takes less than one
    wall_seconds: float = 15
    memory_bytes: int = 1024 * 1024 * 1024  # above the 40 Mo of a child that does nothing


@dataclass(frozen=True)
class Outcome:
    """How a child ended, and what it cost."""

    function: str  # its whole name, for the log
    answer: object  # what it said, None if it died first: not to be trusted beyond its form
    exit_status: int  # of the process; the negative of the signal that killed it
    overdue: bool  # killed by the server, on time
    cpu_seconds: float
    memory_bytes: int  # the most it held, libraries included

    def value(self):
        """What the function returned. Raises ValidationError, as `run`."""
        match self.answer:
            case {"value": value}:
                return value
            case {"refused": [str() | None as code, str() as sentence]}:
                raise refusal(code, sentence)
            case {"raised": str() as text}:
                logger.warning("%s failed in its child: %r", self.function, text[:2000])
                raise refusal("damaged", DAMAGED)
        # Without its answer, which may be the family's own file.
        end = self.exit_status, self.overdue, self.cpu_seconds, self.memory_bytes
        logger.warning(
            "The child of %s died: exit %s, overdue %s, %s s, %s bytes", self.function, *end
        )
        if self.overdue:  # it had not used its share of processor: the machine was too busy
            raise refusal("unavailable", UNAVAILABLE)
        # Killed by somebody else: by Linux, when the whole machine runs out of memory.
        if self.exit_status in (-signal.SIGXCPU, -signal.SIGKILL, TOO_MUCH_MEMORY):
            raise refusal("too_complex", TOO_COMPLEX)
        raise refusal("damaged", DAMAGED)


LIMITS = Limits()


def run(function: Callable, *arguments, limits: Limits = LIMITS):
    """Return `function(*arguments)`, called in a child of its own.

    `function` is a plain function of a module that imports no model and reads no setting: the child
    has no Django application, no database, no secret, and can write no file. Arguments and result
    are None, booleans, numbers, str, bytes (64 Mo in all), and lists and dicts of them (tuples
    come back as lists).

    Raises ValidationError: the one that the function raised (its code, its sentence), or
    `too_complex` when it needed more than `limits`, `damaged` when it crashed or raised anything
    else, `unavailable` when the machine could not run it: the file is not to blame.
    """
    return call(function, *arguments, limits=limits).value()


def call(function: Callable, *arguments, limits: Limits = LIMITS) -> Outcome:
    """The same as `run`, for whoever also asks what the child cost.

    Raises ValidationError `unavailable` when there was no child.
    """
    request = [function.__module__, function.__qualname__, list(arguments)]
    for attempt in (1, 2):
        try:
            answer, end = _ask(request, limits)
        except TimeoutError:
            logger.exception("The server of bounded children does not answer.")
            break  # the family has waited enough; the next one gets another server
        except (OSError, wire.BadMessage):
            # The server was killed, with what it was doing: another one is started, once.
            logger.warning("The server of bounded children is gone.", exc_info=attempt == 2)
        else:
            name = f"{function.__module__}.{function.__qualname__}"
            return Outcome(name, answer, *end)
    raise refusal("unavailable", UNAVAILABLE)


def _ask(request, limits):
    """Return what the child answered (None if it died first) and how it ended."""
    deadline = time.monotonic() + limits.wall_seconds + MARGIN_SECONDS
    work, theirs = socket.socketpair()
    told, tell = socket.socketpair()
    with work, told:
        with theirs, tell:
            _server.order(limits, [theirs.fileno(), tell.fileno()])
        try:
            return _talk(work, request, deadline), _read_end(told, deadline)
        except TimeoutError:
            _server.stop()  # it should have killed its child long ago
            raise


def _talk(work, request, deadline):
    try:
        work.settimeout(max(deadline - time.monotonic(), 0.001))
        wire.send(work, request)
        return wire.receive(work, deadline=deadline)
    except TimeoutError:
        raise
    except (OSError, wire.BadMessage):
        return None  # the child died: its end tells of what


def _read_end(told, deadline):
    """How the child ended (as Outcome says it), told by the server: no child can imitate that.

    Raises BadMessage when the server was killed before it could tell.
    """
    told.settimeout(max(deadline - time.monotonic(), 0.001))
    text = told.recv(4096)
    if not text:
        raise wire.BadMessage("the server is gone")
    return json.loads(text)


class _Server:
    """The process of `children`, started when first needed, and again when it was killed.

    One for each worker: nothing is shared between processes, so that one worker's trouble is its
    own.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._process = self._orders = None

    def order(self, limits, passed):
        """Ask for a child that works on the sockets `passed`. Raises OSError."""
        order = ORDER.pack(limits.cpu_seconds, limits.wall_seconds, limits.memory_bytes)
        with self._lock:
            try:
                self._send(order, passed)
            except ConnectionError:  # killed, and not yet seen as dead
                self._stop()
                self._send(order, passed)

    def _send(self, order, passed):
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._start()
        try:
            socket.send_fds(self._orders, [order], passed)
        except TimeoutError:
            self._stop()
            raise

    def stop(self):
        with self._lock:
            self._stop()

    def forget(self):
        """After a fork, in the child: the server is the parent's, and so is the lock."""
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for
        if self._orders is not None:
            self._orders.close()
        self.__init__()

    def _start(self):
        orders, theirs = socket.socketpair()
        orders.settimeout(MARGIN_SECONDS)
        variables = {key: os.environ[key] for key in KEPT_VARIABLES if key in os.environ}
        variables["PYTHONPATH"] = os.pathsep.join(os.path.abspath(each) for each in sys.path)
        variables["MALLOC_ARENA_MAX"] = "1"  # each arena of a thread takes 64 Mo of addresses
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-c", START],
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    env=variables,
                    start_new_session=True,
                )
        except BaseException:
            orders.close()
            raise
        self._orders = orders

    def _stop(self):
        if self._process is not None:
            self._orders.close()
            self._process.kill()
            self._process.wait()
        self._process = self._orders = None


_server = _Server()
os.register_at_fork(after_in_child=_server.forget)
atexit.register(_server.stop)
