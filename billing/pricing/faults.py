"""What is wrong with a grid, said before it is published.

Forbids: what would leave a lesson without a price, with two, or with an absurd one.
Warns: what a délibération may vote, but that is more often a slip of the hand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from billing.pricing import explaining
from billing.pricing.cases import AUDIENCES, of_cases
from billing.pricing.grids import ZERO, Audience, Category, Fault, Grid, Reason
from billing.pricing.reductions import holds_rank
from families.enums import Zone


def faults(grid: Grid, zones: Iterable[str] = tuple(Zone.values)) -> list[Fault]:
    """All of them, those that forbid first; none: each case is priced exactly once.

    A case: category × zone × children or adults × rank × quotient, known or not.
    """
    found = [*_of_shape(grid), *_of_rates(grid), *_of_modifiers(grid)]
    if not found:  # else the cases would say the same in other words
        found += of_cases(grid, tuple(zones))
    return [
        *(fault for fault in found if fault.forbids),
        *(fault for fault in found if not fault.forbids),
        *_cumulated(grid),
    ]


def _of_shape(grid: Grid) -> Iterator[Fault]:
    if not grid.categories:
        yield Fault("no_category", "La grille n'a aucune catégorie de cours.")
    for code, times in Counter(category.code for category in grid.categories).items():
        if times > 1:
            yield Fault(
                "category_twice", f"La catégorie «\u00a0{code}\u00a0» est écrite {times} fois."
            )
    for category in grid.categories:
        yield from _of_category(grid, category)
    if grid.terms < 1:
        yield Fault("terms", "Les tarifs sont votés pour une période au moins.")
    if grid.months < 1:
        yield Fault("months", "L'année compte au moins un mois de cours.")
    for fee in grid.fees:
        if fee.amount < ZERO:
            yield Fault(
                "fee_amount", f"«\u00a0{fee.label}\u00a0»\u00a0: un montant n'est pas négatif."
            )


def _of_category(grid: Grid, category: Category) -> Iterator[Fault]:
    for code in sorted(category.includes):
        if code not in grid.category_of:
            yield _unknown(f"«\u00a0{category.label}\u00a0»", code)
    if category.code in _all_included(grid, category):
        yield Fault(
            "includes_itself",
            f"«\u00a0{category.label}\u00a0» finit par se comprendre elle-même\u00a0: personne ne"
            " la paierait.",
            category=category.code,
        )


def _all_included(grid, category):
    """The codes that it includes, and those that these include."""
    found, waiting = set(), list(category.includes)
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.add(code)
            waiting += grid.category_of[code].includes if code in grid.category_of else ()
    return found


def _of_rates(grid: Grid) -> Iterator[Fault]:
    for rate in grid.rates:
        where = _where(grid, rate)
        if rate.category not in grid.category_of:
            yield _unknown("Un tarif", rate.category)
        for code, message in _of_rate(rate):
            yield Fault(code, f"{where}\u00a0: {message}", category=rate.category)


def _of_rate(rate):
    if (rate.amount is None) == (rate.effort is None):
        yield "rate_amount", "il faut un montant ou un taux d'effort, et un seul des deux."
    if rate.amount is not None and rate.amount < ZERO:
        yield "rate_amount", "un montant n'est pas négatif."
    if effort := rate.effort:
        if not ZERO <= effort.percent <= 100:
            yield "rate_effort", "un taux d'effort va de 0 à 100\u00a0%."
        if not ZERO <= effort.floor <= effort.ceiling:
            yield "rate_effort", "le plancher va de zéro au plafond."
    if (band := rate.band) and None not in (band.low, band.high) and band.low >= band.high:
        yield "rate_band", "la tranche finit avant de commencer."
    if rate.rank is not None and rate.rank < 1:
        yield "rate_rank", "le premier enfant est au rang 1."


def _of_modifiers(grid: Grid) -> Iterator[Fault]:
    for modifier in grid.modifiers:
        label = f"«\u00a0{modifier.label}\u00a0»"
        for code in sorted(modifier.categories):
            if code not in grid.category_of:
                yield _unknown(label, code)
        for code, message in _of_modifier(modifier):
            yield Fault(code, f"{label}\u00a0: {message}")


def _of_modifier(modifier):
    if (modifier.amount is None) == (modifier.percent is None):
        yield "modifier_value", "il faut un pourcentage ou un montant, et un seul des deux."
    if modifier.percent is not None and not ZERO <= modifier.percent <= 100:
        yield "modifier_value", "une réduction va de 0 à 100\u00a0%."
    if modifier.amount is not None and modifier.amount < ZERO:
        yield "modifier_value", "une réduction n'est pas négative."
    if modifier.reason == Reason.RANK and modifier.from_rank < 1:
        yield "modifier_ranks", "le premier enfant est au rang 1."
    if modifier.to_rank is not None and modifier.to_rank < modifier.from_rank:
        yield "modifier_ranks", "le dernier rang vient avant le premier."
    if modifier.reason == Reason.SITUATION and not modifier.codes:
        yield "modifier_codes", "il faut dire quelles situations y donnent droit."


def _cumulated(grid: Grid) -> Iterator[Fault]:
    """« À partir du 2e » and « à partir du 3e » both serve the third child: perhaps not meant."""
    ranked = [modifier for modifier in grid.modifiers if modifier.reason == Reason.RANK]
    for modifier, other in combinations(ranked, 2):
        apart = (
            modifier.categories
            and other.categories
            and modifier.categories.isdisjoint(other.categories)
        )
        if not apart and _share_a_rank(modifier, other):
            yield Fault(
                "ranks_add_up",
                f"«\u00a0{modifier.label}\u00a0» et «\u00a0{other.label}\u00a0» s'ajoutent pour un"
                " même enfant.",
                forbids=False,
            )


def _share_a_rank(modifier, other):
    return holds_rank(modifier, other.from_rank) or holds_rank(other, modifier.from_rank)


def _where(grid, rate):
    category = grid.category_of.get(rate.category)
    words = [category.label if category else rate.category, explaining.zone(rate.zone)]
    if rate.audience != Audience.ALL:
        words.append(AUDIENCES[rate.audience == Audience.ADULT])
    if rate.rank is not None:
        words.append(f"rang {rate.rank}")
    return ", ".join(words)


def _unknown(who, code):
    return Fault(
        "category_unknown",
        f"{who}\u00a0: la catégorie «\u00a0{code}\u00a0» n'est pas dans la grille.",
        category=code,
    )
