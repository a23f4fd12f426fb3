"""Files of lists, as the tests send them."""

import csv
import io

from openpyxl import Workbook

from accounts.models import ListImport
from accounts.spreadsheets import services
from accounts.spreadsheets.reading import read
from accounts.spreadsheets.reports import Report


def csv_of(*rows: dict, delimiter=";", encoding="utf-8") -> bytes:
    """Each row gives its cells by header; one that lacks a header leaves its cell empty."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headers, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_of(*rows: list) -> bytes:
    """Cells of Excel's own types."""
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def check(list_, actor, *rows: dict) -> Report:
    return list_(actor).check(read(csv_of(*rows)))


def refusals(list_, actor, *rows: dict) -> list[tuple[int, str, str]]:
    """Line, column, sentence."""
    return [
        (line.number, refusal.header, refusal.message)
        for line in check(list_, actor, *rows).refused
        for refusal in line.refusals
    ]


def import_file(list_, actor, content: bytes) -> ListImport:
    """Received, checked and carried out; the counts are on what it gives."""
    received = services.receive(list_(actor), "liste.csv", content)
    report = list_(actor).check(services.sheet_of(received))
    return services.carry_out(received, list_(actor), fingerprint=report.fingerprint)


def import_rows(list_, actor, *rows: dict) -> tuple[int, int, int]:
    """How many are new, changed, unchanged."""
    done = import_file(list_, actor, csv_of(*rows))
    return done.created, done.changed, done.unchanged
