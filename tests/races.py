"""Plays many connections at once; only PostgreSQL tells the truth (see the mark `postgres`)."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connection


def run_together(function: Callable[[int], object], count: int) -> list:
    """Calls `function(0)` … `function(count - 1)` at the same instant, each in its own connection.

    Gives the results in this order; a call that raised gives its exception. The test needs
    `django_db(transaction=True)`, and what it made must be committed.
    """
    results = [None] * count
    start = Barrier(count)

    def play(number):
        try:
            connection.ensure_connection()  # opened before the start, so that nobody is late
            start.wait(timeout=30)
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
    return results
