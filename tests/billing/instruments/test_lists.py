"""The park in and out of a spreadsheet."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import CSV, XLSX
from billing.instruments.enums import Condition
from billing.instruments.lists import InstrumentList, RentalList
from billing.models import Instrument
from tests.factories import (
    EstablishmentFactory,
    InstrumentFactory,
    InstrumentKindFactory,
    RentalFactory,
)
from tests.lists import check, import_file, import_rows, refusals

ROW = {"Établissement": "Conservatoire", "Numéro d'inventaire": "V-012", "Genre": "violon"}


@pytest.fixture(autouse=True)
def _violin(db):
    InstrumentKindFactory(name="Violon")


def test_created_then_unchanged(accountant):
    row = ROW | {
        **{"Taille": "3/4", "Marque": "Stentor", "Modèle": "Student II"},
        **{"Numéro de série": "184 220", "État": "usagé", "Valeur (€)": "1 234,50 €"},
        **{"Acheté le": "31/08/2021", "Notes": "Archet remplacé."},
    }

    assert import_rows(InstrumentList, accountant, row) == (1, 0, 0)
    assert import_rows(InstrumentList, accountant, row) == (0, 0, 1)

    instrument = Instrument.objects.get()
    assert str(instrument) == "Violon 3/4 Stentor Student II (V-012)"
    assert (instrument.value, instrument.bought_on) == (Decimal("1234.50"), dt.date(2021, 8, 31))
    assert (instrument.condition, instrument.sort_name) == (
        Condition.WORN,
        "v-012 stentor student ii 184 220",
    )


def test_found_again_by_its_inventory_number(accountant):
    instrument = InstrumentFactory(inventory_number="V-012", size="1/2")

    assert import_rows(InstrumentList, accountant, ROW | {"Taille": "3/4"}) == (0, 1, 0)

    instrument.refresh_from_db()
    assert instrument.size == "3/4"


@pytest.mark.parametrize("value", ["1234.5", 1234.5, "1234,50"])
def test_amounts_as_people_write_them(accountant, value):
    (line,) = check(InstrumentList, accountant, ROW | {"Valeur (€)": value}).created

    assert line.row.value == Decimal("1234.50")


@pytest.mark.parametrize(
    ("cells", "header"),
    [
        ({"Genre": "Ocarina"}, "Genre"),
        ({"Valeur (€)": "-3"}, "Valeur (€)"),
        ({"Valeur (€)": "cher"}, "Valeur (€)"),
        ({"État": "moyen"}, "État"),
        ({"Acheté le": "31/02/2021"}, "Acheté le"),
        ({"Établissement": "Ailleurs"}, "Établissement"),
    ],
)
def test_refuses_by_the_column_at_fault(accountant, cells, header):
    assert [each[1] for each in refusals(InstrumentList, accountant, ROW | cells)] == [header]


def test_what_is_exported_is_read_back(accountant):
    InstrumentFactory(inventory_number="V-012", value=Decimal("1234.50"), notes="=1+1")

    for format_ in (CSV, XLSX):
        list_ = InstrumentList(accountant)
        content, count = list_.file_of(list_.rows(), format_)
        assert count == 1
        done = import_file(InstrumentList, accountant, content)
        assert (done.created, done.changed, done.unchanged) == (0, 0, 1)


def test_of_ones_own_establishments(accountant, django_assert_max_num_queries):
    InstrumentFactory.create_batch(3)
    InstrumentFactory(establishment=EstablishmentFactory(name="Annexe"))
    list_ = InstrumentList(accountant)

    with django_assert_max_num_queries(3):
        _, count = list_.file_of(list_.rows(), CSV)

    assert count == 3


def test_the_rentals_go_out(accountant, django_assert_max_num_queries):
    rental = RentalFactory(insured=True)
    RentalFactory(instrument__establishment=EstablishmentFactory(name="Annexe"))
    list_ = RentalList(accountant)

    with django_assert_max_num_queries(1):
        content, count = list_.file_of(list_.rows(), CSV)

    sheet = read(content)
    [cells] = sheet.rows.values()
    told = dict(zip(sheet.headers, cells, strict=False))
    assert count == 1
    assert (told["Élève"], told["État"]) == (str(rental.student), "réservée")
    assert (told["Dépôt (€)"], told["État du dépôt"]) == ("200,00", "à recevoir")
    assert not RentalList.can_import
