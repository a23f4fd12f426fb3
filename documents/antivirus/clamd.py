"""What we say to clamd, the daemon of ClamAV: three commands, each with a deadline for the whole.

Its manual (clamd(8)) is the source: a command is « zPING » and a zero byte, and so is the answer;
after « zINSTREAM » the content follows in chunks, each after its length, an empty one last.
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

CONNECT_SECONDS = 2
CHUNK_BYTES = 64 * 1024
LONGEST_ANSWER = 1000  # bytes: « stream: », a signature's name, « FOUND »
LONGEST_NAME = 100  # characters, of a signature


class Unreachable(Exception):
    """Nobody listens, the answer came too late, or it is none that clamd gives."""


class NotScanned(Exception):
    """clamd says itself that it could not scan this content: too large for it, say."""


@dataclass(frozen=True)
class Clamd:
    """A daemon, by its UNIX socket or by TCP."""

    family: socket.AddressFamily
    address: str | tuple[str, int]

    @classmethod
    def at(cls, setting: str) -> "Clamd":
        """By « unix:///run/clamav/clamd.ctl » or « tcp://127.0.0.1:3310 ».

        Raises ImproperlyConfigured for anything else.
        """
        try:
            parts = urlsplit(setting)
            port = parts.port  # raises ValueError too
        except ValueError as error:
            raise _misconfigured(setting) from error
        if parts.scheme == "unix" and not parts.netloc and parts.path.strip("/"):
            return cls(socket.AF_UNIX, parts.path)
        if parts.scheme == "tcp" and parts.hostname and port and not parts.path.strip("/"):
            return cls(socket.AF_INET, (parts.hostname, port))
        raise _misconfigured(setting)

    def ping(self) -> None:
        """Raises Unreachable unless the daemon is there, and alive."""
        if (answer := self._ask(b"zPING\0", CONNECT_SECONDS)) != "PONG":
            raise Unreachable(f"Unexpected answer to PING: {answer!r}")

    def version(self) -> str:
        """Of the daemon and of its signatures: « ClamAV 1.4.3/27500/… ». Raises Unreachable."""
        return self._ask(b"zVERSION\0", CONNECT_SECONDS)

    def scan(self, content: bytes, *, seconds: float) -> str:
        """The name of the signature found in the content, « » when there is none.

        Raises Unreachable, at the latest after so many seconds; NotScanned.
        """
        answer = self._ask(b"zINSTREAM\0", seconds, content)
        if answer == "stream: OK":
            return ""
        if answer.startswith("stream: ") and answer.endswith(" FOUND"):
            return answer.removeprefix("stream: ").removesuffix(" FOUND")[:LONGEST_NAME]
        if answer.endswith(" ERROR"):
            raise NotScanned(answer)
        raise Unreachable(f"Unexpected answer to INSTREAM: {answer!r}")

    def _ask(self, command, seconds, content=None) -> str:
        end = time.monotonic() + seconds
        try:
            with self._connect(min(seconds, CONNECT_SECONDS)) as line:
                _send(line, command, content, end)
                return _answer(line, end)
        except OSError as error:  # a timeout is one
            raise Unreachable(f"clamd at {self.address}: {error}") from error

    def _connect(self, seconds) -> socket.socket:
        if self.family == socket.AF_INET:  # or IPv6, as the name says
            return socket.create_connection(self.address, seconds)
        line = socket.socket(self.family)
        try:
            line.settimeout(seconds)
            line.connect(self.address)
        except BaseException:
            line.close()
            raise
        return line


def _misconfigured(setting):
    return ImproperlyConfigured(
        f"CLAMD vaut «\u00a0{setting}\u00a0»\u00a0: écrivez unix:///run/clamav/clamd.ctl,"
        " tcp://127.0.0.1:3310, ou rien pour vous passer d'antivirus."
    )


def _send(line, command, content, end):
    parts = [command] if content is None else [command, *_chunks(content)]
    try:
        for part in parts:
            line.settimeout(_left(end))
            line.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it had enough before the end, and its answer says why


def _chunks(content) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        yield len(chunk).to_bytes(4, "big") + chunk
    yield bytes(4)


def _answer(line, end) -> str:
    received = b""
    while b"\0" not in received and len(received) < LONGEST_ANSWER:
        line.settimeout(_left(end))
        if not (more := line.recv(LONGEST_ANSWER)):
            break
        received += more
    answer, ended, _ = received.partition(b"\0")
    if not ended:
        raise Unreachable(f"clamd hung up, or babbles: {received[:80]!r}")
    return answer.decode("ascii", "replace").strip()


def _left(end):
    """A socket's timeout starts anew with each packet; ours does not."""
    if (left := end - time.monotonic()) <= 0:
        raise TimeoutError("the whole took too long")
    return left
