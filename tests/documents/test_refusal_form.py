"""Why a piece is refused: a reason of the list, and words that the family reads."""

import pytest

from documents.enums import RefusalReason
from documents.forms import RefusalForm


@pytest.mark.parametrize(
    ("reason", "comment"),
    [(RefusalReason.UNREADABLE, ""), (RefusalReason.OTHER, "Signez-le."), ("too_old", "x" * 300)],
)
def test_what_the_service_takes(reason, comment):
    form = RefusalForm({"reason": reason, "comment": f" {comment} "})

    assert form.is_valid()
    assert form.cleaned_data == {"reason": reason, "comment": comment}


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({}, {"reason": ["Choisissez le motif du refus."]}),
        ({"reason": "", "comment": "Non."}, {"reason": ["Choisissez le motif du refus."]}),
        ({"reason": "other"}, {"comment": ["Précisez le motif du refus."]}),
        ({"reason": "other", "comment": "  "}, {"comment": ["Précisez le motif du refus."]}),
    ],
)
def test_what_is_refused(data, errors):
    assert RefusalForm(data).errors == errors


def test_a_reason_out_of_the_list():
    assert list(RefusalForm({"reason": "whim"}).errors) == ["reason"]


@pytest.mark.parametrize("reason", ["too_old", "other"])
def test_300_characters_at_most(reason):
    errors = RefusalForm({"reason": reason, "comment": "x" * 301}).errors

    assert {name: len(messages) for name, messages in errors.items()} == {"comment": 1}


def test_several_on_one_page():
    form = RefusalForm({"p1-reason": "too_old"}, prefix="p1")

    assert form.is_valid()
    assert not RefusalForm({"p1-reason": "too_old"}, prefix="p2").is_valid()
