"""What the engine answers: amounts, each with its reason in French."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class PricingError(Exception):
    """A lesson that the grid does not price: `code` for who catches it, `message` in French.

    Codes: `no_category`, `no_rate`, `several_rates`.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class LineKind(StrEnum):
    FILE_FEE = "file_fee"
    TUITION = "tuition"


@dataclass(frozen=True)
class Line:
    """One line of an invoice; `amount` in euros, to the cent, never negative."""

    kind: LineKind
    label: str
    explanation: str
    amount: Decimal
    pupil: int | str | None = None  # the key of the pupil; None: the household
    whose: str = ""  # the pupil's name: never in the label too
    lesson: int | str | None = None
    category: str = ""
    at_top_rate: bool = False


@dataclass(frozen=True)
class Bill:
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def at_top_rate(self) -> bool:
        return any(line.at_top_rate for line in self.lines)
