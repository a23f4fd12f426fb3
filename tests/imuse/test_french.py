import datetime as dt
from decimal import Decimal

import pytest

from imuse.templatetags.french import euros, megabytes, moment, pluralize

KO, MO = 1024, 1024 * 1024


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0,00\u00a0€"),
        ("38", "38,00\u00a0€"),
        ("1234.5", "1\u202f234,50\u00a0€"),
        ("1234567.89", "1\u202f234\u202f567,89\u00a0€"),
        ("-12.3", "\u221212,30\u00a0€"),
    ],
)
def test_euros(amount, shown):
    assert euros(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (dt.datetime(2027, 5, 3, 16, 30, tzinfo=dt.UTC), "3\u00a0mai 2027 à 18\u00a0h\u00a030"),
        (dt.datetime(2027, 1, 3, 8, 5, tzinfo=dt.UTC), "3\u00a0janvier 2027 à 9\u00a0h\u00a005"),
        (dt.datetime(2027, 6, 30, 22, 0, tzinfo=dt.UTC), "1er\u00a0juillet 2027 à 0\u00a0h"),
    ],
)
def test_moment_is_that_of_paris(at, shown):
    assert moment(at) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (1, "1\u00a0Ko"),
        (312 * KO, "312\u00a0Ko"),
        (312 * KO + 1, "313\u00a0Ko"),
        (MO - 1, "1,0\u00a0Mo"),
        (2 * MO, "2,0\u00a0Mo"),
        (2 * MO + 1, "2,1\u00a0Mo"),
    ],
)
def test_a_size_is_rounded_up_so_that_too_heavy_shows(size, shown):
    assert megabytes(size) == shown


@pytest.mark.parametrize(
    ("counted", "ending"), [(0, ""), (1, ""), (2, "s"), ([], ""), (["a"], ""), (["a", "b"], "s")]
)
def test_nought_is_singular(counted, ending):
    assert pluralize(counted) == ending
    assert pluralize(counted, "cette ligne,ces lignes") == (
        "ces lignes" if ending else "cette ligne"
    )
