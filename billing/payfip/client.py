"""What we say to PayFiP, and what it answers: three operations, over HTTP with a deadline.

PayFiP has neither key nor signature: whoever is asked must be the one of `settings.PAYFIP_URL`,
over TLS. So no redirect is followed, and nothing that a browser brought is ever believed.
"""

import datetime as dt
import logging
import re
import time
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.payfip import soap
from billing.payfip.rules import Order

logger = logging.getLogger(__name__)

SECONDS = 7.0  # the whole call; PayFiP answers in one, and a family waits before its screen
REST_SECONDS = 20.0
LONGEST_ANSWER = 64 * 1024  # bytes; a real one has less than 2,000
IDOP = re.compile(r"[0-9A-Za-z-]{8,64}")
LOOPBACK = ["127.0.0.1", "localhost", "::1"]
PARIS = ZoneInfo("Europe/Paris")


class TechnicalFault(Exception):
    """No answer, too late, or none of PayFiP's: it tells nothing about any payment."""


class FunctionalFault(Exception):
    """PayFiP says no, by its `code` (« P5 ») and in its own words (`label`)."""

    def __init__(self, code: str, label: str = ""):
        super().__init__(f"{code} {label}".strip())
        self.code, self.label = code, label


@dataclass(frozen=True)
class Detail:
    """What PayFiP tells of a payment. `montant` is in cents, None when it is no number.

    `paid_at` is None when PayFiP gives no date, or one that does not exist.
    """

    idop: str
    resultrans: str
    montant: int | None
    refdet: str
    numcli: str
    saisie: str
    numauto: str
    paid_at: dt.datetime | None


class Rest:
    """After a silence PayFiP is left alone for a while: the next calls fail at once.

    Each process of the site has its own: a PayFiP that hangs holds up one family, not all of them.
    """

    def __init__(self):
        self._until = 0.0  # on the clock `time.monotonic`

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def begin(self) -> None:
        self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        self._until = 0.0


rest = Rest()


def create_payment(order: Order) -> str:
    """Asks PayFiP to expect this payment, and gives its idOp.

    Raises ValidationError for a field that PayFiP would refuse (nothing is then sent),
    FunctionalFault, TechnicalFault.
    """
    fields = _ask("creerPaiementSecurise", order.fields())
    idop = fields.get("idOp", "")
    if not IDOP.fullmatch(idop):
        raise TechnicalFault(f"no idOp in the answer: {fields!r}")
    return idop


def payment_detail(idop: str) -> Detail:
    """What became of it. Raises FunctionalFault (P5: not known yet, P1: no such idOp, P4: too
    late…), TechnicalFault."""
    fields = _ask("recupererDetailPaiementSecurise", {"idOp": idop})
    return Detail(
        idop=fields.get("idOp", ""),
        resultrans=fields.get("resultrans", ""),
        montant=_cents(fields.get("montant", "")),
        refdet=fields.get("refdet", ""),
        numcli=fields.get("numcli", ""),
        saisie=fields.get("saisie", ""),
        numauto=fields.get("numauto", "")[:50],
        paid_at=_moment(fields.get("dattrans", ""), fields.get("heurtrans", "")),
    )


def account_names(numcli: str) -> list[str]:
    """Who is paid through this numcli, in one to three lines: that checks the configuration.

    Raises FunctionalFault (T1, T2: no such client), TechnicalFault.
    """
    fields = _ask("recupererDetailClient", {"numCli": numcli})
    return [text for n in (1, 2, 3) if (text := fields.get(f"libelleN{n}", ""))]


def payment_page(idop: str) -> str:
    """Where the browser goes to pay: it opens once, in the quarter of an hour."""
    return f"{settings.PAYFIP_URL}/paiementws.web?{urlencode({'idop': idop})}"


def _ask(operation, fields):
    """The fields of the answer."""
    content = _post(soap.write(operation, "arg0", fields))
    try:
        name, answer = soap.read(content)
    except soap.Malformed as error:
        raise TechnicalFault(f"{operation}: {error}") from error
    if name == soap.FUNCTIONAL and answer.get("code"):
        label = answer.get("descriptif") or answer.get("libelle") or answer.get("message", "")
        raise FunctionalFault(answer["code"][:10], label[:200])
    if name != f"{operation}Response":
        raise TechnicalFault(f"{operation}: {name} {answer!r}"[:500])
    return answer


def _post(content):
    if not rest.is_over:
        raise TechnicalFault("PayFiP was silent just now")
    end = time.monotonic() + SECONDS
    request = Request(  # noqa: S310 -- the scheme is checked by system_checks.check_url
        f"{settings.PAYFIP_URL}/services/securite",
        data=content,
        headers={"Content-Type": soap.CONTENT_TYPE, "SOAPAction": '""', "Accept": "text/xml"},
    )
    try:
        with _open(request) as response:
            return _read(response, end)
    except (OSError, HTTPException, ValueError) as error:  # a time-out is an OSError
        if isinstance(getattr(error, "reason", error), TimeoutError):  # urllib wraps some
            rest.begin()
        raise TechnicalFault(f"{settings.PAYFIP_URL}: {error}") from error


def _open(request):
    handlers = [_NoRedirect]
    if urlsplit(request.full_url).hostname in LOOPBACK:
        handlers.append(ProxyHandler({}))  # the town's proxy does not lead to this very machine
    try:
        return build_opener(*handlers).open(request, timeout=SECONDS)
    except HTTPError as error:
        if error.code == 500:  # SOAP 1.1 answers its faults so
            return error
        error.close()
        raise


def _read(response, end):
    """A socket's time-out starts anew with each packet; ours does not."""
    received = b""
    while more := response.read1(8192):
        received += more
        if len(received) > LONGEST_ANSWER:
            raise TechnicalFault("the answer does not end")
        if time.monotonic() > end:
            raise TimeoutError("the answer came too late")
    return received


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None  # it becomes an HTTPError


def _cents(text):
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None


def _moment(day, hour):
    if not re.fullmatch(r"[0-9]{8}", day):
        return None
    if not re.fullmatch(r"[0-9]{4}", hour):
        hour = "0000"
    try:
        return dt.datetime.strptime(f"{day}{hour}", "%d%m%Y%H%M").replace(tzinfo=PARIS)
    except ValueError:
        return None
