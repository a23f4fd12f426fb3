"""Each file of the corpus gets its verdict, in bounded time and memory."""

from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError

from documents.checks import bounded, check_file
from tests.documents.corpus import CASES, content_of
from tests.documents.corpus.case import ACCEPTED

CPU_SECONDS = 1  # of one core
# Of a child's five. The costliest takes 1.4 on a quiet machine, and more beside another suite: what
# a processor's second is worth depends on its neighbours.
HOSTILE_CPU_SECONDS = 3
MEMORY_BYTES = 900 * 1024 * 1024  # 48 megapixels in CMYK, decoded and turned upright


def test_the_corpus_is_as_large_as_was_asked():
    labels = [label for label, _ in CASES]

    assert len(set(labels)) == len(labels) >= 80


@pytest.mark.parametrize(("label", "case"), CASES, ids=[label for label, _ in CASES])
def test_verdict(label, case):
    content, costs = content_of(label), []

    def run(function, *arguments):
        outcome = bounded.call(function, *arguments)
        costs.append((outcome.cpu_seconds, outcome.memory_bytes))
        return outcome.value()

    verdict, checked, sentence = ACCEPTED, None, ""
    try:
        checked = check_file(case.name, content, formats=case.formats, run=run)
    except ValidationError as error:
        verdict, [sentence] = error.code, error.messages

    assert verdict == case.verdict, sentence
    most = HOSTILE_CPU_SECONDS if label.startswith(("bombs: ", "limits: ")) else CPU_SECONDS
    for cpu_seconds, memory_bytes in costs:
        assert cpu_seconds < most
        assert memory_bytes < MEMORY_BYTES
    if checked is None:
        assert "\u00a0: " in sentence or "\u00a0; " in sentence  # what is wrong, then what to do
        return
    assert {fact: getattr(checked, fact) for fact in case.facts} == case.facts
    assert checked.received_sha256 == sha256(content).hexdigest()
    assert checked.sha256 == sha256(checked.content).hexdigest()
    for trace in case.gone:
        assert trace in content
        assert trace not in checked.content
