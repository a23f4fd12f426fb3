"""The process that forks one bounded child per file; `bounded` starts it and asks it.

It has one thread, no database, no secret, and its libraries are loaded already: a child costs a
few milliseconds. It holds its workers' end of one socket, and goes when they have gone.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module

from django.core.exceptions import ValidationError

from documents.checks import wire

# Loaded once, before any child: add here what a function run in a child takes long to import. A
# module may have a `warm_up()`, for what its libraries only load when they are first used.
PRELOADED = [
    "documents.checks.files",
    "documents.checks.images",
    "documents.checks.pdfs",
    "documents.photos",
    "documents.previews.drawing",
]

ORDER = struct.Struct("!ddQ")  # seconds of processor, seconds in all, bytes of memory
TOO_MUCH_MEMORY = 70  # the exit status of a child that could not even say so
OPEN_FILES = 64
LIBC = ctypes.CDLL(None)
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def serve() -> None:
    """Fork a child for each order received on the standard input, until its end."""
    # Not the signals of the terminal, nor of systemd: the workers finish what they began, then
    # close the socket.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    for name in PRELOADED:
        warm_up = getattr(import_module(name), "warm_up", None)
        if warm_up is not None:
            warm_up()
    gc.collect()
    gc.freeze()  # a child copies no page only because its garbage was looked for
    orders = socket.socket(fileno=os.dup(0))
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    _Server(orders).run()


class _Server:
    def __init__(self, orders):
        self.orders = orders
        self.running = {}  # process id: (the moment to kill it, where to say how it ended)
        self.overdue = set()
        self.base_bytes = _address_space()
        self.bell, ring = socket.socketpair()
        self.bell.setblocking(False)
        ring.setblocking(False)
        self._ring = ring
        signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self):
        while True:
            ready, _, _ = select.select([self.orders, self.bell], [], [], self._patience())
            if self.bell in ready:
                with suppress(BlockingIOError):
                    self.bell.recv(4096)
            self._reap()
            self._kill_overdue()
            if self.orders in ready and not self._take_order():
                break
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)

    def _patience(self):
        if not self.running:
            return None
        return max(0, min(moment for moment, _ in self.running.values()) - time.monotonic())

    def _reap(self):
        while self.running:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            _, told = self.running.pop(pid)
            end = [
                os.waitstatus_to_exitcode(status),
                pid in self.overdue,
                used.ru_utime + used.ru_stime,
                used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            ]
            self.overdue.discard(pid)
            _tell(told, end)

    def _kill_overdue(self):
        now = time.monotonic()
        for pid, (moment, told) in list(self.running.items()):
            if moment <= now:
                self.overdue.add(pid)
                os.kill(pid, signal.SIGKILL)  # not reaped yet: the number is still this child's
                self.running[pid] = now + 60, told

    def _take_order(self):
        order, passed, _, _ = socket.recv_fds(self.orders, ORDER.size, 2)
        if len(order) != ORDER.size or len(passed) != 2:
            return False
        cpu_seconds, wall_seconds, memory_bytes = ORDER.unpack(order)
        work, told = passed
        try:
            pid = os.fork()
        except OSError:  # no process, no memory: the worker sees both ends close
            os.close(told)
        else:
            if not pid:
                _be_a_child(work, cpu_seconds, wall_seconds, self.base_bytes + memory_bytes)
            self.running[pid] = time.monotonic() + wall_seconds, told
        os.close(work)
        return True


def _tell(told, end):
    with suppress(OSError), socket.socket(fileno=told) as channel:  # the worker may have gone
        channel.sendall(json.dumps(end).encode())


def _be_a_child(work, cpu_seconds, wall_seconds, memory_bytes):
    """Never returns: whatever happens here, the server's own code must not go on in a child."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _keep_only(work)
        _limit(cpu_seconds, wall_seconds, memory_bytes)
        with socket.socket(fileno=3) as channel:
            _answer(channel)
        status = 0
    except MemoryError:
        status = TOO_MUCH_MEMORY
    finally:
        os._exit(status)


def _keep_only(work):
    """Close all but its own socket: other families' files are on the others."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    if work != 3:
        os.dup2(work, 3)
    os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(cpu_seconds, wall_seconds, memory_bytes):
    # The server kills on time; these are for a child whose server was killed.
    signal.setitimer(signal.ITIMER_REAL, wall_seconds + 1)
    with suppress(AttributeError):  # Linux only
        LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL)
    seconds = max(1, round(cpu_seconds))
    _lower(resource.RLIMIT_CPU, seconds, seconds + 1)
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)


def _lower(kind, soft, hard=None):
    """Set a limit, unless the machine's own is lower already."""
    known = resource.getrlimit(kind)[1]
    soft, hard = (
        value if known == resource.RLIM_INFINITY else min(value, known)
        for value in (soft, soft if hard is None else hard)
    )
    with suppress(ValueError, OSError):  # macOS has no limit of the address space
        resource.setrlimit(kind, (soft, hard))


def _answer(channel):
    module, name, arguments = wire.receive(channel)
    try:
        answer = {"value": getattr(import_module(module), name)(*arguments)}
    except ValidationError as error:
        answer = {"refused": [error.code, error.messages[0]]}
    except MemoryError:
        raise
    except Exception:
        answer = {"raised": _told()}
    try:
        wire.send(channel, answer)
    except TypeError:  # a fault of ours, found before the first byte is sent
        wire.send(channel, {"raised": _told()})


def _told():
    return traceback.format_exc(limit=-8)[-2000:]


def _address_space():
    """Bytes that this process has mapped: the limit of a child counts from there."""
    try:
        with open("/proc/self/statm") as sizes:
            return int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
