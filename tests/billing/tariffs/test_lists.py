"""The rates of a grid, in and out of a spreadsheet."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.spreadsheets import services
from accounts.spreadsheets.reading import read
from accounts.spreadsheets.writing import write
from billing.models import TariffGrid, TariffRate
from billing.tariffs import publishing
from billing.tariffs.lists import TariffRateList
from tests.billing.tariffs.making import make_draft
from tests.factories import (
    EstablishmentFactory,
    SchoolYearFactory,
    TariffCategoryFactory,
    TariffGridFactory,
    TariffRateFactory,
)

HEADERS = [column.column_name for column in TariffRateList.fields.values()]
CASE = {"Établissement": "Conservatoire", "Grille": "Tarifs", "Catégorie": "cursus"}


@pytest.fixture
def grid(establishment):
    TariffCategoryFactory()
    return TariffGridFactory(label="Tarifs")


def row(grid, **cells):
    year = {"Année scolaire": str(grid.school_year)}
    named = {name.replace("_", " "): cell for name, cell in cells.items()}
    return [{**CASE, **year, **named}.get(header, "") for header in HEADERS]


def check(actor, *rows, format_="csv"):
    return TariffRateList(actor).check(read(write(format_, HEADERS, rows, title="Tarifs")))


def refusals(report):
    return [(each.header, each.message) for line in report.refused for each in line.refusals]


def carry_out(actor, content):
    list_ = TariffRateList(actor)
    received = services.receive(list_, "tarifs.csv", content)
    report = list_.check(services.sheet_of(received))
    return services.carry_out(received, list_, fingerprint=report.fingerprint)


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_file_fills_a_draft_and_comes_out_the_same(grid, accountant, format_):
    rows = [
        row(grid, Zone="hors territoire", Montant="909"),
        row(grid, Zone="resident", Public="adultes", Montant="1 684,50 €"),
        row(
            grid,
            Zone="commune du conservatoire",
            Public="enfants",
            **{"QF jusqu'à": "600", "Taux d'effort": "6,4", "Plancher": "76", "Plafond": "285"},
        ),
    ]

    done = carry_out(accountant, write(format_, HEADERS, rows, title="Tarifs"))

    assert (done.created, done.changed) == (3, 0)
    effort, adult, outside = TariffRate.objects.all()
    assert (outside.zone, outside.audience, outside.amount) == ("outside", "all", 909)
    assert (adult.zone, adult.audience, adult.amount) == ("resident", "adult", Decimal("1684.50"))
    assert (effort.effort_percent, effort.effort_floor, effort.effort_ceiling) == (
        *(Decimal("6.40"), 76, 285),
    )
    list_ = TariffRateList(accountant)
    content, count = list_.file_of(list_.rows(), format_)
    report = TariffRateList(accountant).check(read(content))
    assert (count, len(report.unchanged)) == (3, 3)


def test_a_case_already_there_takes_the_new_amount(grid, accountant):
    rate = TariffRateFactory(grid=grid, zone="resident", band_low=600, rank=2)

    report = check(
        accountant,
        row(
            grid,
            Zone="commune du conservatoire",
            Montant="612",
            **{"QF à partir de": "600,00", "Rang de l'élève": "2"},
        ),
    )

    [line] = report.changed
    assert line.row == rate
    assert [(each.header, each.before, each.after) for each in line.changes] == [
        ("Montant", "603,00", "612,00")
    ]


@pytest.mark.parametrize(
    ("cells", "header", "message"),
    [
        ({"Grille": "Autre"}, "Grille", "Aucune grille de ce nom"),
        ({"Catégorie": "poney"}, "Catégorie", "Cette catégorie est inconnue"),
        ({"Zone": "lune"}, "Zone", "Écrivez «\u00a0commune du conservatoire\u00a0»"),
        ({"Montant": "six cents"}, "Montant", "Écrivez un nombre"),
        ({"Montant": "1,234"}, "Montant", "Écrivez un nombre"),
        ({"Montant": "-1"}, "Montant", "Écrivez un nombre de 0 à"),
        ({"Montant": ""}, "Montant", "Donnez un montant"),
        ({"Plancher": "12"}, "Montant", "Un montant ou un taux d'effort"),
        ({"QF à partir de": "600", "QF jusqu'à": "500"}, "QF jusqu'à", "La tranche de quotient"),
    ],
)
def test_an_error_is_told_beside_its_cell(grid, accountant, cells, header, message):
    report = check(accountant, row(grid, **{"Montant": "603", **cells}))

    [(found, said)] = refusals(report)
    assert found == header
    assert said.startswith(message)


def test_a_case_given_twice_is_told(grid, accountant):
    report = check(accountant, row(grid, Montant="1"), row(grid, Montant="2"))

    [(_, said)] = refusals(report)
    assert said.startswith("Déjà donné à la ligne 2")


def test_a_published_grid_is_not_touched_and_may_stand_unchanged_in_the_file(grid, director):
    TariffRateFactory(grid=grid)
    publishing.publish(grid, actor=director)

    report = check(
        director, row(grid, Montant="603,00"), row(grid, Zone="hors territoire", Montant="1")
    )

    assert len(report.unchanged) == 1
    assert refusals(report) == [("Grille", "Cette grille est publiée\u00a0: elle ne change plus.")]


def test_a_grid_published_since_the_check_takes_nothing(grid, accountant, director):
    TariffRateFactory(grid=grid)
    list_ = TariffRateList(accountant)
    report = check(accountant, row(grid, Montant="700"))
    publishing.publish(grid, actor=director)

    with pytest.raises(ValidationError) as caught:
        list_.lock(report)

    assert caught.value.code == "changed"


def test_the_grids_of_another_site_are_unknown(grid, accountant):
    annexe = EstablishmentFactory(name="Annexe")
    other = TariffGridFactory(establishment=annexe, label="Tarifs", school_year=grid.school_year)

    report = check(accountant, row(grid, Montant="1", Établissement="Annexe"))

    assert [header for header, _ in refusals(report)] == ["Grille"]
    assert not other.rates.exists()


@pytest.mark.parametrize("count", [1, 30])
def test_the_queries_do_not_grow_with_the_file(
    grid, accountant, count, django_assert_max_num_queries
):
    rows = [
        row(grid, Montant="1", **{"Rang de l'élève": "", "QF à partir de": str(low)})
        for low in range(count)
    ]

    with django_assert_max_num_queries(6):
        report = check(accountant, *rows)

    assert len(report.created) == count


def test_the_export_is_that_of_the_grid_shown(client, accountant, establishment):
    wanted, other = make_draft(), make_draft(school_year=SchoolYearFactory(offset=1))
    client.force_login(accountant)

    page = client.get(f"/admin/listes/tarifs/exporter/?grille={wanted.pk}&site=tous")

    assert (page.context["count"], page.context["total"]) == (1, 2)
    assert TariffGrid.objects.filter(pk=other.pk).exists()
