"""Identifiants made from a name: short, without accents, easy to read aloud on the phone."""

import re
from collections.abc import Container, Iterator
from itertools import count

from accounts.models import User
from accounts.names import sort_key

LAST, FIRST = 60, 30  # letters kept: with a number, well under the 150 of the column
NAMELESS = "famille"  # a name without one Latin letter


def wishes(first_name: str, last_name: str) -> Iterator[str]:
    """« martin.c », « martin.cl », « martin.claire », then « martin.c2 », « martin.c3 »…"""
    last = letters(last_name)[:LAST] or NAMELESS
    first = letters(first_name)[:FIRST]
    initial = f"{last}.{first[0]}" if first else last
    if first:
        yield from dict.fromkeys([initial, f"{last}.{first[:2]}", f"{last}.{first}"])
    else:
        yield initial
    yield from (f"{initial}{number}" for number in count(2))


def free_username(first_name: str, last_name: str, *, taken: Container[str]) -> str:
    """The first wish that is not taken."""
    return next(name for name in wishes(first_name, last_name) if name not in taken)


def taken_like(last_name: str) -> set[str]:
    """The identifiants that a person of this name could run into. One query."""
    last = letters(last_name)[:LAST] or NAMELESS
    alike = User.objects.filter(username__startswith=last)
    return set(alike.values_list("username", flat=True))


def letters(name: str) -> str:
    """`("de La Fontaine-d'Aux")` gives `"delafontainedaux"`."""
    return re.sub("[^a-z]", "", sort_key(name))
