"""An invoice's reference, as it is typed: « 2026-00042 », « 2026-42 »."""

import re

REFERENCE = re.compile(r"\s*(\d{4})-(\d{1,9})\s*", re.ASCII)


def reference_in(text: str) -> tuple[int, int] | None:
    """The year and the number, or None for any other text."""
    match = REFERENCE.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None
