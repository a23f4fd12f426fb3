"""The bench's own databases, beside the one that TEST_DATABASE_URL names; gone at the end."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql


def execute(url: str, statements: str) -> None:
    with (
        contextlib.closing(psycopg2.connect(url)) as database,
        database,
        database.cursor() as cursor,
    ):
        cursor.execute(statements)


@contextlib.contextmanager
def databases(url: str, names: list[str]) -> Iterator[dict[str, str]]:
    """Empty databases; gives the address of each by its name."""
    parts = urlsplit(url)
    former = parts.path.lstrip("/") or "postgres"
    full = {name: f"bench_{former}_{name}" for name in names}
    server = psycopg2.connect(url)
    server.autocommit = True

    def run(statement):
        with server.cursor() as cursor:
            for database in full.values():
                cursor.execute(sql.SQL(statement).format(sql.Identifier(database)))

    try:
        run("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        run("CREATE DATABASE {}")
        yield {
            name: urlunsplit(parts._replace(path=f"/{database}")) for name, database in full.items()
        }
    finally:
        run("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        server.close()
