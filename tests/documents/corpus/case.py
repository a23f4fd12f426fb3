from collections.abc import Callable
from dataclasses import dataclass, field

from documents.enums import Formats

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Case:
    """A file and its verdict: ACCEPTED, with facts of the CheckedFile, or the code of a refusal."""

    label: str
    name: str  # as the browser declares it
    make: Callable[[], bytes]
    verdict: str = ACCEPTED
    formats: Formats = Formats.ANY
    facts: dict = field(default_factory=dict)
    gone: tuple[bytes, ...] = ()  # what must be in the file received, and not in the file kept


def pdf(label, make, verdict=ACCEPTED, *, name="document.pdf", pages=None, **options) -> Case:
    facts = {"content_type": "application/pdf", "pixels": None} | (
        {"pages": pages} if pages else {}
    )
    return Case(label, name, make, verdict, facts=facts, **options)


def jpeg(label, make, verdict=ACCEPTED, *, name="photo.jpg", pixels=None, **options) -> Case:
    return _image("image/jpeg", label, make, verdict, name, pixels, options)


def png(label, make, verdict=ACCEPTED, *, name="photo.png", pixels=None, **options) -> Case:
    return _image("image/png", label, make, verdict, name, pixels, options)


def _image(content_type, label, make, verdict, name, pixels, options):
    facts = {"content_type": content_type, "pages": None} | ({"pixels": pixels} if pixels else {})
    return Case(label, name, make, verdict, facts=facts, **options)
