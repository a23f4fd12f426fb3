"""Four real grids, from the pages that the towns publish (domain.md, Tariffs: « real shapes »).

A town publishes « territoire » and « hors territoire »: a conventioned commune is outside here.
"""

import datetime as dt
from decimal import Decimal

from billing.pricing.facts import Household, Lesson, Pupil, Quotient
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

COLLECTIVE = frozenset({"collective"})
OUTSIDE = [Zone.CONVENTIONED, Zone.OUTSIDE]
UNDER_600, TO_1000 = Band(None, Decimal(600)), Band(Decimal(600), Decimal(1000))
OVER_1000 = Band(Decimal(1000), None)


def _each_zone(category, resident, outside, audience=Audience.ALL):
    """Two amounts, as published."""
    return [
        Rate(category, Zone.RESIDENT, audience, amount=Decimal(resident)),
        *(Rate(category, zone, audience, amount=Decimal(outside)) for zone in OUTSIDE),
    ]


RAMBOUILLET = Grid(
    label="Rambouillet 2025-2026",
    categories=(
        Category(
            "cursus", "Instrument, formation musicale et pratique collective", COLLECTIVE, once=True
        ),
        Category("collective", "Pratique collective seule"),
    ),
    rates=(
        *_each_zone("cursus", 603, 909, Audience.CHILD),
        *_each_zone("cursus", 684, 1044, Audience.ADULT),
        *_each_zone("collective", 108, 117),
    ),
    fees=(Fee("Frais de dossier", Decimal(38)),),
)


def _unieux(category, bands, outside, adults):
    return [
        *(
            Rate(category, Zone.RESIDENT, Audience.CHILD, band, amount=Decimal(amount))
            for band, amount in zip([UNDER_600, TO_1000, OVER_1000], bands, strict=True)
        ),
        *(Rate(category, zone, Audience.CHILD, amount=Decimal(outside)) for zone in OUTSIDE),
        Rate(category, None, Audience.ADULT, amount=Decimal(adults)),
    ]


UNIEUX = Grid(
    label="Unieux 2025-2026",
    categories=(Category("30min", "Cours de 30 minutes"), Category("45min", "Cours de 45 minutes")),
    rates=(*_unieux("30min", [75, 90, 105], 140, 140), *_unieux("45min", [84, 100, 115], 155, 155)),
    fees=(Fee("Adhésion", Decimal(20)),),
    terms=3,
    top_within_zone=True,
)

GPSO = Grid(
    label="Grand Paris Seine Ouest 2020-2021",
    categories=(
        Category("6.4", "Éveil"),
        Category("9.6", "Pratique seule"),
        Category("16", "Cursus"),
    ),
    rates=tuple(
        Rate(category, effort=Effort(Decimal(category), Decimal(floor), Decimal(ceiling)))
        for category, floor, ceiling in [("6.4", 76, 285), ("9.6", 114, 440), ("16", 190, 600)]
    ),
    modifiers=(
        Modifier(Reason.RANK, "2e enfant", percent=Decimal(10), from_rank=2, to_rank=2),
        Modifier(Reason.RANK, "3e enfant et suivants", percent=Decimal(20), from_rank=3),
    ),
)

LE_PUY = Grid(
    label="Le Puy-en-Velay 2024",
    categories=(Category("cursus", "Cursus"),),
    rates=tuple(
        Rate("cursus", rank=rank, amount=Decimal(amount))
        for rank, amount in enumerate([746, 593, 443, 184], 1)
    ),
)

SHAPES = {"Rambouillet": RAMBOUILLET, "Unieux": UNIEUX, "GPSO": GPSO, "Le Puy": LE_PUY}


def lesson(category, key="l1", label="Piano", **kwargs):
    return Lesson(key, label, category, **kwargs)


def pupil(*lessons, key="p1", name="Léa", born_on=dt.date(2014, 3, 1), is_adult=False, **kwargs):
    return Pupil(key, name, born_on, is_adult, lessons, **kwargs)


def household(*pupils, zone=Zone.RESIDENT, quotient=743, **kwargs):
    """A resident family; `quotient` in euros, of May 2026, or None."""
    known = None if quotient is None else Quotient(Decimal(quotient), dt.date(2026, 5, 1))
    return Household(zone, known, pupils, **kwargs)
