"""The French of the lines: what an amount comes from, and each step down to it."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from billing.money import MINUS, euros, round_cents
from billing.pricing.facts import Household, Pupil, Quotient
from billing.pricing.grids import Audience, Effort, Grid, Modifier
from families.enums import Zone

MONTHS = [
    *["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre"],
    *["octobre", "novembre", "décembre"],
]
RATES = {
    None: "Tarif général",
    Zone.RESIDENT: "Tarif résident",
    Zone.CONVENTIONED: "Tarif des communes conventionnées",
    Zone.OUTSIDE: "Tarif hors territoire",
}
TERMS = {2: "semestres", 3: "trimestres"}
NAMED = 2  # pieces lacking: beyond, they are counted, for the line of an invoice is short


class Calculation:
    """An amount that is worked out step by step, with what is written of it.

    The one rounding of the engine: each result is rounded to the cent, half up, before the next
    step takes it up. What is written is what is computed.
    """

    def __init__(self, amount: Decimal, words: str = ""):
        """`words` come before the amount, with what links them to it: « 3 trimestres × 75 € = »."""
        self.amount = round_cents(amount)
        self.words = f"{words} {euros(self.amount)}" if words else euros(self.amount)
        self._is_first = not words

    def then(self, words: str, amount: Decimal, *, note: str = "", apart: bool = False) -> None:
        """Another step, to `amount`; `apart`: its words do not follow an amount as a sum's do."""
        self.amount = round_cents(amount)
        link = " " if self._is_first and not apart else ", puis "
        result = f"{euros(self.amount)} ({note})" if note else euros(self.amount)
        self.words += f"{link}{words} = {result}"
        self._is_first = False


def percent(number: Decimal) -> str:
    """« 6,4 % »."""
    return f"{_number(number)}\u00a0%"


def zone(code: str | None) -> str:
    """« Tarif résident »; None: what is voted for every zone."""
    return RATES.get(code, f"Tarif «\u00a0{code}\u00a0»")


def quotient(known: Quotient) -> str:
    """« QF 743 (CAF, mai 2026) »."""
    origin = [known.source] if known.source else []
    if known.month:
        origin.append(_month(known.month))
    whole = known.amount == known.amount.to_integral_value()
    written = _number(known.amount) if whole else _grouped(f"{known.amount:,.2f}")
    return f"QF {written}" + (f" ({', '.join(origin)})" if origin else "")


def what_lacks(pieces: Sequence[str]) -> str:
    """« il manque l'attestation CAF et la photo »."""
    named, more = list(pieces[:NAMED]), len(pieces) - NAMED
    if more > 0:
        named.append("une autre pièce" if more == 1 else f"{more} autres pièces")
    *before, last = named
    return "il manque " + (f"{', '.join(before)} et {last}" if before else last)


def case(household: Household, pupil: Pupil) -> str:
    """« Tarif résident, enfant, QF 743 (CAF, mai 2026) »: what a rate is looked for by."""
    known = quotient(household.quotient) if household.quotient else "quotient inconnu"
    audience = "adulte" if pupil.is_adult else "enfant"
    return f"{zone(household.zone)}, {audience}, {known}"


def heading(base, household: Household, modifiers: Sequence[Modifier]) -> str:
    """What comes before the amounts: « Tarif résident, QF 743 (CAF, mai 2026), 2e enfant »."""
    rate = base.rate
    words = []
    if not base.why_top:
        words.append(zone(rate.zone))
    if rate.audience == Audience.ADULT:
        words.append("adulte")
    if rate.depends_on_quotient and not base.why_top:
        words.append(quotient(household.quotient))
    if rate.rank is not None:
        words.append(f"{rate.rank}{'er' if rate.rank == 1 else 'e'} enfant")
    words += [modifier.label for modifier in modifiers]
    if not base.why_top:
        return ", ".join(words)
    line = ", ".join(words) or "montant"
    return f"Tarif haut\u00a0: {base.why_top}. {line[:1].upper()}{line[1:]}"


def of_terms(base, grid: Grid, household: Household) -> Calculation:
    """What the lesson costs for the year, before anything is taken off."""
    term = base.amount
    if base.rate.effort and not base.why_top:
        calculation = _of_effort(base.rate.effort, household.quotient.amount, term)
    else:
        calculation = Calculation(term)
    if grid.terms == 1:
        return calculation
    times = f"{grid.terms} {TERMS.get(grid.terms, 'périodes')} × {euros(calculation.amount)}"
    if base.rate.effort and not base.why_top:
        calculation.then(times, calculation.amount * grid.terms, apart=True)
        return calculation
    return Calculation(calculation.amount * grid.terms, f"{times} =")


def off(modifier: Modifier) -> str:
    """« − 10 % », « − 30,00 € »."""
    taken = percent(modifier.percent) if modifier.amount is None else euros(modifier.amount)
    return f"{MINUS} {taken}"


def begun_months(months: int, of: int) -> str:
    """« 4 mois commencés sur 10 »."""
    return f"{months} mois commencé{'s' if months > 1 else ''} sur {of}"


def part(share: Decimal) -> str:
    """« part de votre foyer : 50 % »."""
    return f"part de votre foyer\u00a0: {percent(share * 100)}"


def _of_effort(effort: Effort, known: Decimal, term: Decimal) -> Calculation:
    words = f"{percent(effort.percent)} de {euros(known)}"
    raw = round_cents(effort.percent * known / 100)
    if raw < effort.floor:
        return Calculation(term, f"{words} = {euros(raw)}, porté au plancher de")
    if raw > effort.ceiling:
        return Calculation(term, f"{words} = {euros(raw)}, ramené au plafond de")
    return Calculation(term, f"{words} =")


def _number(number: Decimal) -> str:
    """Without the zeros that say nothing: « 743 », « 6,4 », « 1 234 »."""
    return _grouped(f"{number.normalize():,f}")


def _grouped(written: str) -> str:
    return written.replace(",", "\u202f").replace(".", ",")


def _month(month: dt.date) -> str:
    return f"{MONTHS[month.month - 1]} {month.year}"
