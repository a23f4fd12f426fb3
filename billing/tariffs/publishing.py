"""A draft becomes the grid that prices: what stands in the way, then the move, once for all.

Lock order: the establishment, then the grid; two grids of one establishment are never published
at the same instant, so that their validities can be compared.
"""

import datetime as dt
from dataclasses import dataclass

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day
from accounts.models import Establishment, User
from billing.models.tariffs import TariffGrid
from billing.pricing.faults import faults
from billing.pricing.grids import Fault
from billing.tariffs import drafting, loading
from billing.tariffs.enums import GridStatus
from billing.tariffs.mapping import unmapped_courses

NAMED = 5  # courses that a sentence lists


@dataclass(frozen=True)
class Inspection:
    """`obstacles` forbid to publish, each with its code; `notes` are only good to know.

    Codes: `not_voted`, `no_rate`, `overlap`, and those of billing.pricing.grids.Fault.
    """

    obstacles: list[ValidationError]
    notes: list[str]


def inspect(grid: TariffGrid) -> Inspection:
    """Reads the draft again before it is published; writes nothing."""
    if grid.rates.exists():
        found = faults(loading.load(grid))
    else:
        found = [Fault("no_rate", "Cette grille n'a aucun tarif.")]
    obstacles = [
        *_not_voted(grid),
        *(ValidationError(each.message, code=each.code) for each in found if each.forbids),
        *_overlaps(grid),
    ]
    notes = [each.message for each in found if not each.forbids]
    return Inspection(obstacles, [*notes, *_of_the_year(grid)])


def _not_voted(grid):
    if not (grid.deliberation_number and grid.deliberation_date):
        yield ValidationError(
            "Donnez le numéro et la date de la délibération qui vote cette grille.",
            code="not_voted",
        )


def _overlaps(grid):
    for other in _overlapping(grid):
        yield ValidationError(
            f"La grille «\u00a0{other.label}\u00a0» est déjà publiée du {day(other.valid_from)}"
            f" au {day(other.valid_until)}\u00a0: un même jour n'a qu'une grille.",
            code="overlap",
        )


def _of_the_year(grid):
    if not grid.deliberation_url:
        yield "La grille ne mène pas à la délibération\u00a0: aucun lien n'est donné."
    year = grid.school_year
    if grid.valid_from > year.starts_on or grid.valid_until < year.ends_on:
        yield f"La grille ne couvre pas toute l'année scolaire {year}."
    if without := unmapped_courses(grid.establishment, year):
        names = ", ".join(course.name for course in without[:NAMED])
        rest = len(without) - NAMED
        more = f" et {rest} autre{'s' if rest > 1 else ''}" if rest > 0 else ""
        yield f"{len(without)} cours de {year} sans catégorie tarifaire\u00a0: {names}{more}."


@transaction.atomic
def publish(grid: TariffGrid, *, actor: User) -> TariffGrid:
    """Freezes the draft: from now on it prices. Raises ValidationError with every obstacle of
    `inspect`."""
    Establishment.objects.select_for_update(no_key=True).get(pk=grid.establishment_id)
    grid = drafting.lock_draft(grid)
    if obstacles := inspect(grid).obstacles:
        raise ValidationError(obstacles)
    grid.status = GridStatus.PUBLISHED
    grid.published_at, grid.published_by = timezone.now(), actor
    grid.full_clean()
    grid.save(update_fields=["status", "published_at", "published_by"])
    _log(grid, "Grille publiée.", actor=actor)
    return grid


@transaction.atomic
def shorten(grid: TariffGrid, *, valid_until: dt.date, actor: User) -> TariffGrid:
    """A new vote in mid-year ends a published grid earlier: the one thing of it that may change.

    Raises ValidationError: `not_published`; `not_shorter` when the day is not before the present
    end, or before the first day.
    """
    grid = TariffGrid.objects.select_for_update(of=["self"]).get(pk=grid.pk)
    if not grid.is_published:
        raise ValidationError("Cette grille est encore un brouillon.", code="not_published")
    if not grid.valid_from <= valid_until < grid.valid_until:
        raise ValidationError(
            f"Choisissez un jour du {day(grid.valid_from)} à la veille du {day(grid.valid_until)}.",
            code="not_shorter",
        )
    before, grid.valid_until = grid.valid_until, valid_until
    grid.full_clean()
    grid.save(update_fields=["valid_until"])
    _log(grid, f"Fin de validité\u00a0: {day(valid_until)} au lieu du {day(before)}.", actor=actor)
    return grid


def _overlapping(grid):
    """Those of the establishment and year that are valid on one of its days."""
    return TariffGrid.objects.filter(
        establishment=grid.establishment_id,
        school_year=grid.school_year_id,
        status=GridStatus.PUBLISHED,
        valid_from__lte=grid.valid_until,
        valid_until__gte=grid.valid_from,
    ).exclude(pk=grid.pk)


def _log(grid, message, *, actor):
    LogEntry.objects.log_actions(actor.pk, [grid], CHANGE, message, single_object=True)
