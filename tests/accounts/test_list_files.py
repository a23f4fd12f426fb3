"""Reading files as secretariats have them, and writing files that they open right."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from openpyxl import load_workbook

from accounts.spreadsheets import cells, reading
from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV, XLSX, write
from tests.lists import csv_of, xlsx_of

NAMES = ["O'Brien", "Nguyễn", "Le Goff-d'Aux", "Œuvrard"]


def code_of(content):
    with pytest.raises(ValidationError) as refused:
        read(content)
    assert refused.value.messages[0].endswith(".")
    return refused.value.code


def zip_of(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


class TestCsv:
    @pytest.mark.parametrize("delimiter", [";", ",", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_any_delimiter_any_encoding(self, delimiter, encoding):
        rows = [{"Nom": name, "Ville": "Lille"} for name in NAMES]

        sheet = read(csv_of(*rows, delimiter=delimiter, encoding=encoding))

        assert sheet.headers == ["Nom", "Ville"]
        assert list(sheet.rows.values()) == [[name, "Lille"] for name in NAMES]

    def test_what_french_excel_writes(self):
        sheet = read(csv_of({"Prénom": "Éléonore", "Ville": "L’Haÿ"}, encoding="cp1252"))

        assert (sheet.headers, sheet.rows) == (["Prénom", "Ville"], {2: ["Éléonore", "L’Haÿ"]})

    def test_lines_are_numbered_as_the_spreadsheet_does(self):
        """A quoted line break makes no line, an empty line is one."""
        content = b'\r\nNom;Adresse\r\nA;"1 rue\nB\xc3\xa2t. B"\r\n;\r\n\r\nB;2 rue\r\n'

        assert read(content).rows == {3: ["A", "1 rue\nBât. B"], 6: ["B", "2 rue"]}

    @pytest.mark.parametrize("content", [b"", b"\n\n", b"Nom;Adresse\n", "\ufeff".encode()])
    def test_refuses_a_file_without_rows(self, content):
        assert code_of(content) == "empty"

    def test_refuses_what_is_no_text(self):
        assert code_of(b"%PDF-1.4\n\0\0\0") == "not_a_list"
        assert code_of(b"Nom\n\x81\x8d") == "damaged"  # neither UTF-8 nor cp1252

    def test_refuses_quotes_that_never_close(self):
        assert code_of(b'Nom;Ville\n"A;Lille\n' + b"B;Lille\n" * 1000) == "cell_too_long"
        assert code_of(b'Nom;Ville\n"A;Lille\n' + b"B;Lille\n" * 30_000) == "damaged"


class TestXlsx:
    def test_dates_times_and_numbers(self):
        day, hour = dt.datetime(2015, 12, 31), dt.time(18, 30)  # noqa: DTZ001

        sheet = read(xlsx_of(["Jour", "De", "Code"], [day, hour, 59200], [None], ["", None, 1.5]))

        assert sheet.rows == {2: [day, hour, 59200], 4: [None, None, 1.5]}

    def test_the_value_of_a_formula_never_itself(self):
        assert read(xlsx_of(["Nom", "X"], ["=1+1", "reste"])).rows == {2: [None, "reste"]}

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"PK\x03\x04 cut", "damaged"),
            (zip_of(content="<x/>", mimetype="application/vnd.oasis"), "not_a_list"),
            (zip_of(xl__workbook__xml="x"), "not_a_list"),
            (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_excel"),
            (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "password"),
        ],
    )
    def test_refuses_what_is_no_workbook(self, content, code):
        assert code_of(content) == code

    def test_refuses_a_workbook_cut_inside(self):
        assert code_of(zip_of(**{"xl/workbook.xml": "<workbook"})) == "damaged"

    def test_refuses_entities(self):
        """« Billion laughs »: a small file that swells while it is read."""
        with zipfile.ZipFile(io.BytesIO(xlsx_of(["Nom"], ["A"]))) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet = parts["xl/worksheets/sheet1.xml"].replace(b"<t>A</t>", b"<t>&b;</t>")
        entities = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'

        assert (
            code_of(zip_of(**parts | {"xl/worksheets/sheet1.xml": entities + sheet})) == "damaged"
        )

    def test_refuses_a_bomb_before_it_opens_it(self, monkeypatch):
        monkeypatch.setattr(reading, "load_workbook", None)  # not even called
        bomb = zip_of(**{"xl/workbook.xml": "x", "xl/sharedStrings.xml": b"0" * 41 * 1024 * 1024})

        assert len(bomb) < 100_000
        assert code_of(bomb) == "inflated"


@pytest.mark.parametrize("make", [csv_of, lambda *rows: xlsx_of(["Nom"], *[["A"] for _ in rows])])
def test_is_bounded(monkeypatch, make):
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    rows = [{"Nom": "A"}] * 3

    assert len(read(make(*rows)).rows) == 3
    assert code_of(make(*rows, {"Nom": "A"})) == "too_many_rows"
    assert code_of(b"x" * (reading.MAX_BYTES + 1)) == "too_large"
    assert code_of(csv_of({str(n): "x" for n in range(101)})) == "too_many_columns"


@pytest.mark.parametrize("format_", [CSV, XLSX])
class TestWriting:
    HOSTILE = ["=1+1", "==1+1", "+32 470 12 34 56", "-1", "@SUM(A1)", "'=x", "''+x", "'", "06", ""]

    def test_is_read_back_as_it_was(self, format_):
        rows = [["x", value] for value in [*NAMES, *self.HOSTILE, "a;b", 'il dit "non"', "a\nb"]]

        content = write(format_, ["Titre", "Valeur"], rows, title="Familles")

        assert [(row + [""])[:2] for row in read(content).rows.values()] == rows

    def test_holds_no_formula(self, format_):
        signs = ["=1+1", "+1", "-1+1", "'-1", "-1,5\n", "@A1", "\t=1", "\r=1", "==2"]
        content = write(format_, ["Valeur"], [[sign] for sign in signs], title="Familles")

        if format_ == CSV:
            assert content.startswith("\ufeff".encode())  # or French Excel reads « Ã© »
            cells = content.decode("utf-8-sig").split("\r\n")[1:]
            assert all(cell.lstrip('"').startswith("'") for cell in cells if cell)
        else:
            sheet = load_workbook(io.BytesIO(content)).active
            cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
            assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}

    def test_a_negative_amount_is_read_back_as_it_was(self, format_):
        content = write(format_, ["Montant"], [["-12,50"], ["-3"]], title="Journal")

        assert list(read(content).rows.values()) == [["-12,50"], ["-3"]]
        if format_ == CSV:  # a spreadsheet adds it up
            assert content.decode("utf-8-sig").split("\r\n") == ["Montant", "-12,50", "-3", ""]

    def test_control_characters_stop_nothing(self, format_):
        assert read(write(format_, ["V"], [["a\x07b"]], title="x")).rows[2][0] in ("ab", "a\x07b")


def test_amounts_and_days_are_such_in_excel_and_french_texts_in_a_csv():
    rows = [
        [cells.amount(Decimal("-1234.50")), cells.day(dt.date(2026, 12, 31)), "0612345678"],
        [cells.amount(None), cells.day(None), "12,50"],
    ]

    sheet = load_workbook(io.BytesIO(write(XLSX, ["€", "Le", "Texte"], rows, title="Feuille")))
    csv = write(CSV, ["€", "Le", "Texte"], rows, title="Feuille").decode("utf-8-sig")

    (amount, day, text), (*empty, other) = list(sheet.active.iter_rows(min_row=2))
    assert (amount.value, amount.number_format) == (-1234.5, "#,##0.00")
    assert (day.value.date(), day.number_format) == (dt.date(2026, 12, 31), "dd/mm/yyyy")
    assert (text.value, other.value) == ("0612345678", "12,50")  # nothing is guessed from a text
    assert not any(cell.value for cell in empty)
    assert csv.splitlines()[1:] == ["-1234,50;31/12/2026;0612345678", ";;12,50"]
