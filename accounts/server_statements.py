"""Prepared queries kept by PostgreSQL too, parsed and planned once for a connection.

Planning our wide joins costs PostgreSQL two to four times what running them does: for a page of
the re-enrolment 8 ms out of 11 (docs/performance.md).
"""

import datetime as dt
from itertools import count

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg2.extensions import AsIs

NAME_LENGTH = 63  # bytes, of PostgreSQL's names

_numbers = count(1)
# « unknown » is what a text's literal is: PostgreSQL finds its type where it stands.
_TYPES = {
    int: "bigint",
    dt.datetime: "timestamptz",
    dt.date: "date",
    dt.time: "time",
}


def are_kept(connection: BaseDatabaseWrapper) -> bool:
    """Where a connection outlives a request. Behind pgbouncer, which hands the server's connections
    round, CONN_MAX_AGE is 0 (docs/production.md): a statement would be another connection's."""
    return connection.vendor == "postgresql" and connection.settings_dict["CONN_MAX_AGE"] != 0


def plan_once(connection: BaseDatabaseWrapper, **kwargs) -> None:
    """For a connection just opened: one plan for any values, from the first call on.

    PostgreSQL would plan for the values themselves five times, and for ever where it guesses that
    this serves; it never did, in a town of 900 students nor in one of 20,000. Constants are in the
    statement, and plans know them. Called by the signal `connection_created`.
    """
    if are_kept(connection):
        # Past Django's cursor, as below; outside any transaction, whose rollback would undo it.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")


class ServerStatement:
    """One SQL text, where each of its values goes, and the name by which connections know it.

    `places` holds, by parameter of the SQL, the value that it takes; None: a constant, written in
    the statement as it is, so that a partial index may serve.
    """

    def __init__(
        self,
        label: str,
        sql: str,
        parameters: tuple,
        places: tuple[int | None, ...],
        types: tuple[type, ...],
    ):
        number = f" {next(_numbers)}"
        self.name = f'"{label[: NAME_LENGTH - len(number)]}{number}"'
        self.sql, self.parameters, self.places = sql, parameters, places
        self._used = sorted({place for place in places if place is not None})
        self._types = ", ".join(_TYPES.get(types[place], "unknown") for place in self._used)
        given = ", ".join(["%s"] * len(self._used))
        self._call = f"EXECUTE {self.name} ({given})" if given else f"EXECUTE {self.name}"

    def bind(self, values: list, connection: BaseDatabaseWrapper) -> tuple[str, tuple]:
        """What runs it with these values, in the order of `places`; the connection knows it then.

        Raises django.db.Error as a query does.
        """
        self._prepare(connection)
        return self._call, tuple(values[place] for place in self._used)

    def _prepare(self, connection):
        connection.ensure_connection()
        known = _known_by(connection)
        if self.name in known:
            return
        # Past Django's cursor: the queries that a page is counted for are those that it runs.
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            numbered = {place: AsIs(f"${n}") for n, place in enumerate(self._used, start=1)}
            parameters = [
                constant if place is None else numbered[place]
                for constant, place in zip(self.parameters, self.places, strict=True)
            ]
            types = f"({self._types}) " if self._types else ""
            cursor.execute(f"PREPARE {self.name} {types}AS {self.sql}", parameters)
        known.add(self.name)


def _known_by(connection):
    """The names of the statements of the server's connection that is open now: a rollback keeps
    them, a new connection has none."""
    kept = getattr(connection, "server_statements", None)
    if kept is None or kept[0] is not connection.connection:
        kept = connection.server_statements = (connection.connection, set())
    return kept[1]
