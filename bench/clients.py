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
_BOUNDARY = "----bench"
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


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


class Browser:
    """Somebody's: it keeps the cookies it is given."""

    def __init__(self, server: Server, cookies: dict[str, str] | None = None):
        self.port, self.cookies = server.port, dict(cookies or {})

    async def get(self, path: str) -> Answer:
        return await self._send("GET", path, "")

    async def post(self, path: str, fields: dict[str, str]) -> Answer:
        return await self._send("POST", path, urlencode(fields), _URLENCODED)

    async def post_files(self, path: str, fields: dict[str, str]) -> Answer:
        """As a form that may hold files sends itself; this one holds none."""
        parts = [
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        return await self._send("POST", path, "".join(parts) + f"--{_BOUNDARY}--\r\n", _MULTIPART)

    async def _send(self, method, path, body, content_type=""):
        sent_at = time.perf_counter()
        try:
            request = self._request(method, path, body.encode(), content_type)
            raw = await asyncio.wait_for(self._exchange(request), PATIENCE)
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

    def _request(self, method, path, body, content_type):
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Connection: close",
            f"Cookie: {cookies}",
        ]
        if method == "POST":
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    async def _exchange(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()

    def _keep(self, cookie):
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies[name] = value


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
