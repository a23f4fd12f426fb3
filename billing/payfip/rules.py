"""What PayFiP accepts in each field of a payment asked for (its guide for regies, as public
integrations tell it): checked before anything is sent."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from billing.money import euros

LEAST, MOST = Decimal(1), Decimal(100_000)  # euros
OUT_OF_BOUNDS = f"Un paiement en ligne va de {euros(LEAST)} à {euros(MOST)}"
LONGEST_SUBJECT = 100
SHORTEST_EMAIL, LONGEST_EMAIL = 6, 80
LONGEST_URL = 250
NUMCLI = re.compile(r"[0-9]{6}")
REFDET = re.compile(r"[A-Z0-9]{6,30}")
YEAR = re.compile(r"[0-9]{4}")
SUBJECT = re.compile(r"[A-Za-z0-9 ]{0,100}")
SAISIES = ["T", "X", "W"]


@dataclass(frozen=True)
class Order:
    """A payment to ask PayFiP for; `montant` is in cents, `exer` is the year."""

    numcli: str
    saisie: str
    refdet: str
    montant: int
    objet: str
    mel: str
    exer: int
    urlnotif: str
    urlredirect: str

    def fields(self) -> dict[str, str]:
        """As they are sent, in the order of the schema. Raises ValidationError for the first that
        PayFiP would refuse, whose `code` is the field's name."""
        for field, is_right, sentence in _rules(self):
            if not is_right:
                raise ValidationError(sentence, code=field)
        return {
            "exer": str(self.exer),
            "mel": self.mel,
            "montant": str(self.montant),
            "numcli": self.numcli,
            "objet": self.objet,
            "refdet": self.refdet,
            "saisie": self.saisie,
            "urlnotif": self.urlnotif,
            "urlredirect": self.urlredirect,
        }


def cents(amount: Decimal) -> int:
    """Of an amount in euros and whole cents. Raises ValueError if it has more than two decimals."""
    scaled = amount * 100
    if scaled != int(scaled):
        raise ValueError(f"{amount} is no whole number of cents")
    return int(scaled)


def subject(text: str) -> str:
    """The text in the letters that PayFiP accepts: accents removed, other signs made spaces."""
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[^A-Za-z0-9]+", " ", plain).strip()[:LONGEST_SUBJECT].rstrip()


def _rules(order):
    return [
        (
            "montant",
            cents(LEAST) <= order.montant <= cents(MOST),
            f"{OUT_OF_BOUNDS}.",
        ),
        (
            "mel",
            _is_email(order.mel),
            "Il faut une adresse e-mail de 6 à 80 caractères pour payer en ligne\u00a0: PayFiP y"
            " envoie son ticket.",
        ),
        ("numcli", bool(NUMCLI.fullmatch(order.numcli)), "Le numéro de client a six chiffres."),
        ("saisie", order.saisie in SAISIES, "La saisie est T, X ou W."),
        (
            "refdet",
            bool(REFDET.fullmatch(order.refdet)),
            "La référence a de 6 à 30 lettres capitales ou chiffres.",
        ),
        (
            "objet",
            bool(SUBJECT.fullmatch(order.objet)),
            "L'objet a 100 caractères au plus, sans accent ni ponctuation.",
        ),
        ("exer", bool(YEAR.fullmatch(str(order.exer))), "L'exercice est une année."),
        ("urlnotif", _is_url(order.urlnotif), "L'adresse de notification n'est pas complète."),
        ("urlredirect", _is_url(order.urlredirect), "L'adresse de retour n'est pas complète."),
    ]


def _is_email(text):
    name, at, domain = text.partition("@")
    fits = SHORTEST_EMAIL <= len(text) <= LONGEST_EMAIL
    return bool(fits and name and at and domain and not re.search(r"\s", text))


def _is_url(text):
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(text) <= LONGEST_URL
