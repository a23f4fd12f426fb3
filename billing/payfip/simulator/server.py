"""The simulator's web server, on this machine only: the service, the payment page, the moods."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from billing.payfip import soap
from billing.payfip.simulator import operations as moods
from billing.payfip.simulator.notifying import SECONDS_AFTER, notify
from billing.payfip.simulator.operations import CHOICES, FAULTS, Fault, Operations
from billing.payfip.simulator.service import answer, technical

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
LONGEST_REQUEST = 64 * 1024  # bytes
SLOW_SECONDS = 20
CSS = ["theme.css", "payfip-simulator.css"]
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none';"
    " form-action 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'"
)
PAY = "billing/payfip_simulator/pay.html"
DONE = "billing/payfip_simulator/done.html"
LOST = "billing/payfip_simulator/lost.html"
MOODS = "billing/payfip_simulator/moods.html"
FALSIFICATIONS = {
    "montant": ("un centime de plus", None),
    "resultrans": ("un résultat inconnu (Q)", "Q"),
    "refdet": ("une autre référence", "AUTREREFERENCE1"),
    "numcli": ("un autre client", "000001"),
    "saisie": ("une autre saisie (X)", "X"),
}


class Simulator(ThreadingHTTPServer):
    """`url` is what `settings.PAYFIP_URL` must be. `seconds_after`: of a notification « after »."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int = 0):
        super().__init__((HOST, port), Handler)
        self.operations = Operations()
        self.seconds_after = SECONDS_AFTER
        self.released = threading.Event()  # a slow answer waits no longer

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/tpa"

    def handle_error(self, request, client_address):
        logger.debug("A client hung up", exc_info=True)


@contextmanager
def running(port: int = 0) -> Iterator[Simulator]:
    """A simulator in a thread of this process, until the end of the block."""
    with Simulator(port) as simulator:
        thread = threading.Thread(target=simulator.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield simulator
        finally:
            simulator.released.set()
            simulator.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: Simulator

    def do_GET(self):  # noqa: N802 -- http.server's name
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path == "/tpa/paiementws.web":
            self._show_payment(_first(query, "idop"))
        elif parts.path in ("/", "/commandes"):
            self._show_moods()
        elif parts.path.startswith("/css/") and (name := parts.path[5:]) in CSS:
            self._send(200, (settings.BASE_DIR / "static/css" / name).read_bytes(), "text/css")
        else:
            self._page(404, LOST, {"sentence": "Cette page n'existe pas."})

    def do_POST(self):  # noqa: N802
        content = self._body()
        if content is None:
            return
        path = urlsplit(self.path).path
        if path == "/tpa/services/securite":
            self._serve(content)
            return
        form = parse_qs(content.decode("ascii", "replace"), keep_blank_values=True)
        if path == "/tpa/paiementws.web":
            self._end_payment(_first(form, "idop"), _first(form, "choix"))
        elif path in ("/", "/commandes"):
            self._change_moods(form)
        else:
            self._page(404, LOST, {"sentence": "Cette page n'existe pas."})

    def log_message(self, format, *args):
        logger.debug(format, *args)

    @property
    def _operations(self):
        return self.server.operations

    def _body(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= LONGEST_REQUEST:
            self.close_connection = True
            self._page(400, LOST, {"sentence": "Cet envoi n'a pas la bonne longueur."})
            return None
        return self.rfile.read(length)

    def _serve(self, content):
        match self._operations.moods.service:
            case "unavailable":
                self._send(503, b"Service indisponible", "text/plain")
            case "garbage":
                self._send(200, b"<html><body>Maintenance</body></html>", "text/html")
            case "fault":
                body = technical("TechIndisponibiliteErreur", "Service indisponible")
                self._send(500, body, soap.CONTENT_TYPE)
            case mood:
                if mood == "slow":
                    self.server.released.wait(SLOW_SECONDS)
                status, body = answer(self._operations, content)
                self._send(status, body, soap.CONTENT_TYPE)

    def _show_payment(self, idop):
        if self._operations.moods.service == "unavailable":
            self._page(503, LOST, {"sentence": "Le service est indisponible."})
            return
        try:
            operation = self._operations.open(idop)
        except Fault as fault:
            self._page(400, LOST, {"sentence": FAULTS[fault.code], "code": fault.code})
            return
        self._page(200, PAY, {"operation": operation, "euros": _euros(operation.cents)})

    def _end_payment(self, idop, choice):
        try:
            if choice not in CHOICES:
                raise Fault("P3")
            operation = self._operations.end(idop, choice)
        except Fault as fault:
            self._page(400, LOST, {"sentence": FAULTS[fault.code], "code": fault.code})
            return
        how = self._operations.moods
        notify(operation, how.notify, self.server.seconds_after)
        back = operation.asked["urlredirect"]
        joint = "&" if "?" in back else "?"
        context = {
            "operation": operation,
            "euros": _euros(operation.cents),
            "outcome": CHOICES[choice][1],
            "is_paid": operation.result in ("P", "V"),
            "by_post": how.return_by == "post",
            "back": back,
            "back_with_idop": f"{back}{joint}{urlencode({'idop': idop})}",
        }
        self._page(200, DONE, context)

    def _show_moods(self):
        how = self._operations.moods
        fields = [
            ("service", "Le service", moods.SERVICE, how.service),
            ("notify", "La notification part", moods.NOTIFY, how.notify),
            ("return_by", "La personne revient", moods.RETURN_BY, how.return_by),
        ]
        kinds = {name: label for name, (label, _) in FALSIFICATIONS.items()}
        context = {
            "fields": [(name, label, choices.items(), now) for name, label, choices, now in fields],
            "falsifications": kinds.items(),
            "falsified": list(how.falsified),
            "late_answers": how.late_answers,
            "operations": [(row, _euros(row.cents)) for row in self._operations.latest()],
        }
        self._page(200, MOODS, context)

    def _change_moods(self, form):
        how = self._operations.moods
        if idop := _first(form, "oublier"):
            self._operations.forget(idop)
        elif idop := _first(form, "perimer"):
            self._operations.expire(idop)
        else:
            for name in ("service", "notify", "return_by"):
                if _first(form, name) in getattr(moods, name.upper()):
                    setattr(how, name, _first(form, name))
            late = _first(form, "late_answers")
            how.late_answers = min(int(late), 100) if late.isdecimal() else 0
            how.falsified = _falsified(form.get("falsified", []), self._operations)
        self.send_response(303)
        self.send_header("Location", "/commandes")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _page(self, status, name, context):
        body = render_to_string(name, context)
        self._send(status, body.encode(), "text/html; charset=utf-8")

    def _send(self, status, body, content_type):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CSP)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _falsified(names, operations):
    """The amount is that of the latest operation, and a cent."""
    latest = operations.latest()
    values = {name: value for name, (_, value) in FALSIFICATIONS.items()}
    values["montant"] = str(latest[0].cents + 1) if latest else "101"
    return {name: values[name] for name in names if name in values}


def _first(fields, name):
    return fields.get(name, [""])[0]


def _euros(cents):
    whole, rest = divmod(cents, 100)
    return f"{whole:,}".replace(",", "\u202f") + f",{rest:02}\u00a0€"


def serve(port: int) -> None:
    """Until the process is told to stop. Raises OSError when the port is taken."""
    with Simulator(port) as simulator:
        simulator.serve_forever()
