"""What may be done to a grid that is not published yet, under its lock."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from accounts.spreadsheets.saving import save_rows
from billing.models.tariff_rows import TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.money import CENT
from billing.tariffs.enums import GridStatus
from students.models import SchoolYear

GRID_FIELDS = [
    *["establishment", "school_year", "label", "valid_from", "valid_until"],
    *["deliberation_number", "deliberation_date", "deliberation_url"],
    *["order", "terms", "months", "top_within_zone", "adult_age"],
]
COPIED = ["order", "terms", "months", "top_within_zone", "adult_age"]
EUROS_OF_A_RATE = ["amount", "effort_floor", "effort_ceiling"]


def lock_draft(grid: TariffGrid) -> TariffGrid:
    """A fresh row, locked; refuses a published grid (code `published`)."""
    grid = TariffGrid.objects.select_for_update(of=["self"]).get(pk=grid.pk)
    if grid.is_published:
        raise ValidationError(
            f"La grille «\u00a0{grid.label}\u00a0» est publiée\u00a0: elle ne change plus."
            " Préparez-en une autre à partir d'elle.",
            code="published",
        )
    return grid


@transaction.atomic
def save_draft(grid: TariffGrid, *, actor: User) -> None:
    """Writes what a draft is about, new or not; refuses a published grid.

    Its establishment does not change once it has rates: their categories are the establishment's.
    """
    if grid.pk:
        held = lock_draft(grid)
        if held.establishment_id != grid.establishment_id and held.rates.exists():
            raise ValidationError(
                {
                    "establishment": ValidationError(
                        "Cette grille a déjà des tarifs\u00a0: elle reste à son établissement.",
                        code="has_rates",
                    )
                }
            )
    grid.full_clean()
    grid.save(update_fields=GRID_FIELDS if grid.pk else None)


@transaction.atomic
def delete_draft(grid: TariffGrid, *, actor: User) -> None:
    """A draft goes with its rows; refuses a published grid."""
    lock_draft(grid).delete()


@transaction.atomic
def save_rates(
    grid: TariffGrid,
    *,
    saved: Iterable[TariffRate],
    deleted: Iterable[TariffRate],
    actor: User,
) -> None:
    """Writes rates of a draft, those taken away first: another may take their place.

    Refuses a published grid, a rate of another grid (code `elsewhere`) and of a category of
    another establishment.
    """
    grid, saved, deleted = lock_draft(grid), list(saved), list(deleted)
    TariffRate.objects.filter(grid=grid, pk__in=[rate.pk for rate in deleted]).delete()
    for rate in saved:
        check_belongs(rate, grid)
        rate.full_clean()
        rate.save()
    if saved or deleted:
        _log(grid, CHANGE, f"Tarifs\u00a0: {len(saved)} écrits, {len(deleted)} ôtés.", actor=actor)


def save_imported(created: list[TariffRate], changed: list[tuple[TariffRate, list[str]]]) -> None:
    """Writes the rows of a checked list, whose grids the list has locked (`TariffRateList.lock`);
    `changed` names the attributes of each row."""
    save_rows(created, changed)


def check_belongs(rate: TariffRate, grid: TariffGrid) -> None:
    if rate.grid_id != grid.pk or rate.category.establishment_id != grid.establishment_id:
        raise ValidationError("Ce tarif est d'une autre grille.", code="elsewhere")


@transaction.atomic
def duplicate(
    grid: TariffGrid,
    *,
    school_year: SchoolYear,
    label: str,
    percent: Decimal = Decimal(0),
    rounding: Decimal = CENT,
    actor: User,
) -> TariffGrid:
    """« Préparer la grille de l'année suivante »: a draft with the same rows, raised by `percent`.

    Amounts, floors, ceilings, fees and rentals move, rounded half up to `rounding` (euros);
    percentages, bands of quotient and deposits do not. The délibération is to come.
    """
    copy = TariffGrid(
        establishment=grid.establishment,
        school_year=school_year,
        label=label,
        valid_from=school_year.starts_on,
        valid_until=school_year.ends_on,
        **{name: getattr(grid, name) for name in COPIED},
    )
    save_draft(copy, actor=actor)

    def raised(amount):
        return None if amount is None else raise_amount(amount, percent, rounding)

    for rate in grid.rates.all():
        for name in EUROS_OF_A_RATE:
            setattr(rate, name, raised(getattr(rate, name)))
        _copy_row(rate, copy)
    for fee in grid.fees.all():
        fee.amount = raised(fee.amount)
        _copy_row(fee, copy)
    for rental in grid.rentals.all():
        rental.amount = raised(rental.amount)
        _copy_row(rental, copy)
    for modifier in grid.modifiers.prefetch_related("categories"):
        categories = list(modifier.categories.all())
        modifier.amount = raised(modifier.amount)
        _copy_row(modifier, copy).categories.set(categories)
    _log(
        copy,
        ADDITION,
        f"Préparée à partir de «\u00a0{grid}\u00a0», {percent:f}\u00a0%.",
        actor=actor,
    )
    return copy


def raise_amount(amount: Decimal, percent: Decimal, rounding: Decimal) -> Decimal:
    """`603` raised by `1.5` per cent to the half euro: `612.00`."""
    steps = amount * (100 + percent) / 100 / rounding
    return (steps.quantize(Decimal(1), rounding=ROUND_HALF_UP) * rounding).quantize(CENT)


@transaction.atomic
def save_category(category: TariffCategory, *, actor: User) -> None:
    """Writes a category; what a published grid means by it does not change (code `published`)."""
    if category.pk:
        held = TariffCategory.objects.select_for_update().get(pk=category.pk)
        frozen = ["establishment_id", "code", "once"]
        if is_frozen(held) and any(getattr(held, n) != getattr(category, n) for n in frozen):
            raise ValidationError(
                "Une grille publiée se sert de cette catégorie\u00a0: son code et ce qu'elle"
                " comprend ne changent plus.",
                code="published",
            )
    category.full_clean()
    category.save()


def is_frozen(category: TariffCategory) -> bool:
    """Does a published grid price it, or a category that includes it?"""
    published = TariffRate.objects.filter(grid__status=GridStatus.PUBLISHED)
    return published.filter(
        Q(category=category) | Q(category__includes=category.pk),
    ).exists()


def _copy_row(row, grid):
    """A new row: the one that was read keeps what was prefetched for it."""
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    copy = type(row)(**fields | {"id": None, "grid_id": grid.pk})
    copy.save(force_insert=True)
    return copy


def _log(grid, flag, message, *, actor):
    LogEntry.objects.log_actions(actor.pk, [grid], flag, message, single_object=True)
