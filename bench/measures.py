"""Figures from samples: pure functions, tested in tests/imuse/test_bench.py."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from bench.clients import Answer


@dataclass(frozen=True)
class Sample:
    """One measure of one address: answers per second, the seconds of each, CPU ms per answer."""

    per_second: float
    seconds: list[float]
    cpu_ms: float


@dataclass(frozen=True)
class Spread:
    """Of several rounds."""

    low: float
    median: float
    high: float

    def __format__(self, spec):
        """The median first, as it is what one compares: « 1,20 (1,10–1,31) »."""
        spec = spec or ".2f"
        low, median, high = (
            french(format(value, spec)) for value in (self.low, self.median, self.high)
        )
        return f"{median} ({low}–{high})"


def spread(values: Iterable[float]) -> Spread:
    values = list(values)
    return Spread(min(values), statistics.median(values), max(values))


def percentile(values: Iterable[float], rank: int) -> float:
    """The smallest value that `rank` % of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * rank / 100) - 1)]


def rate(answers: list[Answer]) -> float:
    """Answers per second, from the first request to the last answer."""
    lasted = max(a.answered_at for a in answers) - min(a.sent_at for a in answers)
    return len(answers) / lasted


def unfair(granted: list[Answer], refused: list[Answer]) -> int:
    """Of one slot where nobody gave back: how many were refused before a later one was granted.

    Two requests that were under way at the same time may be answered in either order.
    """
    last_granted = max((answer.sent_at for answer in granted), default=-math.inf)
    return sum(answer.answered_at < last_granted for answer in refused)


def french(number: str) -> str:
    return number.replace(".", ",")
