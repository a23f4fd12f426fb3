"""A clamd of the tests: a true server that speaks its protocol, on TCP or a UNIX socket."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SIGNATURE = b"SIGNATURE-DE-TEST"
FOUND = "Test.OneLine.UNOFFICIAL"


class FakeClamd:
    """Finds FOUND in what holds SIGNATURE.

    `fault` changes what it does of a content: silent, slow, drips, hangs_up, garbage, endless,
    too_large, error. `before_answer` is called first. `scanned` holds what it received. Stopped, it
    refuses connections.
    """

    def __init__(self, path: Path | None = None):
        self.path = path
        self.fault = ""
        self.before_answer: Callable[[], None] = lambda: None
        self.scanned: list[bytes] = []
        self._stopped = threading.Event()
        self._server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._server.bind(str(path) if path else ("127.0.0.1", 0))
        self._server.listen(50)
        self.setting = f"unix://{path}" if path else f"tcp://127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self):
        if not self._stopped.is_set():
            self._stopped.set()
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._thread.join(timeout=5)

    @property
    def _port(self):
        return self._server.getsockname()[1]

    def _accept(self):
        while not self._stopped.is_set():
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[line], daemon=True).start()

    def _serve(self, line):
        gone = suppress(OSError, ValueError)  # the client left
        with gone, line, line.makefile("rb") as received:
            self._answer(line, received)

    def _answer(self, line, received):
        match _read_command(received):
            case b"zPING":
                line.sendall(b"PONG\0")
            case b"zVERSION":
                line.sendall(b"ClamAV 1.4.3/27500/Thu Jan  1 00:00:00 2026\0")
            case b"zINSTREAM":
                self._scan(line, received)

    def _scan(self, line, received):
        if self.fault == "hangs_up":
            return
        if self.fault == "too_large":
            received.read(4)
            line.sendall(b"INSTREAM size limit exceeded. ERROR\0")
            return
        content = _read_chunks(received)
        self.scanned.append(content)
        self.before_answer()
        match self.fault:
            case "silent":
                self._stopped.wait(30)
            case "drips":
                while not self._stopped.wait(0.05):
                    line.sendall(b"s")
            case "garbage":
                line.sendall(b"HTTP/1.1 400 Bad Request\0")
            case "endless":
                while True:
                    line.sendall(b"\xff" * 5000)
            case "error":
                line.sendall(b"stream: Can't allocate memory ERROR\0")
            case "slow":
                time.sleep(0.3)
        found = f"stream: {FOUND} FOUND\0" if SIGNATURE in content else "stream: OK\0"
        line.sendall(found.encode())


def _read_command(received):
    command = b""
    while (byte := received.read(1)) not in (b"", b"\0"):
        command += byte
    return command


def _read_chunks(received):
    content = b""
    while size := int.from_bytes(received.read(4), "big"):
        content += received.read(size)
    return content
