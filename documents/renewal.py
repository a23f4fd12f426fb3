"""« Reconduire » the pieces asked for: each rule chosen is made anew for the year after its own.

What that year asks for already is left as it is, so that it may be played again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Establishment
from documents.models import PieceRule
from students.models import SchoolYear


@dataclass(frozen=True)
class Renewal:
    rule: PieceRule
    school_year: SchoolYear  # the one that it is made for


@dataclass(frozen=True)
class Plan:
    to_make: list[Renewal] = field(default_factory=list)
    existing: list[Renewal] = field(default_factory=list)  # asked for in that year already
    without_year: list[PieceRule] = field(default_factory=list)  # nobody has made the year after


def plan_of(rules: Iterable[PieceRule]) -> Plan:
    """The dry run: nothing is written. Three queries, however many the rules."""
    following = _following_years()
    plan = Plan()
    rules = list(rules)
    known = set(
        PieceRule.objects.filter(establishment__in={rule.establishment_id for rule in rules})
        .order_by()
        .values_list("establishment", "school_year", "document_type")
    )
    for rule in rules:
        year = following[rule.school_year_id]
        if year is None:
            plan.without_year.append(rule)
        elif (rule.establishment_id, year.pk, rule.document_type_id) in known:
            plan.existing.append(Renewal(rule, year))
        else:
            plan.to_make.append(Renewal(rule, year))
    return plan


@transaction.atomic
def renew(rules: Iterable[PieceRule], *, expected: int) -> list[PieceRule]:
    """Makes what `plan_of` announces, communes included, and gives the rules made.

    `expected` is the number that the page announced. Raises ValidationError: `changed` when there
    are more or fewer to make now (a colleague has just done it), `nothing`.
    """
    rules = list(rules)
    # The sites' rows, in one order: two agents take turns.
    sites = Establishment.objects.filter(pk__in={rule.establishment_id for rule in rules})
    list(sites.order_by("pk").select_for_update())
    plan = plan_of(rules)
    if len(plan.to_make) != expected:
        raise ValidationError(
            f"La page annonçait {expected} pièces à reconduire, il en reste {len(plan.to_make)}"
            "\u00a0: recommencez.",
            code="changed",
        )
    if not plan.to_make:
        raise ValidationError("Il n'y a rien à reconduire.", code="nothing")
    made = PieceRule.objects.bulk_create(_copy(renewal) for renewal in plan.to_make)
    _copy_communes({r.rule.pk: rule for r, rule in zip(plan.to_make, made, strict=True)})
    return made


def _following_years():
    """By key, the year after each, None for the last."""
    years = list(SchoolYear.objects.order_by("starts_on"))
    return {year.pk: after for year, after in zip(years, [*years[1:], None], strict=True)}


def _copy(renewal):
    fields = [f for f in PieceRule._meta.concrete_fields if not f.primary_key]
    values = {f.attname: getattr(renewal.rule, f.attname) for f in fields}
    return PieceRule(**values | {"school_year_id": renewal.school_year.pk})


def _copy_communes(copies):
    """`copies` are the new rules by the key of the old one."""
    link = PieceRule.communes.through
    rows = link.objects.filter(piecerule__in=copies).values_list("piecerule", "commune")
    link.objects.bulk_create(
        link(piecerule_id=copies[old].pk, commune_id=commune) for old, commune in rows
    )
