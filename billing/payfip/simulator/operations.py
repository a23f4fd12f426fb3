"""What the simulator keeps: the payments asked for, and the moods that one may give it.

In memory: a simulator that stops forgets everything, as PayFiP does of the abandoned ones.
"""

import datetime as dt
import re
import secrets
import threading
import uuid
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
OPENS_FOR = dt.timedelta(minutes=15)
KEPT = 2000  # operations, the latest
UNKNOWN_CLIENT = "999999"  # a numcli that no régie has, to see how that looks
FAULTS = {
    "A1": "L'adresse mél est absente.",
    "A2": "L'adresse mél est incorrecte.",
    "D1": "La référence de la dette est incorrecte.",
    "M1": "Le montant est absent.",
    "M3": "Le montant est incorrect.",
    "M5": "Le montant est hors des limites.",
    "N1": "L'URL de notification est incorrecte.",
    "P1": "IdOp incorrect.",
    "P3": "IdOp déjà utilisé.",
    "P4": "IdOp expiré.",
    "P5": "Le résultat de la transaction n'est pas connu.",
    "R3": "L'URL de redirection est incorrecte.",
    "S1": "Le type de saisie est incorrect.",
    "T1": "Le numéro de client est absent ou incorrect.",
    "T2": "Le client est inconnu.",
}
SERVICE = {
    "up": "répond",
    "unavailable": "est en panne (503)",
    "slow": "ne répond pas avant vingt secondes",
    "fault": "répond par un défaut technique",
    "garbage": "répond par une page qui n'est pas du SOAP",
}
NOTIFY = {
    "after": "après le retour de la personne",
    "before": "avant son retour",
    "thrice": "trois fois, dont deux ensemble",
    "never": "jamais",
}
RETURN_BY = {"get": "par un lien (GET)", "post": "par un formulaire (POST)"}
CHOICES = {
    "carte": ("P", "Paiement par carte accepté"),
    "prelevement": ("V", "Prélèvement accepté"),
    "refus-carte": ("R", "Paiement par carte refusé"),
    "refus-prelevement": ("Z", "Prélèvement refusé"),
    "annuler": ("A", "Paiement annulé"),
}


class Fault(Exception):
    """A functional fault, by its code."""

    @property
    def code(self) -> str:
        return self.args[0]


@dataclass
class Moods:
    """`late_answers`: how many times the result, though there, is answered « not known » (P5).
    `falsified`: fields answered with another value than the true one."""

    service: str = "up"
    notify: str = "after"
    return_by: str = "get"
    late_answers: int = 0
    falsified: dict[str, str] = field(default_factory=dict)


@dataclass
class Operation:
    idop: str
    asked: dict[str, str]
    created_at: dt.datetime
    opened: bool = False
    expired: bool = False
    result: str = ""
    ended_at: dt.datetime | None = None
    late_answers: int = 0

    @property
    def is_late(self) -> bool:
        return self.expired or _now() - self.created_at > OPENS_FOR

    @property
    def cents(self) -> int:
        return int(self.asked["montant"])


class Operations:
    """Every operation of this simulator; its methods may be called from several threads."""

    def __init__(self):
        self.moods = Moods()
        self.rows: dict[str, Operation] = {}
        self.calls: list[str] = []  # the operations of the service that were called
        self._lock = threading.RLock()

    def create(self, asked: dict[str, str]) -> Operation:
        """Raises Fault for a field that is wrong."""
        _check(asked)
        with self._lock:
            operation = Operation(str(uuid.uuid1()), asked, _now())
            self.rows[operation.idop] = operation
            while len(self.rows) > KEPT:
                self.rows.pop(next(iter(self.rows)))
            return operation

    def open(self, idop: str) -> Operation:
        """The payment page, which opens once. Raises Fault: P1, P3, P4."""
        with self._lock:
            operation = self._find(idop)
            if operation.opened:
                raise Fault("P3")
            if operation.is_late:
                raise Fault("P4")
            operation.opened = True
            return operation

    def end(self, idop: str, choice: str) -> Operation:
        """What the person chose on the page, once. Raises Fault: P1, P3."""
        with self._lock:
            operation = self._find(idop)
            if operation.result or not operation.opened:
                raise Fault("P3")
            operation.result = CHOICES[choice][0]
            operation.ended_at = _now()
            operation.late_answers = self.moods.late_answers
            return operation

    def detail(self, idop: str) -> dict[str, str]:
        """Raises Fault: P1, P4 (nobody opened it in time), P5."""
        with self._lock:
            operation = self._find(idop)
            if not operation.result:
                late = operation.is_late and (operation.expired or not operation.opened)
                raise Fault("P4" if late else "P5")
            if operation.late_answers > 0:
                operation.late_answers -= 1
                raise Fault("P5")
            return self._answer(operation)

    def forget(self, idop: str) -> None:
        """As the night does: P1 from now on."""
        with self._lock:
            self.rows.pop(idop, None)

    def expire(self, idop: str) -> None:
        """As if a quarter of an hour had passed: P4 from now on."""
        with self._lock:
            if idop in self.rows:
                self.rows[idop].expired = True

    def latest(self) -> list[Operation]:
        with self._lock:
            return list(reversed(self.rows.values()))[:30]

    def _find(self, idop):
        try:
            return self.rows[idop]
        except KeyError:
            raise Fault("P1") from None

    def _answer(self, operation):
        ended = operation.ended_at.astimezone(PARIS)
        asked = operation.asked
        paid = operation.result in ("P", "V")
        return {
            "dattrans": f"{ended:%d%m%Y}",
            "exer": asked.get("exer", ""),
            "heurtrans": f"{ended:%H%M}",
            "idOp": operation.idop,
            "mel": asked["mel"],
            "montant": asked["montant"],
            "numauto": secrets.token_hex(4).upper() if paid else "",
            "numcli": asked["numcli"],
            "objet": asked.get("objet", ""),
            "refdet": asked["refdet"],
            "resultrans": operation.result,
            "saisie": asked["saisie"],
        } | self.moods.falsified


def _check(asked):
    """Which code goes with which wrong field is a guess: the list is public, its sense is not."""
    amount = asked.get("montant", "")
    rules = [
        (re.fullmatch(r"\d{6}", asked.get("numcli", "")), "T1"),
        (asked.get("numcli") != UNKNOWN_CLIENT, "T2"),
        (asked.get("saisie") in ("T", "X", "W"), "S1"),
        (amount, "M1"),
        (re.fullmatch(r"\d+", amount), "M3"),
        (re.fullmatch(r"\d+", amount) and 100 <= int(amount) <= 10_000_000, "M5"),
        (asked.get("mel"), "A1"),
        ("@" in asked.get("mel", "") and 6 <= len(asked["mel"]) <= 80, "A2"),
        (re.fullmatch(r"[A-Za-z0-9]{6,30}", asked.get("refdet", "")), "D1"),
        (re.match(r"https?://.", asked.get("urlnotif", "")), "N1"),
        (re.match(r"https?://.", asked.get("urlredirect", "")), "R3"),
    ]
    for is_right, code in rules:
        if not is_right:
            raise Fault(code)


def _now():
    return dt.datetime.now(dt.UTC)
