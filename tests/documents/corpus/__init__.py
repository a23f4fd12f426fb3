"""Files as families, their devices and attackers make them, each with the verdict it must get.

Every file is made by code: none lies in the repository. A module per kind; `CASES` is all of them.
"""

from functools import cache

from tests.documents.corpus import (
    active,
    bombs,
    corrupt,
    honest_images,
    honest_pdfs,
    kinds,
    limits,
    names,
    polyglots,
)

MODULES = [
    honest_images, honest_pdfs, limits, kinds, active, corrupt, bombs, polyglots, names,
]  # fmt: skip
CASES = [
    (f"{module.__name__.rpartition('.')[2]}: {case.label}", case)
    for module in MODULES
    for case in module.CASES
]


@cache
def content_of(label: str) -> bytes:
    """The file itself, made once for all the tests that send it."""
    return dict(CASES)[label].make()
