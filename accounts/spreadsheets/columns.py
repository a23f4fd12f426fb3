"""What the cells of a column mean: from a cell to a value of a row, and from a value to a text.

A cell refuses by ValueError, as the widgets of django-import-export do; the sentence says what to
write instead. An empty cell is always None: an import never empties a field.
"""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models
from django.utils import timezone
from import_export.fields import Field
from import_export.widgets import Widget

from accounts.forms import EMAIL_INVALID
from accounts.names import sort_key
from accounts.spreadsheets import cells

FRENCH_DATE = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]0?0:00(?::00)?)?")
TIME = re.compile(r"(\d{1,2})\s*(?:[h:]\s*(\d{2})?(?::00)?|heures?)", re.IGNORECASE)
NUMBER = re.compile(r"-?\d{1,10}(\.\d{1,2})?", re.ASCII)
OLDEST = dt.date(1900, 1, 1)


class CellRefused(ValueError):
    """What a list refuses when it reads several columns: `header` is that of the cell at fault."""

    def __init__(self, message: str, header: str):
        super().__init__(message)
        self.header = header


class Column(Field):
    """A column of a list: the header, the attribute that it fills, how its cells are read.

    `example` is the cell of the template, `accepts` the sentence under it. With `show`, a function
    of the related row, the column is filled by the list's own `read_<attribute>(row)`, which may
    look at several columns; `shown=True` makes it one that is exported, and read by that alone.
    `digits` is the length of a code whose leading zero Excel takes away: it is put back.
    """

    def __init__(
        self,
        attribute: str,
        header: str,
        cell: Widget | None = None,
        *,
        example: str = "",
        accepts: str = "",
        required: bool = False,
        digits: int | None = None,
        shown: bool = False,
        show: Callable[[models.Model], str] | None = None,
    ):
        super().__init__(attribute, header, widget=cell or Text(), readonly=shown)
        self.example, self.accepts, self.required = example, accepts, required
        self.digits, self.show = digits, show

    def with_zero(self, text: str) -> str | None:
        """The code with the leading zero that it has lost; None if it has lost none."""
        bare = re.sub(r"[\s.]", "", text)
        lost = self.digits and len(bare) == self.digits - 1 and bare.isascii() and bare.isdecimal()
        return f"0{bare}" if lost and not bare.startswith("0") else None


class Text(Widget):
    """Spaces around and doubled ones go; a number is written as it was typed, without « .0 »."""

    def clean(self, value, row=None, **kwargs):
        text = as_text(value)
        return self.read(text) if text else None

    def read(self, text: str):
        return text

    def render(self, value, obj=None, **kwargs):
        return "" if value is None else str(value)


class Email(Text):
    def read(self, text):
        try:
            EmailValidator()(text)
        except ValidationError:
            raise ValueError(EMAIL_INVALID) from None
        return text


class FormCell(Text):
    """Reads as a form's field does."""

    def __init__(self, field: forms.Field):
        super().__init__()
        self.field = field

    def read(self, text):
        try:
            return self.field.clean(text)
        except ValidationError as error:
            raise ValueError(error.messages[0]) from None


class Whole(Text):
    """A whole number from `lowest` to `highest`."""

    def __init__(self, lowest: int, highest: int):
        super().__init__()
        self.lowest, self.highest = lowest, highest

    def read(self, text):
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
        if not self.lowest <= number <= self.highest:
            raise ValueError(f"Écrivez un nombre entier, de {self.lowest} à {self.highest}.")
        return number


class Number(Text):
    """A number from `lowest` to `highest` of two decimals at most: « 1 234,50 », « 603 € »."""

    def __init__(self, lowest: int, highest: int):
        super().__init__()
        self.lowest, self.highest = lowest, highest

    def read(self, text):
        bare = re.sub(r"[\s\u00a0\u202f€%]", "", text).replace(",", ".")
        if not NUMBER.fullmatch(bare):
            raise ValueError("Écrivez un nombre comme 603 ou 603,50\u00a0: deux décimales au plus.")
        number = Decimal(bare)
        if not self.lowest <= number <= self.highest:
            raise ValueError(f"Écrivez un nombre de {self.lowest} à {self.highest}.")
        return number

    def render(self, value, obj=None, **kwargs):
        """As a French spreadsheet adds it up."""
        return cells.amount(value)


class Choice(Text):
    """One of the choices, by the word that people read or by its code."""

    def __init__(self, choices: type[models.Choices] | list[tuple]):
        super().__init__()
        self.choices = choices.choices if isinstance(choices, type) else choices
        self.by_name = {
            sort_key(str(name)): value for value, label in self.choices for name in (value, label)
        }

    def read(self, text):
        try:
            return self.by_name[sort_key(text)]
        except KeyError:
            raise ValueError(f"Écrivez {one_of(label for _, label in self.choices)}.") from None

    def render(self, value, obj=None, **kwargs):
        return dict(self.choices).get(value, "")


class Day(Text):
    """A past day: a date of Excel, « 31/12/2015 » or « 2015-12-31 »."""

    def clean(self, value, row=None, **kwargs):
        if isinstance(value, dt.datetime):
            value = value.date()
        if isinstance(value, dt.date):
            return self._past(value)
        return super().clean(value, row)

    def read(self, text):
        if match := FRENCH_DATE.fullmatch(text):
            day, month, year = map(int, match.groups())
        elif match := ISO_DATE.fullmatch(text):
            year, month, day = map(int, match.groups())
        else:
            raise ValueError("Écrivez la date comme 31/12/2015, l'année en quatre chiffres.")
        try:
            date = dt.date(year, month, day)
        except ValueError:
            raise ValueError("Ce jour n'existe pas\u00a0: écrivez 31/12/2015.") from None
        return self._past(date)

    def render(self, value, obj=None, **kwargs):
        return cells.day(value or None)

    def _past(self, date):
        if not OLDEST <= date <= timezone.localdate():
            raise ValueError("Écrivez une date passée, après 1900.")
        return date


class Hour(Text):
    """A time of day: one of Excel, « 18:30 », « 18h30 », « 18 h 30 » or « 18 h »."""

    def clean(self, value, row=None, **kwargs):
        if isinstance(value, dt.datetime):
            value = value.time()
        if isinstance(value, dt.time):
            return value.replace(second=0, microsecond=0)
        return super().clean(value, row)

    def read(self, text):
        match = TIME.fullmatch(text)
        try:
            return dt.time(int(match[1]), int(match[2] or 0))
        except (TypeError, ValueError):  # no match, or no such time
            raise ValueError("Écrivez l'heure comme 18:30 ou 18 h 30.") from None

    def render(self, value, obj=None, **kwargs):
        return f"{value.hour:02}:{value.minute:02}" if value else ""


def as_text(value) -> str:
    """The cell as its reader sees it: Excel gives `59200.0` for a number that one typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    if isinstance(value, dt.time):
        return Hour().render(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return Day().render(value)
    return " ".join(str(value).split())


def one_of(words) -> str:
    """« a », « b » ou « c »."""
    *first, last = map(_quoted, words)
    return f"{', '.join(first)} ou {last}" if first else last


def quoted(words) -> str:
    """« a », « b », « c »."""
    return ", ".join(map(_quoted, words))


def _quoted(word):
    return f"«\u00a0{word}\u00a0»"
