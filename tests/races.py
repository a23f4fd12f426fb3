"""Plays many connections at once; only PostgreSQL tells the truth (see the mark `postgres`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier, Thread

from django.db import connection
from django.test import Client


def run_together(function: Callable[[int], object], count: int) -> list:
    """Calls `function(0)` … `function(count - 1)` at the same instant, each in its own connection.

    Gives the results in this order; a call that raised gives its exception. The test needs
    `django_db(transaction=True)`, and what it made must be committed. Raises what kept one of them
    from the start, a server with no connection left say: no race was run.
    """
    results, absent = [None] * count, []
    start = Barrier(count)

    def play(number):
        try:
            connection.ensure_connection()  # opened before the start, so that nobody is late
            start.wait(timeout=60)
        except Exception as error:
            absent.append(error)
            start.abort()
        else:
            try:
                results[number] = function(number)
            except Exception as error:
                results[number] = error
        finally:
            connection.close()

    threads = [Thread(target=play, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if absent:
        raise absent[0]
    return results


@contextmanager
def no_deadlock() -> Iterator[None]:
    """PostgreSQL itself must have seen none, even one whose victim was tried again."""
    before = _deadlocks()
    yield
    assert _deadlocks() == before


class Browser(Client):
    """Django's client without its record of templates and exceptions, which threads would share.

    A fault of the view is the 500 that a family would see.
    """

    def __init__(self, user):
        super().__init__()
        self.force_login(user)

    def request(self, **request):
        response = self.handler(self._base_environ(**request))
        self.cookies.update(response.cookies)
        return response


def _deadlocks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]
