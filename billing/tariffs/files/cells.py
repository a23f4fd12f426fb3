"""What a cell of a grid's file means; see accounts.spreadsheets.columns."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from accounts.names import sort_key
from accounts.spreadsheets.columns import Choice, Day, Text, one_of


@dataclass(frozen=True)
class Column:
    """`empty`: what an empty cell, or a column that is not there, stands for."""

    attribute: str
    header: str
    cell: Text
    accepts: str
    required: bool = False
    empty: object = None

    def read(self, cell):
        """Raises ValueError with a sentence in French."""
        value = self.cell.clean(cell)
        return self.empty if value is None else value

    def show(self, value) -> str:
        return self.cell.render(value)


class YesNo(Choice):
    """« oui », « non », and what Excel writes of a box."""

    def __init__(self):
        super().__init__([(True, "oui"), (False, "non")])
        self.by_name |= {"vrai": True, "faux": False, "1": True, "0": False}


class AnyDay(Day):
    """A day past or to come."""

    def _past(self, date):
        if not dt.date(1900, 1, 1) <= date <= dt.date(2200, 12, 31):
            raise ValueError("Écrivez une date de ce siècle, ainsi\u00a0: 01/09/2026.")
        return date


class Several(Text):
    """Words separated by commas, a set; in the order of the alphabet."""

    def clean(self, value, row=None, **kwargs):
        return super().clean(value) or frozenset()

    def read(self, text):
        return frozenset(word.strip() for word in text.split(",") if word.strip())

    def render(self, value, obj=None, **kwargs):
        return ", ".join(sorted(value))


class Choices(Several):
    """Some of the choices, by the words that people read or by their codes."""

    def __init__(self, choices: Mapping[str, str]):
        super().__init__()
        self.choices = choices
        self.by_name = {sort_key(str(n)): code for pair in choices.items() for n in pair
                        for code in pair[:1]}  # fmt: skip

    def read(self, text):
        words = super().read(text)
        if unknown := sorted(word for word in words if sort_key(word) not in self.by_name):
            raise ValueError(
                f"«\u00a0{unknown[0]}\u00a0» est inconnu\u00a0: écrivez"
                f" {one_of(self.choices.values())}, séparés par des virgules."
            )
        return frozenset(self.by_name[sort_key(word)] for word in words)

    def render(self, value, obj=None, **kwargs):
        return ", ".join(sorted(str(self.choices.get(code, code)) for code in value))
