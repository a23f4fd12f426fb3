"""A moment typed by an agent: the hour of Paris, to the minute, once."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from accounts.moments import MomentField


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2027-05-03T18:00", "2027-05-03T16:00"),
        ("2027-05-03T18:00:00", "2027-05-03T16:00"),
        ("2027-05-03 18:00", "2027-05-03T16:00"),
        ("2027-12-01T08:30", "2027-12-01T07:30"),
        ("2027-03-28T01:59", "2027-03-28T00:59"),
        ("2027-03-28T03:00", "2027-03-28T01:00"),
        ("2027-10-31T01:59", "2027-10-30T23:59"),
        ("2027-10-31T03:00", "2027-10-31T02:00"),
    ],
)
def test_it_is_the_hour_of_paris(typed, utc):
    assert MomentField().clean(typed) == dt.datetime.fromisoformat(f"{utc}+00:00")


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        (
            "2027-03-28T02:30",
            "missing_hour",
            "Le 28 mars 2027, 2 h 30 n'existe pas : cette nuit-là, les montres avancent d'une"
            " heure. Choisissez une autre heure.",
        ),
        ("2027-03-28T02:00", "missing_hour", None),
        (
            "2027-10-31T02:30",
            "double_hour",
            "Le 31 octobre 2027, 2 h 30 a lieu deux fois : cette nuit-là, les montres reculent"
            " d'une heure. Choisissez une autre heure.",
        ),
        ("2027-10-31T02:00", "double_hour", None),
        ("2027-05-03T18:00:01", "seconds", "Indiquez l'heure à la minute, sans secondes."),
        ("2027-05-03T18:00:00.5", "seconds", None),
        ("2027-05-03T18:00Z", "invalid", None),
        ("2027-05-03T18:00+02:00", "invalid", None),
        ("2027-05-03", "invalid", None),
        ("demain", "invalid", None),
        ("9" * 5000, "invalid", None),
        ("", "required", None),
    ],
)
def test_refusals(typed, code, sentence):
    with pytest.raises(ValidationError) as refused:
        MomentField().clean(typed)

    assert refused.value.code == code
    if sentence:
        assert refused.value.messages == [
            sentence.replace("2 h 30", "2\u00a0h\u00a030")
            .replace("28 mars", "28\u00a0mars")
            .replace("31 octobre", "31\u00a0octobre")
            .replace(" : ", "\u00a0: ")
        ]
