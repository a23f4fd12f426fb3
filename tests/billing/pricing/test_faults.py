from dataclasses import replace
from decimal import Decimal

import pytest

from billing.pricing.faults import faults
from billing.pricing.grids import (
    Audience,
    Band,
    Category,
    Effort,
    Fee,
    Grid,
    Modifier,
    Rate,
    Reason,
)
from families.enums import Zone
from tests.billing.pricing.shapes import LE_PUY, OVER_1000, RAMBOUILLET, TO_1000, UNDER_600

CURSUS = Category("cursus", "Cursus")
TEN_OFF = {"label": "Réduction", "percent": Decimal(10)}
GOOD = Grid(label="Essai", categories=(CURSUS,), rates=(Rate("cursus", amount=Decimal(603)),))


def with_rates(*rates):
    return replace(GOOD, rates=tuple(Rate("cursus", **rate) for rate in rates))


def with_modifier(reason=Reason.RANK, **values):
    return replace(GOOD, modifiers=(Modifier(reason, **{**TEN_OFF, **values}),))


def with_effort(percent=16, floor=190, ceiling=600):
    return with_rates({"effort": Effort(Decimal(percent), Decimal(floor), Decimal(ceiling))})


def test_a_good_grid_has_none():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("grid", "code", "message"),
    [
        (
            replace(GOOD, categories=(), rates=()),
            "no_category",
            "La grille n'a aucune catégorie de cours.",
        ),
        (
            replace(GOOD, categories=(CURSUS, CURSUS)),
            "category_twice",
            "La catégorie «\u00a0cursus\u00a0» est écrite 2 fois.",
        ),
        (
            replace(GOOD, categories=(replace(CURSUS, includes=frozenset({"x"})),)),
            "category_unknown",
            "«\u00a0Cursus\u00a0»\u00a0: la catégorie «\u00a0x\u00a0» n'est pas dans la grille.",
        ),
        (
            replace(GOOD, rates=(*GOOD.rates, Rate("x", amount=Decimal(1)))),
            "category_unknown",
            "Un tarif\u00a0: la catégorie «\u00a0x\u00a0» n'est pas dans la grille.",
        ),
        (
            with_modifier(categories=frozenset({"x"})),
            "category_unknown",
            "«\u00a0Réduction\u00a0»\u00a0: la catégorie «\u00a0x\u00a0» n'est pas dans la grille.",
        ),
        (
            replace(GOOD, categories=(replace(CURSUS, includes=frozenset({"cursus"})),)),
            "includes_itself",
            "«\u00a0Cursus\u00a0» finit par se comprendre elle-même\u00a0: personne ne la"
            " paierait.",
        ),
        (
            with_rates({}),
            "rate_amount",
            "Cursus, Tarif général\u00a0: il faut un montant ou un taux d'effort, et un seul des"
            " deux.",
        ),
        (
            with_rates({"zone": Zone.RESIDENT, "amount": Decimal(-1), "rank": 2}),
            "rate_amount",
            "Cursus, Tarif résident, rang 2\u00a0: un montant n'est pas négatif.",
        ),
        (
            with_effort(percent=101),
            "rate_effort",
            "Cursus, Tarif général\u00a0: un taux d'effort va de 0 à 100\u00a0%.",
        ),
        (
            with_effort(floor=601),
            "rate_effort",
            "Cursus, Tarif général\u00a0: le plancher va de zéro au plafond.",
        ),
        (
            with_rates({"band": Band(Decimal(600), Decimal(600)), "amount": Decimal(1)}),
            "rate_band",
            "Cursus, Tarif général\u00a0: la tranche finit avant de commencer.",
        ),
        (
            with_rates({"rank": 0, "audience": Audience.ADULT, "amount": Decimal(1)}),
            "rate_rank",
            "Cursus, Tarif général, adultes, rang 0\u00a0: le premier enfant est au rang 1.",
        ),
        (
            with_modifier(amount=Decimal(3)),
            "modifier_value",
            "«\u00a0Réduction\u00a0»\u00a0: il faut un pourcentage ou un montant, et un seul des"
            " deux.",
        ),
        (
            with_modifier(percent=Decimal(101)),
            "modifier_value",
            "«\u00a0Réduction\u00a0»\u00a0: une réduction va de 0 à 100\u00a0%.",
        ),
        (
            with_modifier(percent=None, amount=Decimal(-1)),
            "modifier_value",
            "«\u00a0Réduction\u00a0»\u00a0: une réduction n'est pas négative.",
        ),
        (
            with_modifier(from_rank=0),
            "modifier_ranks",
            "«\u00a0Réduction\u00a0»\u00a0: le premier enfant est au rang 1.",
        ),
        (
            with_modifier(from_rank=3, to_rank=2),
            "modifier_ranks",
            "«\u00a0Réduction\u00a0»\u00a0: le dernier rang vient avant le premier.",
        ),
        (
            with_modifier(Reason.SITUATION),
            "modifier_codes",
            "«\u00a0Réduction\u00a0»\u00a0: il faut dire quelles situations y donnent droit.",
        ),
        (
            replace(GOOD, fees=(Fee("Frais", Decimal(-1)),)),
            "fee_amount",
            "«\u00a0Frais\u00a0»\u00a0: un montant n'est pas négatif.",
        ),
        (replace(GOOD, terms=0), "terms", "Les tarifs sont votés pour une période au moins."),
        (replace(GOOD, months=0), "months", "L'année compte au moins un mois de cours."),
    ],
)
def test_a_fault_of_shape_forbids(grid, code, message):
    assert [(fault.code, fault.message, fault.forbids) for fault in faults(grid)] == [
        (code, message, True)
    ]


def test_a_circle_of_categories_forbids():
    circle = (replace(CURSUS, includes=frozenset({"b"})), Category("b", "B", frozenset({"cursus"})))

    assert [fault.code for fault in faults(replace(GOOD, categories=circle))] == (
        ["includes_itself"] * 2
    )


def test_a_gap_between_two_bands_forbids():
    bands = [{"band": band, "amount": Decimal(90)} for band in (UNDER_600, OVER_1000)]

    found = faults(with_rates(*bands), zones=[Zone.RESIDENT])

    assert [(fault.code, fault.message, fault.forbids) for fault in found] == [
        (
            "no_rate",
            f"Cursus, Tarif résident, {who}, QF de 600,00\u00a0€ à moins de 1\u202f000,00\u00a0€"
            "\u00a0: aucun tarif.",
            True,
        )
        for who in ("enfants", "adultes")
    ]


def test_two_bands_that_overlap_forbid():
    high = Band(Decimal(900), None)
    bands = [{"band": band, "amount": Decimal(90)} for band in (UNDER_600, TO_1000, high)]

    found = faults(with_rates(*bands), zones=[Zone.RESIDENT])

    assert [fault.code for fault in found] == ["several_rates"] * 2
    assert found[0].message == (
        "Cursus, Tarif résident, enfants, QF de 900,00\u00a0€ à moins de 1\u202f000,00\u00a0€"
        "\u00a0: 2 tarifs conviennent à la fois."
    )


def test_a_zone_without_a_rate_forbids_unless_no_commune_is_there():
    rates = [rate for rate in RAMBOUILLET.rates if rate.zone != Zone.CONVENTIONED]
    town = replace(RAMBOUILLET, rates=tuple(rates))

    assert {(fault.code, fault.category) for fault in faults(town)} == {
        ("no_rate", "cursus"),
        ("no_rate", "collective"),
    }
    assert faults(town, zones=[Zone.RESIDENT, Zone.OUTSIDE]) == []


def test_quotients_above_the_last_band_are_a_gap():
    found = faults(with_rates({"band": UNDER_600, "amount": Decimal(90)}), zones=[Zone.OUTSIDE])

    assert found[0].message == (
        "Cursus, Tarif hors territoire, enfants, QF de 600,00\u00a0€ et plus\u00a0: aucun tarif."
    )


def test_a_category_that_adults_or_nobody_may_follow_is_a_warning():
    rates = (*GOOD.rates, Rate("b", None, Audience.CHILD, amount=Decimal(1)))
    others = (Category("b", "Éveil"), Category("c", "Formation musicale"))

    found = faults(replace(GOOD, categories=(CURSUS, *others), rates=rates))

    assert [(fault.code, fault.message, fault.forbids) for fault in found] == [
        ("not_priced", "Éveil\u00a0: aucun tarif pour les adultes.", False),
        ("not_priced", "Formation musicale\u00a0: aucun tarif pour les enfants.", False),
        ("not_priced", "Formation musicale\u00a0: aucun tarif pour les adultes.", False),
    ]


def test_a_rank_without_a_rate_forbids():
    grid = replace(LE_PUY, rates=(LE_PUY.rates[0], LE_PUY.rates[2]))

    found = faults(grid, zones=[Zone.OUTSIDE])

    assert [fault.message for fault in found] == [
        f"Cursus, Tarif hors territoire, {who}, rang 2\u00a0: aucun tarif."
        for who in ("enfants", "adultes")
    ]


def test_a_poorer_family_that_pays_more_is_a_warning():
    bands = zip([UNDER_600, TO_1000, OVER_1000], [75, 105, 90], strict=True)
    rates = [{"band": band, "amount": Decimal(amount)} for band, amount in bands]

    found = faults(with_rates(*rates), zones=[Zone.RESIDENT])

    assert [(fault.code, fault.forbids) for fault in found] == [("dearer_when_poorer", False)] * 2
    assert found[0].message == (
        "Cursus, Tarif résident, enfants\u00a0: un quotient juste au-dessous de"
        " 1\u202f000,00\u00a0€ paie plus (105,00\u00a0€) qu'au-dessus (90,00\u00a0€)."
    )


def test_an_effort_followed_by_a_cheaper_one_is_a_warning():
    rates = [
        {"band": Band(None, Decimal(2000)), "effort": Effort(*map(Decimal, (16, 0, 600)))},
        {"band": Band(Decimal(2000), None), "amount": Decimal(300)},
    ]

    found = faults(with_rates(*rates), zones=[Zone.RESIDENT])

    assert [fault.code for fault in found] == ["dearer_when_poorer"] * 2
    assert "(320,00\u00a0€) qu'au-dessus (300,00\u00a0€)" in found[0].message


def test_a_next_child_who_pays_more_is_a_warning():
    rates = [{"rank": rank, "amount": Decimal(amount)} for rank, amount in [(1, 500), (2, 600)]]

    found = faults(with_rates(*rates), zones=[Zone.RESIDENT])

    assert [(fault.code, fault.forbids) for fault in found] == (
        [("dearer_for_next_child", False)] * 2
    )


def test_a_resident_who_pays_more_is_a_warning():
    zones = [(Zone.RESIDENT, 909), (Zone.CONVENTIONED, 909), (Zone.OUTSIDE, 603)]

    found = faults(with_rates(*({"zone": zone, "amount": Decimal(sum)} for zone, sum in zones)))

    assert [(fault.code, fault.forbids) for fault in found] == [("dearer_for_residents", False)] * 2


def test_two_reductions_of_the_same_rank_are_a_warning():
    second = Modifier(Reason.RANK, "2e enfant et suivants", percent=Decimal(10))
    third = Modifier(Reason.RANK, "3e enfant", percent=Decimal(20), from_rank=3)

    assert [
        (fault.code, fault.message, fault.forbids)
        for fault in faults(replace(GOOD, modifiers=(second, third)))
    ] == [
        (
            "ranks_add_up",
            "«\u00a02e enfant et suivants\u00a0» et «\u00a03e enfant\u00a0» s'ajoutent pour un même"
            " enfant.",
            False,
        )
    ]
    assert faults(replace(GOOD, modifiers=(replace(second, to_rank=2), third))) == []


def test_those_that_forbid_come_first():
    bands = zip([TO_1000, OVER_1000], [105, 90], strict=True)
    rates = [{"band": band, "amount": Decimal(amount)} for band, amount in bands]

    assert [fault.forbids for fault in faults(with_rates(*rates), zones=[Zone.RESIDENT])] == [
        *[True, True],
        *[False, False],
    ]
