"""Queries whose SQL is composed once, then run with other values: half of a page's processor time.

Django composes the SQL of a query anew at each use, and that costs several times what PostgreSQL
takes to run it (docs/performance.md). A selector decorated here keeps what it composed; PostgreSQL
keeps its own reading of it (accounts/server_statements.py).
"""

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import wraps
from itertools import count
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.db.models.query import ModelIterable, RelatedPopulator, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from accounts import server_statements
from accounts.server_statements import ServerStatement

# A set in the tests, a new one for each: the first call of each statement also composes its SQL as
# Django would, and compares.
verified: set[int] | None = None

MAX_LENGTH = 20  # of a list: each length is a shape of its own
# What stands for a value while the SQL is composed: no key and no moment of ours comes near.
FIRST_KEY = 2**62
FIRST_MOMENT = dt.datetime(2900, 1, 1, tzinfo=dt.UTC)


class Text(str):
    """A text that varies from call to call, as a key does: a plain one is of the shape."""

    __slots__ = ()


def prepared(compose: Callable[..., QuerySet]) -> Callable[..., list]:
    """A selector that returns the rows of `compose`, whose SQL is composed once for each shape.

    Its arguments, by position: whole numbers (keys), days, hours, aware moments, `Text`, and lists
    of keys without doubles are values, which vary from call to call; all others (None, plain texts,
    flags) are of the shape, as the length of a list is. `compose` uses nothing but its arguments: a
    clock read, or a condition on a value, would stay as the first call found it. The tests catch
    both (`verified`).
    """
    kept: dict[Hashable, _Statement | None] = {}

    @wraps(compose)
    def run(*arguments) -> list:
        if any(isinstance(a, list) and len(a) > MAX_LENGTH for a in arguments):
            return list(compose(*arguments))
        shape = tuple(map(_shape, arguments))
        if shape not in kept:
            kept[shape] = _compose(compose, arguments)
        statement = kept[shape]
        if statement is None:
            return []
        values = _values(arguments)
        if verified is not None and id(statement) not in verified:
            verified.add(id(statement))
            statement.check(compose(*arguments), values)
        return statement.run(values)

    return run


@dataclass(frozen=True)
class _Statement:
    """SQL composed, and where each value goes in its parameters."""

    queryset: QuerySet
    compiler: SQLCompiler
    sql: str
    parameters: tuple[Any, ...]
    places: tuple[int | None, ...]  # by parameter: the value that it takes, None for a constant
    converters: dict  # from the driver's values to the fields', by column
    has_composite_fields: bool
    on_server: ServerStatement
    make: "_Maker | None"  # None where the rows are no objects

    def run(self, values: list) -> list:
        """Raises TransactionManagementError as Django does: rows are locked in a transaction."""
        locks = self.queryset.query.select_for_update
        if locks and connections[self.queryset.db].get_autocommit():
            raise transaction.TransactionManagementError("A lock would not outlive its query.")
        if self.make is None:
            queryset = QuerySet(self.queryset.model, query=_Bound(self, values))
            queryset._fields = self.queryset._fields  # of values_list
            return list(self.queryset._iterable_class(queryset))
        rows = [self.make(row) for row in self._rows(values)]
        if self.queryset._prefetch_related_lookups:
            prefetch_related_objects(rows, *self.queryset._prefetch_related_lookups)
        return rows

    def _rows(self, values):
        connection = connections[self.queryset.db]
        with connection.cursor() as cursor:
            cursor.execute(*self.answer(values, connection))
            rows = cursor.fetchall()
        if not self.converters:
            return rows
        rows = [list(row) for row in rows]
        for position, (convert, expression) in self.converters.items():
            for row in rows:
                for each in convert:
                    row[position] = each(row[position], expression, connection)
        return rows

    def answer(self, values: list, connection: BaseDatabaseWrapper) -> tuple[str, tuple]:
        """The SQL to run, and its parameters."""
        if server_statements.are_kept(connection):
            return self.on_server.bind(_adapted(values, connection), connection)
        return self.sql, self.bind(values)

    def bind(self, values: list) -> tuple:
        given = _adapted(values, self.compiler.connection)
        return tuple(
            constant if place is None else given[place]
            for constant, place in zip(self.parameters, self.places, strict=True)
        )

    def check(self, queryset: QuerySet, values: list) -> None:
        anew = queryset.query.get_compiler(queryset.db).as_sql()
        if (self.sql, self.bind(values)) != (anew[0], tuple(anew[1])):
            raise AssertionError(f"Something besides its values varies in a prepared query: {anew}")


@dataclass(frozen=True)
class _Maker:
    """An object from a row of the driver, as `ModelIterable` works it out anew for each query."""

    model: type[Model]
    database: str
    columns: slice
    names: list[str]
    related: list[RelatedPopulator]  # one for each table of `select_related`
    annotations: list[tuple[str, int]]  # name, column

    @classmethod
    def of(cls, queryset: QuerySet, compiler: SQLCompiler) -> "_Maker":
        found, select = compiler.klass_info, compiler.select
        fields = found["select_fields"]
        columns = slice(fields[0], fields[-1] + 1)
        return cls(
            found["model"],
            queryset.db,
            columns,
            [column.target.attname for column, *_ in select[columns]],
            get_related_populators(found, select, queryset.db),
            list((compiler.annotation_col_map or {}).items()),
        )

    def __call__(self, row) -> Model:
        made = self.model.from_db(self.database, self.names, row[self.columns])
        for each in self.related:
            each.populate(row, made)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made


class _Bound:
    """What an iterable of rows asks of a query: a compiler, whose SQL is there already."""

    def __init__(self, statement, values):
        self.statement, self.values = statement, values

    def __getattr__(self, name):
        return getattr(self.statement.queryset.query, name)

    def get_compiler(self, using=None, connection=None, elide_empty=True):
        compiler = copy.copy(self.statement.compiler)
        compiler.connection = connections[using]
        answer = self.statement.answer(self.values, compiler.connection)
        compiler.as_sql = lambda *args, **kwargs: answer
        compiler.get_converters = lambda columns: self.statement.converters
        compiler.has_composite_fields = lambda columns: self.statement.has_composite_fields
        return compiler


def _shape(argument) -> Hashable:
    if _is_value(argument):
        return type(argument)
    return (list, len(argument)) if isinstance(argument, list) else argument


def _is_value(argument) -> bool:
    return type(argument) is int or isinstance(argument, dt.date | dt.time | Text)


def _values(arguments) -> list:
    values = []
    for argument in arguments:
        if isinstance(argument, list):
            values += argument
        elif _is_value(argument):
            values.append(argument)
    return values


def _compose(compose, arguments) -> _Statement | None:
    """None for a query that finds nothing, whatever its values: a list of no key."""
    numbers = count()
    stand_ins = [_replace(argument, numbers) for argument in arguments]
    queryset = compose(*stand_ins)
    compiler = queryset.query.get_compiler(queryset.db)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    values = _values(stand_ins)
    found = _adapted(values, compiler.connection)
    places = tuple(found.index(each) if each in found else None for each in parameters)
    columns = [column for column, *_ in compiler.select]
    label = f"{compose.__module__}.{compose.__name__}"
    types = tuple(map(type, values))
    is_composite = compiler.has_composite_fields(columns)
    makes_objects = queryset._iterable_class is ModelIterable and not is_composite
    return _Statement(
        queryset,
        compiler,
        sql,
        tuple(parameters),
        places,
        compiler.get_converters(columns),
        is_composite,
        ServerStatement(label, sql, tuple(parameters), places, types),
        _Maker.of(queryset, compiler) if makes_objects else None,
    )


def _replace(argument, numbers: Iterator[int]):
    """Another of the same type, unlike any other."""
    match argument:
        case list():
            return [_replace(each, numbers) for each in argument]
        case dt.datetime():
            return FIRST_MOMENT + dt.timedelta(days=next(numbers))
        case dt.date():
            return FIRST_MOMENT.date() + dt.timedelta(days=next(numbers))
        case dt.time():
            return dt.time(microsecond=next(numbers) + 1)
        case Text():
            return Text(f"{FIRST_KEY + next(numbers)}")
    return FIRST_KEY + next(numbers) if _is_value(argument) else argument


def _adapted(values, connection):
    return [_adapt(value, connection) for value in values]


def _adapt(value, connection):
    """As the connection's driver wants it."""
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, dt.date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, dt.time):
        return connection.ops.adapt_timefield_value(value)
    return str(value) if isinstance(value, Text) else value
