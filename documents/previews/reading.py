"""What the text of a document says: its date, and the quotient familial of the CAF or the MSA.

A proposal to the agent who has the page before him, never a decision: in doubt, nothing is read.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

OLDEST_YEAR = 2000
LARGEST = Decimal(99_999)  # euros

MONTHS = ["janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre"]
MONTHS += ["octobre", "novembre", "decembre"]
_MONTH = "|".join(MONTHS)
DAY = re.compile(
    rf"(?<![\d/.,-])(?P<day>\d{{1,2}})(?:er)?"
    rf"(?:(?P<sep>[/.-])(?P<month>\d{{1,2}})(?P=sep)| (?P<name>{_MONTH}) )(?P<year>\d{{4}})(?!\d)"
)
MONTH = re.compile(
    rf"(?:\b(?P<name>{_MONTH})(?: de l'annee)? |(?<![\d/.-])(?P<month>\d{{1,2}})/)"
    r"(?P<year>20\d\d)(?!\d)"
)
# What stands just before the date of the document itself.
ISSUED = re.compile(
    r"(?:\bfaite? (?:a .{1,30})?le|\bdelivree? le|\b(?:re)?editee? le|\betablie? (?:a .{1,30})?le"
    r"|\bemise? le|\bimprimee? le|\bdatee? du|\bfacture du|\bquittance du|\battestation du"
    r"|\bdate d'(?:edition|emission|etablissement|impression)|\bdate de (?:la )?facture"
    r"|\bdate de (?:la )?(?:quittance|delivrance)|, le) ?:? ?$"
)
BORN = re.compile(r"\b(?:nee?(?:\(e\))?|naissance)\b[^.]{0,30}$")
BEFORE, AFTER = 60, 130  # characters around « quotient familial » where its value may stand

QUOTIENT = re.compile(r"\bquotients? familia(?:l|ux)\b|\bq\.? ?f\b")
AMOUNT = re.compile(
    r"(?<![\d/.,%-])(?P<euros>\d{1,2} \d{3}|\d{1,5})(?:[.,](?P<cents>\d{1,2}))?"
    r"(?![\d/%]|[.,]\d| ?(?:%|parts?\b|enfants?\b|personnes?\b|mois\b|ans\b|jours?\b))"
    r"(?P<unit> ?(?:€|euros?\b|eur\b))?"
)
# The figures that follow these words are something else's.
ELSEWHERE = re.compile(
    r"\brevenus?\b|\bressources\b|\bparts?\b|\bnombre\b|\ballocataire\b|\bmatricule\b|\bdossier\b"
    r"|\bimpot|\bcode\b|\btelephone\b|\bprestations?\b|\ballocations?\b(?! familiales)"
)
TAX = re.compile(r"\brevenu fiscal de reference\b|\bavis d'impot|\bavis d'imposition\b")
PAYER = re.compile(r"\bcaf\b|allocations familiales|\bmsa\b|mutualite sociale")


@dataclass(frozen=True)
class Found:
    date: dt.date | None  # of the document; the first of the month when it says only a month
    quotient: Decimal | None  # euros
    month: dt.date | None  # of the quotient: its first day


def read(text: str, *, today: dt.date) -> Found:
    """Reads the text of a PDF; each part is None when the text does not say it plainly.

    A tax notice has no QF of the CAF: its « revenu fiscal de référence » is another figure.
    """
    text = _plain(text)
    quotient, month = _quotient(text, today)
    return Found(_date(text, today), quotient, month)


def _plain(text):
    """Without accents or capitals, one space between words: what producers write differently."""
    letters = unicodedata.normalize("NFKD", text.replace("’", "'").replace("\ufffe", ""))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.lower().split())


def _date(text, today):
    """The one that is said to be the document's, else the latest that is past."""
    days = []
    for match in DAY.finditer(text):
        day = _day(match, today)
        before = text[max(0, match.start() - BEFORE) : match.start()]
        if day is None or BORN.search(before):
            continue
        if ISSUED.search(before):
            return day
        days.append(day)
    if days:
        return max(days)
    months = [_month(match, today) for match in MONTH.finditer(text)]
    return max(filter(None, months), default=None)


def _day(match, today):
    month = int(match["month"]) if match["month"] else MONTHS.index(match["name"]) + 1
    return _past(int(match["year"]), month, int(match["day"]), today)


def _month(match, today):
    month = int(match["month"]) if match["month"] else MONTHS.index(match["name"]) + 1
    return _past(int(match["year"]), month, 1, today)


def _past(year, month, day, today):
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return None
    return date if year >= OLDEST_YEAR and date <= today else None


def _quotient(text, today):
    """The one of the latest month; nothing if two are told apart by nothing."""
    if TAX.search(text) and not PAYER.search(text):
        return None, None
    found = {}
    for match in QUOTIENT.finditer(text):
        value, month = _beside(text, match, today)
        if value is not None:
            found.setdefault(month, set()).add(value)
    if not found:
        return None, None
    month = max(found, key=lambda month: month or dt.date.min)
    values = found[month]
    return (values.pop(), month) if len(values) == 1 else (None, None)


def _beside(text, match, today):
    after = text[match.end() : match.end() + AFTER]
    if following := QUOTIENT.search(after):
        after = after[: following.start()]
    month = _month_beside(text[max(0, match.start() - BEFORE) : match.start()], after, today)
    after = MONTH.sub(" ", DAY.sub(" ", after))
    amount = next(AMOUNT.finditer(after), None)
    if amount is None or ELSEWHERE.search(after[: amount.start()]):
        return None, None
    value = Decimal(f"{amount['euros'].replace(' ', '')}.{amount['cents'] or 0}")
    return (value, month) if value <= LARGEST else (None, None)


def _month_beside(before, after, today):
    """After the word if it stands there, else just before it."""
    near = [*MONTH.finditer(after)][:1] or [*MONTH.finditer(before)][-1:]
    return _month(near[0], today) if near else None
