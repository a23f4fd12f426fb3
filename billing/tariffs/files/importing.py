"""A grid's file is received, checked, then imported whole or not at all.

Lock order: the establishment, then the grid, as who publishes one.
"""

import logging

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Establishment, ListImport, User
from accounts.spreadsheets import services
from billing.models.tariff_rows import TariffModifier
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs import drafting, mapping
from billing.tariffs.files.checking import Report, check, instance_of
from billing.tariffs.files.parts import (
    CATEGORY_PART,
    COURSE_PART,
    MODELS,
    MODIFIER_PART,
    SETTING_PART,
    Part,
    Values,
)
from billing.tariffs.files.reading import File, read_file
from students.models import Course

logger = logging.getLogger(__name__)

AT_ONCE = 500  # rows of one INSERT
# What a sheet that is not the grid's alone needs besides the right on the grid.
NEEDS = {
    CATEGORY_PART: ["billing.add_tariffcategory", "billing.change_tariffcategory"],
    COURSE_PART: ["billing.change_coursecategory"],
}


def slug_of(grid: TariffGrid) -> str:
    """What its files are kept as, in the journal of imports."""
    return f"grille-{grid.pk}"


def receive(grid: TariffGrid, name: str, content: bytes, *, actor: User) -> ListImport:
    """Keeps a file that can be read. Raises ValidationError as `read_file`, and `storage_down`;
    PermissionDenied for a sheet that the actor has no right on."""
    check_rights(read_file(content), actor)
    return services.keep(actor, slug_of(grid), name, content)


def check_rights(file: File, actor: User) -> None:
    for part, permissions in NEEDS.items():
        if part in file.rows and not actor.has_perms(permissions):
            raise PermissionDenied


def dry_run(grid: TariffGrid, received: ListImport) -> Report:
    """What importing it would do now; nothing is written. Raises ValidationError `forgotten`."""
    return check(read_file(services.content_of(received)), grid)


def carry_out(
    grid: TariffGrid, received: ListImport, *, fingerprint: str, actor: User
) -> ListImport:
    """Imports the file, whole, if it does what the report of this fingerprint said.

    Already imported, nothing is done. Raises ValidationError, code `refused`, `changed`,
    `forgotten`, or `published`.
    """
    if received.done_at:
        return received
    file = read_file(services.content_of(received))  # the storage may be slow
    check_rights(file, actor)
    try:
        done = _carry_out(grid, received, file, fingerprint, actor)
    except IntegrityError as error:  # somebody typed the same category at this very moment
        logger.warning("Import %s stopped by a constraint: %s", received.pk, error)
        raise ValidationError(services.CHANGED, code="changed") from error
    services.forget(done)
    return done


@transaction.atomic
def _carry_out(grid, received, file, fingerprint, actor):
    Establishment.objects.select_for_update(no_key=True).get(pk=grid.establishment_id)
    received = ListImport.objects.select_for_update().get(pk=received.pk)
    if received.done_at:
        return received
    grid = drafting.lock_draft(grid)
    report = check(file, grid)
    if report.fingerprint != fingerprint:
        raise ValidationError(services.CHANGED, code="changed")
    if report.refused:
        raise ValidationError("Des lignes sont refusées\u00a0: rien n'est importé.", code="refused")
    for each in report.parts:
        if each.to_write:
            _write(grid, each.part, [row.values for row in each.rows], actor)
    _log(grid, received, report, actor)
    received.done_at = timezone.now()
    received.created = sum(len(each.added) for each in report.parts)
    received.changed = sum(len(each.changed) + len(each.removed) for each in report.parts)
    received.unchanged = sum(each.unchanged for each in report.parts)
    received.save(update_fields=["done_at", "created", "changed", "unchanged"])
    return received


def _write(grid: TariffGrid, part: Part, rows: list[Values], actor: User) -> None:
    if part is SETTING_PART:
        for name, value in rows[0].items():
            setattr(grid, name, value)
        drafting.save_draft(grid, actor=actor)
    elif part is CATEGORY_PART:
        _write_categories(grid, rows, actor)
    elif part is COURSE_PART:
        _write_courses(grid, rows, actor)
    else:
        _write_rows(grid, part, rows)


def _write_categories(grid, rows, actor):
    before = {values["code"]: values for values in CATEGORY_PART.rows_of(grid)}
    moved = [values for values in rows if before.get(values["code"]) != values]
    held = _categories(grid)
    for values in moved:
        row = held.setdefault(
            values["code"], TariffCategory(establishment_id=grid.establishment_id)
        )
        for name in ("code", "label", "position", "once"):
            setattr(row, name, values[name])
        drafting.save_category(row, actor=actor)
    for values in moved:  # once they all exist
        held[values["code"]].includes.set([held[code] for code in values["includes"]])


def _write_courses(grid, rows, actor):
    courses = Course.objects.filter(
        establishment=grid.establishment_id, school_year=grid.school_year_id
    )
    keys, categories = dict(courses.values_list("name", "pk")), _categories(grid)
    chosen = {
        keys[values["course"]]: categories[values["category"]].pk if values["category"] else None
        for values in rows
    }
    mapping.save_categories(grid.establishment, chosen, actor=actor)


def _write_rows(grid, part, rows):
    """In the order of the file: those that were there go. Nothing hangs from a draft's rows."""
    model, categories = MODELS[part], _categories(grid)
    model.objects.filter(grid=grid).delete()
    made = []
    for values in rows:
        row = instance_of(part, values)
        row.grid = grid
        if "category" in values:
            row.category = categories[values["category"]]
        made.append(row)
    model.objects.bulk_create(made, batch_size=AT_ONCE)
    if part is MODIFIER_PART:
        through = TariffModifier.categories.through
        through.objects.bulk_create(
            through(tariffmodifier=row, tariffcategory=categories[code])
            for row, values in zip(made, rows, strict=True)
            for code in values["categories"]
        )


def _categories(grid):
    rows = TariffCategory.objects.filter(establishment=grid.establishment_id)
    return {row.code: row for row in rows}


def _log(grid, received, report, actor):
    done = "\u00a0; ".join(
        f"{each.part.title.lower()}\u00a0: {len(each.added)} ajoutées, {len(each.changed)}"
        f" modifiées, {len(each.removed)} ôtées"
        for each in report.parts
        if each.to_write
    )
    message = f"Import de «\u00a0{received.name}\u00a0». {done}."
    LogEntry.objects.log_actions(actor.pk, [grid], CHANGE, message, single_object=True)
