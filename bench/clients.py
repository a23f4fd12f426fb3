"""Browsers, light enough to share the machine with the server that they load.

One connection for each request: gunicorn's workers keep none open.
"""

import asyncio
import html
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.server import Server

PATIENCE = 120  # seconds, after which an answer counts as lost
LARGE = 100_000  # bytes from which deploy/nginx.conf takes a request for one that sends files
_BOUNDARY = "----bench"
_URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True)
class Answer:
    """`status` is 0 when nothing came back; `sent_at` and `answered_at` are of one clock."""

    status: int
    location: str
    page: str
    sent_at: float
    answered_at: float

    @property
    def seconds(self) -> float:
        return self.answered_at - self.sent_at

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500

    def says(self, sentence: str) -> bool:
        return sentence in html.unescape(self.page).replace("\xa0", " ")


@dataclass(frozen=True)
class Upload:
    """A file chosen in a form."""

    name: str
    content: bytes
    content_type: str


class Browser:
    """Somebody's: it keeps the cookies it is given.

    `uploads` is the server of the large requests, which it chooses as nginx would; None if there is
    but one.
    """

    def __init__(
        self,
        server: Server,
        cookies: dict[str, str] | None = None,
        uploads: Server | None = None,
    ):
        self.port, self.cookies = server.port, dict(cookies or {})
        self.uploads_port = (uploads or server).port

    async def get(self, path: str) -> Answer:
        return await self._send("GET", path, b"")

    async def post(
        self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None
    ) -> Answer:
        """`headers` are those that a script adds."""
        return await self._send("POST", path, urlencode(fields).encode(), _URLENCODED, headers)

    async def post_files(
        self,
        path: str,
        fields: dict[str, str],
        files: dict[str, Upload] | None = None,
    ) -> Answer:
        """As a form that may hold files sends itself."""
        return await self._send("POST", path, multipart(fields, files or {}), MULTIPART)

    async def _send(self, method, path, body, content_type="", headers=None):
        sent_at = time.perf_counter()
        try:
            request = self._request(method, path, body, content_type, headers or {})
            port = self.port if len(body) < LARGE else self.uploads_port
            raw = await asyncio.wait_for(_exchange(port, request), PATIENCE)
        except (OSError, TimeoutError):
            raw = b""
        answered_at = time.perf_counter()
        head, _, page = raw.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = [line.split(": ", 1) for line in lines]
        for name, value in headers:
            if name == "Set-Cookie":
                self._keep(value)
        return Answer(
            status=int(first.split()[1]) if first else 0,
            location=dict(headers).get("Location", ""),
            page=page,
            sent_at=sent_at,
            answered_at=answered_at,
        )

    def _request(self, method, path, body, content_type, headers):
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Connection: close",
            f"Cookie: {cookies}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if method == "POST":
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def _keep(self, cookie):
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value


async def _exchange(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()


def multipart(fields: dict[str, str], files: dict[str, Upload]) -> bytes:
    """The body of a form sent as MULTIPART."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    for name, file in files.items():
        told = f'name="{name}"; filename="{file.name}"\r\nContent-Type: {file.content_type}'
        parts.append((told, file.content))
    written = [
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {told}\r\n\r\n".encode()
        + value
        + b"\r\n"
        for told, value in parts
    ]
    return b"".join(written) + f"--{_BOUNDARY}--\r\n".encode()


async def hammer(
    actions: Iterable[Callable[[], Awaitable[Answer]]], *, clients: int, seconds: float
) -> list[Answer]:
    """So many clients at once, each beginning again as soon as it is answered."""
    actions, answers = iter(actions), []
    end = time.perf_counter() + seconds

    async def work():
        while time.perf_counter() < end:
            answers.append(await next(actions)())

    await asyncio.gather(*(work() for _ in range(clients)))
    return answers


async def all_at_once(actions: Iterable[Awaitable[Answer]]) -> list[Answer]:
    return await asyncio.gather(*actions)
