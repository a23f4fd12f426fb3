from billing.tariffs.tables import Cell, tables_of
from tests.factories import TariffCategoryFactory, TariffGridFactory, TariffRateFactory


def shown(table):
    return [
        (for_whom, [cell.rate and (cell.rate.amount, cell.span) for cell in cells])
        for for_whom, cells in table.rows
    ]


def test_quotients_stand_across_and_zones_down(establishment):
    grid = TariffGridFactory()
    for zone, low, high, amount in [
        ("outside", None, None, 909),
        ("resident", 1000, None, 603),
        ("resident", None, 600, 186),
        ("resident", 600, 1000, 312),
        ("conventioned", None, 600, 234),
    ]:
        TariffRateFactory(grid=grid, zone=zone, band_low=low, band_high=high, amount=amount)

    [table] = tables_of(grid)

    assert table.bands == [
        "QF de moins de 600",
        "QF de 600 à moins de 1\u202f000",
        "QF de 1\u202f000 et plus",
    ]
    assert shown(table) == [
        ("commune du conservatoire", [(186, 1), (312, 1), (603, 1)]),
        ("commune conventionnée", [(234, 1), None, None]),
        ("hors territoire", [(909, 3)]),
    ]


def test_a_case_priced_twice_shows_both(establishment):
    grid = TariffGridFactory()
    TariffRateFactory(grid=grid, amount=1)
    TariffRateFactory(grid=grid, amount=2, band_high=600)

    [table] = tables_of(grid)

    assert shown(table) == [("tous", [(2, 1), (1, 1)])]


def test_a_category_without_rate_is_shown_to_who_may_type_it(establishment):
    grid = TariffGridFactory()
    rate = TariffRateFactory(grid=grid)
    TariffCategoryFactory(code="danse", position=2)

    assert [table.category.code for table in tables_of(grid)] == ["cursus"]
    full, empty = tables_of(grid, with_empty=True)
    assert full.rows == [("tous", [Cell(rate)])]
    assert (full.bands, empty.rows) == (["Tous les quotients"], [])
