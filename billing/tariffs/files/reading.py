"""From a file to the rows of each sheet: cells read one by one, with what is refused of them."""

from collections import Counter
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from accounts.names import sort_key
from accounts.spreadsheets.columns import as_text, quoted
from accounts.spreadsheets.reading import Sheet, read_all
from accounts.spreadsheets.reports import Refusal
from billing.tariffs.files.parts import PARTS, SETTING_PART, Part, Values


@dataclass
class Row:
    """One row of a sheet; `number` is its number in the spreadsheet, `texts` its cells.

    `values` holds the attributes that could be read, `given` those whose column the sheet has.
    """

    number: int
    texts: dict[str, str]
    values: Values = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, header: str, message: str) -> None:
        """Once a cell."""
        if not header or all(refusal.header != header for refusal in self.refusals):
            self.refusals.append(Refusal(header, self.texts.get(header, ""), message))


@dataclass(frozen=True)
class File:
    """`unread`: what the file holds beside, in words."""

    rows: dict[Part, list[Row]]
    unread: list[str]


def read_file(content: bytes) -> File:
    """The sheets that a grid knows, by title or else by their columns.

    Raises ValidationError: see accounts.spreadsheets.reading; `not_a_grid`, `sheet_doubled`,
    `columns_missing`, `column_doubled`, `too_many_rows`.
    """
    rows, unread = {}, []
    for title, sheet in read_all(content).items():
        part = _part_of(title, sheet.headers)
        if part is None:
            unread.append(f"feuille «\u00a0{title}\u00a0»" if title else "le fichier")
        elif part in rows:
            raise ValidationError(
                f"Deux feuilles sont des «\u00a0{part.title}\u00a0»\u00a0: gardez-en une.",
                code="sheet_doubled",
            )
        else:
            headers = _known(part, sheet.headers)
            unread += [
                f"colonne «\u00a0{header}\u00a0» de «\u00a0{part.title}\u00a0»"
                for header in headers
                if header and header not in part.headers
            ]
            rows[part] = [
                _row(part, headers, number, cells) for number, cells in _lines(part, sheet)
            ]
    if not rows:
        raise ValidationError(
            "Ce fichier n'est pas celui d'une grille\u00a0: partez d'un export, dont les feuilles"
            f" s'appellent {quoted(part.title for part in PARTS)}.",
            code="not_a_grid",
        )
    return File(rows, unread)


def _part_of(title, headers):
    """Of that title; else the one of which the sheet has all that is needed, and most columns."""
    for part in PARTS:
        if sort_key(title) == sort_key(part.title):
            return part
    held = {sort_key(header.rstrip("* ")) for header in headers}
    found = [
        (sum(sort_key(header) in held for header in part.headers), part)
        for part in PARTS
        if all(sort_key(each.header) in held for each in part.columns if each.required)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _known(part, headers):
    """The headers as the part writes them. Raises ValidationError."""
    known = {sort_key(name): name for name in part.headers}
    headers = [known.get(sort_key(header.rstrip("* ")), header) for header in headers]
    doubled = [name for name, times in Counter(headers).items() if name and times > 1]
    if doubled:
        raise _of_sheet(
            part,
            f"plusieurs colonnes s'appellent {quoted(doubled[:1])}, gardez-en une.",
            "column_doubled",
        )
    required = [each.header for each in part.columns if each.required]
    if part is SETTING_PART:
        required = []  # what is not said stays
    if missing := [header for header in required if header not in headers]:
        raise _of_sheet(part, f"il manque la colonne {quoted(missing)}.", "columns_missing")
    return headers


def _lines(part, sheet: Sheet):
    if len(sheet.rows) > part.most:
        raise _of_sheet(
            part,
            f"plus de {part.most} ligne{'s' if part.most > 1 else ''} sous les titres.",
            "too_many_rows",
        )
    return sheet.rows.items()


def _row(part, headers, number, cells):
    cells = {name: cell for name, cell in zip(headers, cells, strict=False) if name}
    row = Row(number, {name: as_text(cell) for name, cell in cells.items()})
    row.given = frozenset(each.attribute for each in part.columns if each.header in headers)
    for column in part.columns:
        if part is SETTING_PART and column.attribute not in row.given:
            continue
        try:
            value = column.read(cells.get(column.header))
        except ValueError as error:
            row.refuse(column.header, str(error))
        else:
            if column.required and value is None:
                row.refuse(column.header, "Cette case est vide\u00a0: elle est obligatoire.")
            else:
                row.values[column.attribute] = value
    return row


def _of_sheet(part, message, code):
    return ValidationError(f"Feuille «\u00a0{part.title}\u00a0»\u00a0: {message}", code=code)
