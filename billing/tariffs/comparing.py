"""Two grids on the same households: how much more or less, for how many, for whom most.

Nothing is written. Bills are made and left, so that memory does not grow with the households but
for one `Difference` each.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from billing.money import ZERO
from billing.pricing.bills import Bill, PricingError
from billing.pricing.facts import Household
from billing.pricing.grids import Grid

TOP = 10  # rises shown with their lines
BOUNDS = [Decimal(each) for each in (-100, -50, -20, 0, 20, 50, 100)]  # euros

Pricer = Callable[[Grid, Household], Bill]


@dataclass(frozen=True)
class Difference:
    """What a household pays by each grid, in euros a year."""

    key: int
    before: Decimal
    after: Decimal

    @property
    def amount(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class Rise:
    """One of the largest rises, with the lines of both bills."""

    difference: Difference
    before: Bill
    after: Bill


@dataclass(frozen=True)
class Unpriced:
    """A household that one of the grids can't price, and why."""

    key: int
    message: str


@dataclass(frozen=True)
class Range:
    """Differences from `low` excluded to `high` included; both zero: unchanged. None: no limit."""

    low: Decimal | None
    high: Decimal | None
    count: int


@dataclass
class Comparison:
    differences: list[Difference] = field(default_factory=list)
    rises: list[Rise] = field(default_factory=list)  # the largest first
    unpriced: list[Unpriced] = field(default_factory=list)

    @property
    def before(self) -> Decimal:
        return sum((each.before for each in self.differences), ZERO)

    @property
    def after(self) -> Decimal:
        return sum((each.after for each in self.differences), ZERO)

    @property
    def amount(self) -> Decimal:
        return self.after - self.before

    @property
    def raised(self) -> list[Difference]:
        return [each for each in self.differences if each.amount > 0]

    @property
    def lowered(self) -> list[Difference]:
        return [each for each in self.differences if each.amount < 0]

    @property
    def unchanged(self) -> int:
        return len(self.differences) - len(self.raised) - len(self.lowered)

    @property
    def ranges(self) -> list[Range]:
        """How many households by how much, from the largest fall to the largest rise."""
        counts = Counter(_range_of(each.amount) for each in self.differences)
        return [Range(*bounds, counts[bounds]) for bounds in _RANGES]


def compare(
    before: Grid,
    after: Grid,
    households: Iterable[tuple[int, Household, Household]],
    *,
    price: Pricer,
) -> Comparison:
    """Prices each household (its key, its facts for either grid) by both."""
    comparison, largest = Comparison(), []
    for key, facts_before, facts_after in households:
        try:
            old, new = price(before, facts_before), price(after, facts_after)
        except PricingError as error:
            comparison.unpriced.append(Unpriced(key, error.message))
            continue
        difference = Difference(key, old.total, new.total)
        comparison.differences.append(difference)
        if difference.amount > 0:
            entry = (difference.amount, -len(comparison.differences), Rise(difference, old, new))
            (heapq.heappush if len(largest) < TOP else heapq.heappushpop)(largest, entry)
    comparison.rises = [rise for *_, rise in sorted(largest, reverse=True)]
    return comparison


def _ranges():
    """Falls hold their lower bound, rises their upper one, and nought stands alone."""
    negative = [bound for bound in BOUNDS if bound < 0]
    positive = [bound for bound in BOUNDS if bound > 0]
    return [
        *zip([None, *negative], [*negative, ZERO], strict=True),
        (ZERO, ZERO),
        *zip([ZERO, *positive], [*positive, None], strict=True),
    ]


_RANGES = _ranges()


def _range_of(amount):
    return next(bounds for bounds in _RANGES if _holds(*bounds, amount))


def _holds(low, high, amount):
    if low == high:
        return amount == low
    if high is not None and high <= 0:
        return (low is None or amount >= low) and amount < high
    return amount > low and (high is None or amount <= high)
