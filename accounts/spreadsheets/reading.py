"""A file as secretariats have them, CSV or Excel, made a table of cells, in a bounded way."""

import csv
import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from openpyxl import load_workbook

from accounts.spreadsheets.writing import GUARDED

MAX_BYTES = 5 * 1024 * 1024
MAX_ROWS = 10_000
MAX_COLUMNS = 100
MAX_SHEETS = 20
MAX_CELL = 2_000  # characters
# What an .xlsx file may become once opened: 10,000 rows of 14 columns take 10 Mo.
MAX_INFLATED = 40 * 1024 * 1024
EXCEL_ROWS = 1_048_576
WORKBOOK = "xl/workbook.xml"  # what an archive that is a workbook holds

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"  # the container of .xls, and of an .xlsx that has a password
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS = "enregistrez-la au format «\u00a0Classeur Excel (.xlsx)\u00a0» ou «\u00a0CSV\u00a0»"

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | None


@dataclass(frozen=True)
class Sheet:
    """The first row, and the others under their number in the spreadsheet; no row is empty."""

    headers: list[str]
    rows: dict[int, list[Cell]]


def read(content: bytes) -> Sheet:
    """The first sheet of the file; its kind is told by what it holds, never by its name.

    Raises ValidationError, a sentence that says what to do, under the code `too_large`, `empty`,
    `password`, `old_excel`, `not_a_list`, `damaged`, `inflated`, `too_many_rows`,
    `too_many_columns` or `cell_too_long`.
    """
    _check_whole(content)
    if content.startswith(ZIP):
        return _sheet(next(iter(_sheets_of_excel(content)))[1])
    return _sheet(_rows_of_csv(content))


def read_all(content: bytes) -> dict[str, Sheet]:
    """Every sheet of a workbook under its title, every CSV of a ZIP under its name, a CSV under "".

    One of headers alone is a sheet without rows; one that holds nothing is left out. Raises as
    `read`, and `too_many_sheets`.
    """
    _check_whole(content)
    if not content.startswith(ZIP):
        return {"": _sheet(_rows_of_csv(content))}
    sheets = {}
    found = _sheets_of_excel(content) if _is_workbook(content) else _sheets_of_zip(content)
    for title, rows in found:
        if len(sheets) == MAX_SHEETS:
            raise ValidationError(
                f"Plus de {MAX_SHEETS} feuilles\u00a0: gardez celles du modèle.",
                code="too_many_sheets",
            )
        try:
            sheets[title] = _sheet(rows, may_be_empty=True)
        except ValidationError as error:
            raise ValidationError(
                f"Feuille «\u00a0{title}\u00a0»\u00a0: {error.messages[0]}", code=error.code
            ) from error
    return {title: sheet for title, sheet in sheets.items() if sheet.headers}


def _check_whole(content):
    if len(content) > MAX_BYTES:
        raise ValidationError(
            "Ce fichier pèse plus de 5\u00a0Mo\u00a0: partagez la liste en plusieurs fichiers.",
            code="too_large",
        )
    if content.startswith(OLE):
        raise _old_or_locked(content)


def _sheet(rows, *, may_be_empty=False):
    headers, kept = None, {}
    for number, row in enumerate(rows, start=1):
        if row.count(None) == len(row):  # quick: Excel may have a million of them
            continue
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in row]
        while cells and cells[-1] in (None, ""):
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise ValidationError(
                f"Plus de {MAX_COLUMNS} colonnes\u00a0: partez du modèle.", code="too_many_columns"
            )
        if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in cells):
            raise ValidationError(
                f"Ligne {number}\u00a0: une case contient plus de {MAX_CELL} caractères. Les"
                " guillemets du fichier sont peut-être mal fermés.",
                code="cell_too_long",
            )
        if headers is None:
            headers = ["" if cell is None else str(cell) for cell in cells]
        elif len(kept) == MAX_ROWS:
            raise ValidationError(
                f"Plus de {MAX_ROWS} lignes\u00a0: partagez la liste en plusieurs fichiers.",
                code="too_many_rows",
            )
        else:
            kept[number] = cells
    if not kept and not may_be_empty:
        raise ValidationError(
            "Ce fichier ne contient aucune ligne sous celle des titres.", code="empty"
        )
    return Sheet(headers or [], kept)


def _rows_of_csv(content):
    text = _decoded(content)
    if "\0" in text:
        raise ValidationError(
            f"Ce fichier n'est pas une liste\u00a0: ouvrez-la dans votre tableur et {SAVE_AS}.",
            code="not_a_list",
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        for row in reader:
            yield [_unguarded(cell) for cell in row]
    except csv.Error as error:
        raise _damaged() from error


def _decoded(content):
    """UTF-8, with or without a mark; Excel's « texte Unicode »; else what French Excel writes."""
    encodings = ["utf-16"] if content.startswith(UTF_16) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _damaged()


def _delimiter(text):
    """The one that cuts the first line in most pieces: `;` in France, a comma, or a tab."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(";,\t", key=lambda one: len(next(csv.reader([first], delimiter=one), [])))


def _unguarded(cell):
    """Takes away what our own exports put before a sign that begins a formula."""
    guarded = cell.startswith("'") and cell.lstrip("'").startswith(GUARDED)
    return cell[1:] if guarded else cell


def _is_workbook(content):
    with _archive(content) as archive:
        return WORKBOOK in archive.namelist()


def _archive(content):
    """Opened, once it is known that it does not swell."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise _damaged() from error
    # Of a part that holds more than it declares, zipfile reads no more than that.
    if sum(entry.file_size for entry in archive.infolist()) > MAX_INFLATED:
        raise ValidationError(
            "Ce classeur est trop volumineux une fois ouvert\u00a0: copiez la liste seule"
            " dans un nouveau classeur, ou enregistrez-la en CSV.",
            code="inflated",
        )
    return archive


def _sheets_of_excel(content):
    """The title and the rows of each sheet."""
    if not _is_workbook(content):
        raise _not_a_list()
    try:
        # Values, not formulas; read as it goes, and through defusedxml, which openpyxl takes.
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = workbook.worksheets
    except Exception as error:  # a hostile or cut file makes openpyxl raise of everything
        raise _damaged() from error
    if not sheets:
        raise _damaged()
    for sheet in sheets:
        yield sheet.title, _rows_of_excel(sheet)


def _rows_of_excel(sheet):
    try:
        sheet.reset_dimensions()  # what the file says of them is often wrong
        # Without a bound on rows, one that pretends to be the billionth would be waited for.
        yield from sheet.iter_rows(max_row=EXCEL_ROWS, max_col=MAX_COLUMNS + 1, values_only=True)
    except Exception as error:  # as above
        raise _damaged() from error


def _sheets_of_zip(content):
    """The name, without its ending, and the rows of each CSV of an archive."""
    with _archive(content) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
        if not names:
            raise _not_a_list()
        for name in names:
            try:
                text = archive.read(name)
            except Exception as error:  # cut, or with a password
                raise _damaged() from error
            yield PurePosixPath(name).stem, _rows_of_csv(text)


def _old_or_locked(content):
    if "EncryptedPackage".encode("utf-16-le") in content:
        return ValidationError(
            "Ce classeur est protégé par un mot de passe\u00a0: retirez-le (Fichier >"
            " Informations > Protéger le classeur), puis envoyez-le à nouveau.",
            code="password",
        )
    return ValidationError(
        "Ce classeur est à l'ancien format .xls\u00a0: ouvrez la liste dans votre tableur et"
        f" {SAVE_AS}.",
        code="old_excel",
    )


def _not_a_list():
    return ValidationError(
        "Ce fichier n'est ni un classeur Excel ni un CSV\u00a0: ouvrez la liste dans"
        f" votre tableur et {SAVE_AS}.",
        code="not_a_list",
    )


def _damaged():
    return ValidationError(
        "Ce fichier est illisible ou abîmé\u00a0: ouvrez la liste dans votre tableur et"
        f" {SAVE_AS}.",
        code="damaged",
    )
