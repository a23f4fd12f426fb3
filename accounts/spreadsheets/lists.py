"""A list that goes in and out: its columns, and what a file would change of its rows.

Columns, cells and exports are those of django-import-export. Its loop over the rows is not: it
writes by itself, past the services (docs/decisions.md). `check` writes nothing and gives a report;
`services.carry_out` hands the rows of a report that is still true to the app's own service.
"""

from collections import Counter, defaultdict

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from import_export.resources import Resource

from accounts.models import User
from accounts.names import sort_key
from accounts.spreadsheets.columns import as_text, quoted
from accounts.spreadsheets.reading import Sheet
from accounts.spreadsheets.reports import Change, Line, Refusal, Report
from accounts.spreadsheets.writing import write

REQUIRED = "Cette case est vide\u00a0: elle est obligatoire pour une nouvelle ligne."


class List(Resource):
    """The base of each app's lists, whose columns are its `Column` attributes, in order.

    `slug` is in the address, `label` what people read, `position` its rank among the lists. `title`
    are the columns that name a row in a report, `identity` the attributes by which it is found
    again. The permissions are the model's, `import_…` and `export_…`.
    """

    model: type[models.Model]
    slug: str
    label: str
    purpose: str
    position: int
    title: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    can_import = True
    do_not_call_in_templates = True  # a template names the class
    # Each constraint asks the database once a row; those on choices are said by the cells.
    checks_constraints = False

    def __init__(self, actor: User):
        super().__init__()
        self.actor = actor
        self.related: dict[str, dict[int, models.Model]] = {}
        self._columns = {column.column_name: column for column in self.fields.values()}

    # --- What an app says -------------------------------------------------------------------

    def rows(self) -> models.QuerySet:
        """Those that the actor may see and change, whatever the file says."""
        return self.model.objects.all()

    def load_related(self) -> None:
        """Fills `related`, by attribute and key, once a file: nothing is asked row by row."""

    def judge(self, line: Line) -> None:
        """Raises ValidationError for what the fields of the model alone can't tell."""

    def judge_all(self, lines: list[Line]) -> None:
        """Adds the refusals that only the whole file tells."""

    def lock(self, report: Report) -> None:
        """Locks what other services lock before the rows themselves."""

    def save(
        self, created: list[models.Model], changed: list[tuple[models.Model, list[str]]]
    ) -> None:
        """Hands the rows, with the attributes that changed, to the app's service.

        Inside the caller's transaction.
        """
        raise NotImplementedError

    # --- For the pages ----------------------------------------------------------------------

    @classmethod
    def permission(cls, verb: str) -> str:
        return f"{cls.model._meta.app_label}.{verb}_{cls.model._meta.model_name}"

    @classmethod
    def template(cls, format_: str) -> bytes:
        """The headers, and one row as an example."""
        columns = cls.fields.values()
        headers = [column.column_name for column in columns]
        return write(format_, headers, [[x.example for x in columns]], title=cls.label)

    def file_of(self, rows: models.QuerySet, format_: str) -> tuple[bytes, int]:
        """The rows under the columns that an import reads, and how many they are.

        The queries don't grow with the rows.
        """
        self.load_related()
        dataset = self.export(rows)
        return write(format_, dataset.headers, dataset, title=self.label), len(dataset)

    def check(self, sheet: Sheet) -> Report:
        """What importing the sheet would do; nothing is written.

        Raises ValidationError, code `columns_missing` or `column_doubled`.
        """
        headers = self.known_headers(sheet.headers)
        self.load_related()
        self._by_key, self._given, self._zeros = defaultdict(list), {}, Counter()
        for row in self.rows():
            self.remember(row)
        lines = [
            self._check_row(number, dict(zip(headers, cells, strict=False)))
            for number, cells in sheet.rows.items()
        ]
        self.judge_all(lines)
        unread = [header for header in headers if header and header not in self._columns]
        return Report(lines, unread, dict(self._zeros))

    def known_headers(self, headers: list[str]) -> list[str]:
        """The headers as the list writes them; one that it does not know stays as it is.

        Capitals, accents and a star at the end make no difference. Raises ValidationError.
        """
        known = {sort_key(name): name for name in self._columns}
        headers = [known.get(sort_key(header.rstrip("* ")), header) for header in headers]
        doubled = [name for name, count in Counter(headers).items() if name and count > 1]
        if doubled:
            raise ValidationError(
                f"Plusieurs colonnes s'appellent {quoted(doubled[:1])}\u00a0: gardez-en une.",
                code="column_doubled",
            )
        required = [x.column_name for x in self._columns.values() if x.required]
        if missing := [name for name in required if name not in headers]:
            raise ValidationError(
                f"Ce fichier n'a pas de colonne {quoted(missing)}. Les titres sont ceux du modèle,"
                " dans la première ligne remplie du fichier.",
                code="columns_missing",
            )
        return headers

    # --- Finding a row again ----------------------------------------------------------------

    def remember(self, row: models.Model) -> None:
        """To call once the row holds what it is found by."""
        key = self._key(self._held(row))
        if key and not any(each is row for each in self._by_key[key]):
            self._by_key[key].append(row)

    def find(self, values: dict[str, object]) -> models.Model | None:
        """The row that the cells are about, None for a new one. Raises ValidationError."""
        lacking = {
            name: ValidationError(REQUIRED, code="required")
            for name in self.identity
            if self._lacks(values, name)
        }
        if lacking:
            raise ValidationError(lacking)
        return self.find_twin(values)

    def find_twin(self, values: dict[str, object]) -> models.Model | None:
        """The row of the same identity. Raises ValidationError when several have it."""
        found = self._by_key.get(self._key(values), [])
        if len(found) > 1:
            raise ValidationError(
                "Plusieurs fiches répondent à cette ligne\u00a0: corrigez-les d'abord dans"
                " l'administration.",
                code="ambiguous",
            )
        return found[0] if found else None

    def _held(self, row):
        return {name: getattr(row, self._attname(name)) for name in self.identity}

    def _key(self, values):
        """The identity, without capitals nor accents; None when a part of it is not known."""
        if any(self._lacks(values, name) for name in self.identity):
            return None
        parts = [values.get(name) or "" for name in self.identity]
        return tuple(sort_key(part) if isinstance(part, str) else part for part in parts)

    def _lacks(self, values, name):
        return values.get(name) in (None, "") and not self.model._meta.get_field(name).blank

    # --- One row ----------------------------------------------------------------------------

    def _check_row(self, number, cells):
        cells = {name: cells[name] for name in self._columns if name in cells}
        self._put_zeros_back(cells)
        title = " – ".join(filter(None, (as_text(cells.get(header)) for header in self.title)))
        line = Line(number, title)
        values, unread = self._read(line, cells)
        if not unread & {*self.identity, "reference"}:  # else nobody knows which row it is
            try:
                self._compare(line, values)
            except ValidationError as error:
                self.refuse(line, error, cells)
        return line

    def _put_zeros_back(self, cells):
        for header, cell in cells.items():
            if zeroed := self._columns[header].with_zero(as_text(cell)):
                cells[header] = zeroed
                self._zeros[header] += 1

    def _read(self, line, cells):
        """The values of the cells that are not empty, and the attributes that can't be read."""
        values, unread = {}, set()
        for column in self._columns.values():
            if column.readonly:
                continue
            try:
                if column.show:
                    value = getattr(self, f"read_{column.attribute}")(cells)
                else:
                    value = column.widget.clean(cells.get(column.column_name))
            except ValueError as error:
                header = getattr(error, "header", column.column_name)
                line.refusals.append(Refusal(header, as_text(cells.get(header)), str(error)))
                unread.add(column.attribute)
            else:
                if value is not None:
                    values[column.attribute] = value
        return values, unread

    def _compare(self, line, values):
        row = self.find(values)
        line.is_new = row is None
        line.row = row = self.model() if row is None else row
        first = self._given.setdefault(id(row), line.number)
        if first != line.number:
            raise ValidationError(
                f"Déjà donné à la ligne {first} de ce fichier\u00a0: gardez une seule des deux"
                " lignes.",
                code="given_twice",
            )
        before = {} if line.is_new else self._texts(row)
        for name, value in values.items():
            attname = self._attname(name)
            held = getattr(row, attname, None)
            if held != value:
                line.seen[attname] = held
                setattr(row, attname, value)
        if line.is_new or line.seen:
            self.remember(row)
            line.changes = [
                Change(header, before.get(header, ""), text)
                for header, text in self._texts(row).items()
                if text != before.get(header, "")
            ]
            self._validate(line)

    def _validate(self, line):
        """The model's own rules, without a query: keys were found among ours, twins by `find`."""
        known = {column.attribute for column in self._columns.values()}
        refused = {refusal.header for refusal in line.refusals}
        known -= {x.attribute for x in self._columns.values() if x.column_name in refused}
        exclude = {
            field.name
            for field in self.model._meta.fields
            if field.name not in known
            or (field.is_relation and getattr(line.row, field.attname) is not None)
        }
        line.row.full_clean(
            exclude=exclude, validate_unique=False, validate_constraints=self.checks_constraints
        )
        self.judge(line)

    def refuse(self, line: Line, error: ValidationError, cells: dict | None = None) -> None:
        """Adds what the error says, under the columns of the attributes that it names."""
        by_attribute = error.error_dict if hasattr(error, "error_dict") else {"": [error]}
        headers = {x.attribute: x.column_name for x in self._columns.values() if not x.readonly}
        refused = {refusal.header for refusal in line.refusals}
        for attribute, errors in by_attribute.items():
            header = headers.get(attribute, "")
            if header and header in refused:  # it has its sentence already
                continue
            cell = as_text((cells or {}).get(header))
            for each in errors:
                message = REQUIRED if each.code in ("blank", "null") else " ".join(each.messages)
                line.refusals.append(Refusal(header, cell, message))

    # --- Columns ----------------------------------------------------------------------------

    def export_field(self, column, row, **kwargs):
        """The library's hook: what an export writes is what a report shows."""
        return self._text(column, row)

    def _texts(self, row):
        return {header: self._text(column, row) for header, column in self._columns.items()}

    def _text(self, column, row):
        value = getattr(row, self._attname(column.attribute), None)
        if column.show:
            related = self.related[column.attribute].get(value)
            return column.show(related) if related else ""
        return column.widget.render(value)

    def _attname(self, name):
        try:
            return self.model._meta.get_field(name).attname
        except FieldDoesNotExist:  # a figure that the rows are annotated with
            return name


class ExportedList(List):
    """One whose rows have a state, which only their services move: it goes out, never in.

    `show` of its columns is a function of the row itself, which `rows` gives with all it needs.
    Whoever sees the rows may take them out.
    """

    can_import = False

    @classmethod
    def permission(cls, verb):
        return super().permission("view")

    def export_field(self, column, row, **kwargs):
        return column.show(row)
