"""What a check costs; docs/performance.md says what was measured on a quiet machine."""

from statistics import median

import pytest

from documents.checks import MAX_BYTES, bounded
from documents.checks.files import examine
from documents.enums import Formats
from tests.documents.corpus import content_of
from tests.documents.misbehaving import give_back

TURNS = 5


def costs(function, *arguments):
    """The seconds of one core that each turn took in its child."""
    outcomes = [bounded.call(function, *arguments) for _ in range(TURNS)]
    for outcome in outcomes:
        outcome.value()
    return median(outcome.cpu_seconds for outcome in outcomes)


@pytest.mark.parametrize(
    ("label", "extension", "seconds"),
    [
        ("limits: 2 Mo, a photo", ".jpg", 0.8),
        ("honest_pdfs: 117 pages", ".pdf", 0.4),
        ("honest_pdfs: 117 pages, typst", ".pdf", 0.4),
    ],
)
def test_a_check_takes_well_under_a_second(label, extension, seconds):
    content = content_of(label)
    assert len(content) <= MAX_BYTES

    assert costs(examine, content, len(content), extension, Formats.ANY) < seconds


def test_a_child_costs_next_to_nothing():
    assert costs(give_back, bytes(MAX_BYTES)) < 0.1
