"""What importing a file would do to a draft: the dry run. Nothing is written."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256

from django.core.exceptions import ValidationError

from accounts.names import sort_key
from accounts.spreadsheets.reports import Change
from billing.models.tariff_rows import TariffRate
from billing.models.tariffs import TariffCategory, TariffGrid
from billing.tariffs.enums import GridStatus
from billing.tariffs.files.parts import (
    CATEGORY_PART,
    COURSE_PART,
    MODELS,
    MODIFIER_PART,
    PARTS,
    SETTING_PART,
    Part,
    Values,
)
from billing.tariffs.files.reading import File, Row
from students.models import Course

RELATED = {"category", "categories"}  # told by their codes
FROZEN = "Une grille publiée se sert de cette catégorie\u00a0: cela ne change plus."


@dataclass(frozen=True)
class Told:
    """A row as a report names it; `number`: of the spreadsheet, None for what would go."""

    number: int | None
    title: str
    changes: tuple[Change, ...] = ()


@dataclass
class PartReport:
    part: Part
    rows: list[Row]
    added: list[Told] = field(default_factory=list)
    changed: list[Told] = field(default_factory=list)
    removed: list[Told] = field(default_factory=list)
    unchanged: int = 0

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.refusals]

    @property
    def to_write(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


@dataclass(frozen=True)
class Report:
    parts: list[PartReport]
    unread: list[str]

    @property
    def refused(self) -> list[PartReport]:
        return [part for part in self.parts if part.refused]

    @property
    def refused_rows(self) -> int:
        return sum(len(part.refused) for part in self.parts)

    @property
    def to_write(self) -> int:
        return sum(part.to_write for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """The same as long as importing would do the same."""
        told = [
            (p.part.slug, p.added, p.changed, p.removed, p.unchanged, [r.refusals for r in p.rows])
            for p in self.parts
        ]
        return sha256(repr(told).encode()).hexdigest()


def check(file: File, grid: TariffGrid) -> Report:
    """A constant number of queries, whatever the rows."""
    known = _Known(grid, file)
    reports = []
    for part in PARTS:
        if part not in file.rows:
            continue
        rows = file.rows[part]
        for row in rows:
            _resolve(part, row, known)
            _validate(part, row, known)
        _refuse_doubles(part, rows)
        reports.append(_compare(part, rows, known))
    return Report(reports, file.unread)


class _Known:
    """What the rows of the file are compared with."""

    def __init__(self, grid: TariffGrid, file: File):
        self.grid = grid
        self.categories = {
            row.code: row
            for row in TariffCategory.objects.filter(establishment=grid.establishment_id)
        }
        typed = [row.values for row in file.rows.get(CATEGORY_PART, [])]
        self._codes = {sort_key(row.label): code for code, row in self.categories.items()}
        self._codes |= {sort_key(v["label"]): v["code"] for v in typed if {"label", "code"} <= {*v}}
        self.codes = {*self.categories, *(values["code"] for values in typed if "code" in values)}
        self._codes |= {sort_key(code): code for code in self.codes}  # a code prevails

    def code_of(self, word: str) -> str | None:
        return word if word in self.codes else self._codes.get(sort_key(word))

    @cached_property
    def held(self) -> dict[Part, list[Values]]:
        return {}

    def rows_of(self, part: Part) -> list[Values]:
        if part not in self.held:
            self.held[part] = list(part.rows_of(self.grid))
        return self.held[part]

    @cached_property
    def courses(self) -> dict[str, str]:
        """The names of those of the year, by their key of sorting."""
        rows = Course.objects.filter(
            establishment=self.grid.establishment_id, school_year=self.grid.school_year_id
        )
        return {sort_key(name): name for name in rows.values_list("name", flat=True)}

    @cached_property
    def frozen(self) -> set[str]:
        """The codes of the categories that a published grid prices, and those that these include
        (`drafting.is_frozen`)."""
        priced = set(
            TariffRate.objects.filter(
                grid__status=GridStatus.PUBLISHED,
                category__establishment=self.grid.establishment_id,
            ).values_list("category__code", flat=True)
        )
        included = [row["includes"] for row in self.rows_of(CATEGORY_PART) if row["code"] in priced]
        return priced.union(*included)


def _resolve(part, row, known):
    """Puts what the names of the cells stand for in their place."""
    if part is COURSE_PART and "course" in row.values:
        name = known.courses.get(sort_key(row.values["course"]))
        if name is None:
            row.refuse("Cours", "Aucun cours de ce nom dans l'établissement l'année de la grille.")
        row.values["course"] = name or row.values["course"]
    if part is CATEGORY_PART and "code" in row.values:
        code = row.values["code"]
        row.values["code"] = next(
            (held for held in known.categories if sort_key(held) == sort_key(code)), code
        )
    for attribute, header in (
        *[("category", "Catégorie"), ("categories", "Catégories"), ("includes", "Comprend")],
    ):
        if words := row.values.get(attribute):
            _resolve_codes(row, attribute, header, words, known)


def _resolve_codes(row, attribute, header, words, known):
    several = isinstance(words, frozenset)
    found = {word: known.code_of(word) for word in (words if several else [words])}
    if lacking := sorted(word for word, code in found.items() if code is None):
        row.refuse(
            header,
            f"La catégorie «\u00a0{lacking[0]}\u00a0» est inconnue\u00a0: écrivez son code, ou"
            " ajoutez-la à la feuille «\u00a0Catégories\u00a0».",
        )
        return
    row.values[attribute] = frozenset(found.values()) if several else found[words]


def _validate(part, row, known):
    """The model's own rules, told beside the cell at fault."""
    if row.refusals:
        return
    if part is SETTING_PART:
        instance = TariffGrid.objects.get(pk=known.grid.pk)
        for name, value in row.values.items():
            setattr(instance, name, value)
        _told(part, row, instance.full_clean)
    elif part is CATEGORY_PART:
        _validate_category(part, row, known)
    elif part in MODELS:
        instance = instance_of(part, row.values)
        left_out = {"grid", "category"} & {field.name for field in instance._meta.fields}
        _told(part, row, _cleaning(instance, left_out))


def _validate_category(part, row, known):
    values = dict(row.values)
    includes = values.pop("includes")
    instance = TariffCategory(**values)
    _told(part, row, _cleaning(instance, {"establishment"}))
    if row.values["code"] in includes:
        row.refuse("Comprend", "Une catégorie ne se comprend pas elle-même.")
    held = known.categories.get(row.values["code"])
    if held and held.code in known.frozen:
        before = next(v for v in known.rows_of(part) if v["code"] == held.code)
        for column in part.columns:
            name = column.attribute
            if name in ("includes", "once") and before[name] != row.values[name]:
                row.refuse(column.header, FROZEN)


def instance_of(part: Part, values: Values):
    """The row that these values make, but for what it is related to."""
    values = {name: value for name, value in values.items() if name not in RELATED}
    if part is MODIFIER_PART:
        values["codes"] = ", ".join(sorted(values["codes"]))
    return MODELS[part](**values)


def _cleaning(instance, left_out):
    """Without a query: doubles are told by the keys, and `clean` says what the constraints do."""
    return partial(
        instance.full_clean, exclude=left_out, validate_unique=False, validate_constraints=False
    )


def _told(part, row, validate):
    headers = {column.attribute: column.header for column in part.columns}
    try:
        validate()
    except ValidationError as error:
        by_name = error.error_dict if hasattr(error, "error_dict") else {"": [error]}
        for name, errors in by_name.items():
            for each in errors:
                row.refuse(headers.get(name, ""), " ".join(each.messages))


def _refuse_doubles(part, rows):
    if part.may_repeat or not part.key:
        return
    first = {}
    for row in rows:
        if not row.refusals:
            number = first.setdefault(_key(part, row.values), row.number)
            if number != row.number:
                row.refuse("", f"Déjà donné à la ligne {number}\u00a0: gardez-en une des deux.")


def _key(part, values):
    return tuple(values[name] for name in part.key)


def _compare(part, rows, known):
    report = PartReport(part, rows)
    left = _numbered(part, known.rows_of(part))
    good = [row for row in rows if not row.refusals]
    for key, row in _numbered(part, good, lambda row: row.values).items():
        before = left.pop(key, None)
        if before is None:
            report.added.append(_told_of(part, row.number, row.values))
        elif changes := _changes(part, before, row.values):
            report.changed.append(_told_of(part, row.number, row.values, changes))
        else:
            report.unchanged += 1
    if part.is_whole and part is not SETTING_PART and len(good) == len(rows):
        report.removed = [_told_of(part, None, values) for values in left.values()]
    return report


def _numbered(part, rows, values_of=lambda values: values):
    """By the key of each, and its number among those that have the same."""
    seen, found = Counter(), {}
    for row in rows:
        key = _key(part, values_of(row))
        seen[key] += 1
        found[key, seen[key]] = row
    return found


def _changes(part, before, after):
    return tuple(
        Change(each.header, each.show(before[each.attribute]), each.show(after[each.attribute]))
        for each in part.columns
        if each.attribute in after and before[each.attribute] != after[each.attribute]
    )


def _told_of(part, number, values, changes=()):
    shown = [each for each in part.columns if each.attribute in part.key] or part.columns[:1]
    texts = [each.show(values[each.attribute]) for each in shown if each.attribute in values]
    if not changes:  # added or removed: all that it says
        changes = tuple(
            Change(each.header, "", each.show(values[each.attribute]))
            for each in part.columns
            if each.attribute in values and each.show(values[each.attribute])
        )
    return Told(number, " – ".join(text for text in texts if text), changes)
