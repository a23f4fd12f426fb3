"""Amounts, numbers and days in a file: what a CSV holds, and what Excel adds up or sorts."""

import datetime as dt
from decimal import Decimal


class Typed(str):
    """A cell as a CSV and a page write it, which knows the `value` that it was written from."""

    value: Decimal | int | dt.date

    def __new__(cls, text: str, value: Decimal | int | dt.date):
        cell = super().__new__(cls, text)
        cell.value = value
        return cell


def amount(value: Decimal | None) -> str:
    """« 1234,50 », which a French spreadsheet adds up; nothing for None."""
    return "" if value is None else Typed(f"{value:.2f}".replace(".", ","), value)


def whole(value: int | None) -> str:
    """« 14 »; nothing for None."""
    return "" if value is None else Typed(str(value), value)


def day(value: dt.date | None) -> str:
    """« 31/12/2026 »; nothing for None."""
    if value is None:
        return ""
    date = value.date() if isinstance(value, dt.datetime) else value
    return Typed(f"{date.day:02}/{date.month:02}/{date.year:04}", date)
