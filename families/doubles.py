"""The same person, or the same household, probably entered twice."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, F
from django.db.models.functions import Lower

from accounts.models import User
from families.absorbing import kept_apart
from families.models import Guardian
from families.selectors import families_of

REASONS = {
    "même nom": F("sort_name"),
    "même adresse e-mail": Lower("email"),
    "même téléphone portable": F("mobile_phone"),
    "même téléphone fixe": F("home_phone"),
}
SAME_NAME = "même nom"


@dataclass
class Double:
    """Two responsables of one household, or of two: then it is the households that are doubles."""

    one: Guardian
    other: Guardian
    reasons: dict[str, None] = field(default_factory=dict)  # in order, each once

    @property
    def is_household(self) -> bool:
        return self.one.family_id != self.other.family_id


def likely_doubles(*, reader: User) -> list[Double]:
    """Those of an agent's sites, the likeliest first.

    Five queries at most, and one for what the apps keep apart. In one household a couple shares
    its phone and often its address: there the name alone counts. Two households of one child in
    alternating custody are never proposed.
    """
    guardians = Guardian.objects.filter(family__in=families_of(reader).values("pk"))
    found = {}
    for reason, key in REASONS.items():
        for group in _sharing(key, guardians):
            first, *others = group
            for other in others:
                if first.family_id == other.family_id and reason != SAME_NAME:
                    continue
                double = found.setdefault(_key(first, other), Double(first, other))
                double.reasons[reason] = None
    apart = kept_apart({key for pair in found for kind, key in pair if kind == "family"})
    doubles = [
        double
        for double in found.values()
        if frozenset({double.one.family_id, double.other.family_id}) not in apart
    ]
    return sorted(doubles, key=lambda each: (-len(each.reasons), each.one.sort_name, each.one.pk))


def _sharing(key, guardians):
    """Lists of the responsables, the oldest row first, who have the same value."""
    rows = guardians.annotate(value=key).exclude(value="")
    shared = rows.order_by().values("value").annotate(count=Count("pk")).filter(count__gt=1)
    groups = defaultdict(list)
    for guardian in (
        rows.filter(value__in=shared.values("value"))
        .select_related("family__commune", "user")
        .order_by("pk")
    ):
        groups[guardian.value].append(guardian)
    return groups.values()


def _key(one, other):
    """Two households are one line, whatever number of their responsables are alike."""
    if one.family_id != other.family_id:
        return frozenset({("family", one.family_id), ("family", other.family_id)})
    return frozenset({("guardian", one.pk), ("guardian", other.pk)})
