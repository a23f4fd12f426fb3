"""A draft becomes the grid that prices: what stands in the way, then the move, once for all.

Lock order: the establishment, then the grid; two grids of one establishment are never published
at the same instant, so that their validities can be compared.
"""

import datetime as dt

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import day
from accounts.models import Establishment, User
from billing.models.tariffs import TariffGrid
from billing.tariffs import checking, drafting, loading
from billing.tariffs.enums import GridStatus
from billing.tariffs.mapping import unmapped_courses


def obstacles(grid: TariffGrid) -> list[ValidationError]:
    """Why the draft can't be published, each with its code; none: it can.

    `not_voted`, `no_rate`, `fault` (a case of the grid priced never or twice) and `overlap`.
    """
    found = []
    if not (grid.deliberation_number and grid.deliberation_date):
        found.append(
            ValidationError(
                "Donnez le numéro et la date de la délibération qui vote cette grille.",
                code="not_voted",
            )
        )
    if not grid.rates.exists():
        found.append(ValidationError("Cette grille n'a aucun tarif.", code="no_rate"))
    else:
        faults = checking.faults(loading.load(grid))
        found += [ValidationError(fault, code="fault") for fault in faults]
    for other in _overlapping(grid):
        found.append(
            ValidationError(
                f"La grille «\u00a0{other.label}\u00a0» est déjà publiée du {day(other.valid_from)}"
                f" au {day(other.valid_until)}\u00a0: un même jour n'a qu'une grille.",
                code="overlap",
            )
        )
    return found


def notes(grid: TariffGrid) -> list[str]:
    """What does not forbid to publish, and that one should know."""
    told = []
    if not grid.deliberation_url:
        told.append("La grille ne mène pas à la délibération\u00a0: aucun lien n'est donné.")
    year = grid.school_year
    if grid.valid_from > year.starts_on or grid.valid_until < year.ends_on:
        told.append(f"La grille ne couvre pas toute l'année scolaire {year}.")
    without = unmapped_courses(grid.establishment, year)
    if without:
        names = ", ".join(course.name for course in without[:5])
        more = f" et {len(without) - 5} autres" if len(without) > 5 else ""
        told.append(
            f"{len(without)} cours de {year} sans catégorie tarifaire\u00a0: {names}{more}."
        )
    return told


@transaction.atomic
def publish(grid: TariffGrid, *, actor: User) -> TariffGrid:
    """Freezes the draft: from now on it prices. Raises ValidationError with all `obstacles`."""
    Establishment.objects.select_for_update(no_key=True).get(pk=grid.establishment_id)
    grid = drafting.lock_draft(grid)
    if found := obstacles(grid):
        raise ValidationError(found)
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
