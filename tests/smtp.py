"""A mail server on this machine, with its moods: for the tests and for `make drill`."""

import asyncio
import logging
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread

from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every line said

CUT = "cut"  # an answer to the address: none, and the connection is cut


class MailServer:
    """A context: listens on `host` and `port`, of a thread of its own, from the start to the end.

    `answer(address, number)` gives the line said to an address the nth time that it is tried, None
    to accept it, or CUT. `before_250(address)` is called once the mail is kept, before the server
    says so. `slowness` is the time that it then takes, in seconds.
    """

    def __init__(
        self,
        answer: Callable[[str, int], str | None] = lambda address, number: None,
        before_250: Callable[[str], None] = lambda address: None,
    ):
        self.answer, self.before_250 = answer, before_250
        self.slowness = 0.0
        self.accepted: list[str] = []  # addresses, in the order of their mails
        self.contents: list[bytes] = []
        self.tries: dict[str, int] = {}
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(self._greet, "127.0.0.1", 0)
        )
        self.host, self.port = self._server.sockets[0].getsockname()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=policy.default) for content in self.contents]

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        self.tries[address] = self.tries.get(address, 0) + 1
        answer = self.answer(address, self.tries[address])
        if answer == CUT:
            server.transport.abort()
        elif answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 oui"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        (address,) = envelope.rcpt_tos
        self.accepted.append(address)
        self.contents.append(envelope.content)
        self.before_250(address)
        await asyncio.sleep(self.slowness)
        return "250 pris"

    def _greet(self):
        self.connections += 1
        return SMTP(self, loop=self._loop, hostname="essai.example")

    async def _stop(self):
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
