"""`make bench-pricing`: prices a large town's households by each grid of the tests.

Ends with 1 if one of them takes more than LIMIT seconds: a run of invoices waits for it.
"""

import random
import sys
import time

from bench.environment import say  # isort: skip  # it starts Django

import datetime as dt
from decimal import Decimal

from billing.pricing.engine import price
from billing.pricing.facts import Household, Lesson, Pupil, Quotient
from billing.pricing.grids import Grid
from families.enums import Zone
from tests.billing.pricing.shapes import SHAPES

HOUSEHOLDS = 20_000
LIMIT = 30  # seconds
CHILDREN, LESSONS = [1, 1, 1, 2, 2, 3], [1, 2, 2, 3]


def main() -> int:
    slowest = 0.0
    for name, grid in SHAPES.items():
        chance = random.Random(6)
        households = [_household(grid, chance) for _ in range(HOUSEHOLDS)]
        start = time.perf_counter()
        lines = sum(len(price(grid, household).lines) for household in households)
        taken = time.perf_counter() - start
        slowest = max(slowest, taken)
        say(f"{name:<12} {HOUSEHOLDS} foyers, {lines} lignes : {taken:5.1f} s")
    say(f"le plus lent : {slowest:.1f} s (limite : {LIMIT} s)")
    return slowest > LIMIT


def _household(grid: Grid, chance: random.Random) -> Household:
    pupils = tuple(_pupil(number, grid, chance) for number in range(chance.choice(CHILDREN)))
    quotient = Quotient(Decimal(chance.randrange(200, 4000)), dt.date(2026, 5, 1))
    lacking = ("l'attestation CAF",) if chance.random() < 0.1 else ()
    return Household(chance.choice(Zone.values), quotient, pupils, lacking)


def _pupil(number: int, grid: Grid, chance: random.Random) -> Pupil:
    lessons = tuple(
        Lesson(place, f"Cours {place}", chance.choice(grid.categories).code)
        for place in range(chance.choice(LESSONS))
    )
    born_on = dt.date(chance.randrange(2008, 2020), 1, 1)
    share = Decimal("0.5") if chance.random() < 0.1 else Decimal(1)
    return Pupil(number, f"Élève {number}", born_on, False, lessons, share=share)


if __name__ == "__main__":
    sys.exit(main())
