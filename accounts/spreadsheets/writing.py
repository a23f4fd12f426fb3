"""A table made a CSV that French Excel opens right, or an Excel file of texts, amounts and days."""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

from accounts.spreadsheets.cells import Typed

CSV, XLSX, ZIP = "csv", "xlsx", "zip"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ALL_TYPES = {XLSX: CONTENT_TYPES[XLSX], ZIP: "application/zip"}  # of several sheets
# A spreadsheet that reads a CSV takes what begins so for a formula (OWASP, CSV injection).
GUARDED = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"-[0-9]+(,[0-9]+)?")
# Excel writes both as the country of its reader does: « 1 234,50 », « 31/12/2026 » in French.
FORMATS = {Decimal: "#,##0.00", int: "0", dt.date: "dd/mm/yyyy"}
WIDTH = 60  # characters, of the widest column


class Table(NamedTuple):
    """A sheet to write: its title, its headers, its rows of texts."""

    title: str
    headers: list[str]
    rows: list[list[str]]


def write(format_: str, headers: list[str], rows: Iterable[list[str]], *, title: str) -> bytes:
    """The file; `title` names the sheet. The first row is the headers.

    A cell is a text; one of `cells.amount`, `cells.whole` or `cells.day` is a number or a date for
    Excel.
    """
    table = [headers, *rows]
    return _csv(table) if format_ == CSV else _xlsx(table, title)


def write_all(format_: str, sheets: Iterable[Table]) -> bytes:
    """A workbook of several sheets, or a ZIP of as many CSV: the same bytes for the same cells."""
    if format_ == XLSX:
        workbook = Workbook(write_only=True)
        for sheet in sheets:
            _add_sheet(workbook, sheet.title, [sheet.headers, *sheet.rows])
        return _saved(workbook)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet in sheets:
            entry = zipfile.ZipInfo(f"{sheet.title}.csv")  # dated of 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _csv([sheet.headers, *sheet.rows]))
    return file.getvalue()


def _csv(table):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerows([_guarded(cell) for cell in row] for row in table)
    return text.getvalue().encode("utf-8-sig")


def _guarded(cell):
    """A cell that begins as a guarded one does, `'=`, is guarded too, so that it is read back.

    « -12,50 » is no formula: guarded, it would be left out of the sums.
    """
    if NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell.lstrip("'").startswith(GUARDED) else cell


def _xlsx(table, title):
    workbook = Workbook(write_only=True)
    _add_sheet(workbook, title, table)
    return _saved(workbook)


def _add_sheet(workbook, title, table):
    sheet = workbook.create_sheet(title[:31])  # Excel's limit
    for number, column in enumerate(zip(*table, strict=True), start=1):
        width = max(len(cell) for cell in column)
        sheet.column_dimensions[get_column_letter(number)].width = min(width + 3, WIDTH)
    sheet.freeze_panes = "A2"
    for row in table:
        sheet.append([_cell(sheet, cell) for cell in row])


def _saved(workbook):
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _cell(sheet, text):
    """An amount, a number or a day is one; a text is text whatever it looks like.

    Neither « =1+1 » nor « 0612345678 » becomes something else.
    """
    if isinstance(text, Typed):
        cell = WriteOnlyCell(sheet, text.value)
        cell.number_format = FORMATS[type(text.value)]
        return cell
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    cell.number_format = "@"
    return cell
