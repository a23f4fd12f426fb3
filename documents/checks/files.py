"""A received file, whole: its name, its type, its size, then what it holds."""

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from django.core.exceptions import ImproperlyConfigured

from documents.checks import bounded
from documents.checks.images import rewrite_image
from documents.checks.names import check_name
from documents.checks.pdfs import check_pdf, is_something_else
from documents.checks.refusals import DAMAGED, DUE, HEIC, quoted, refusal
from documents.checks.types import (
    HEIC_TYPES,
    IMAGE_FORMATS,
    MAGIC_SYNONYMS,
    PDF_TYPE,
    TYPES_BY_EXTENSION,
)
from documents.enums import Formats
from documents.magic_loader import mime_type

MAX_BYTES = 2 * 1024 * 1024
SNIFFED_BYTES = 64 * 1024

EMPTY = (
    "Votre fichier est vide (0 octet)\u00a0: vérifiez qu'il s'ouvre sur votre appareil, puis "
    "envoyez-le à nouveau."
)
TOO_LARGE_PDF = (
    "Numérisez le document en noir et blanc ou à 150 points par pouce, puis envoyez ce PDF plus "
    "léger."
)
TOO_LARGE_IMAGE = "Réduisez la photo (taille moyenne), puis envoyez cette copie plus légère."
IMAGE_WHERE_PDF = (
    "Ce document est attendu en PDF et votre fichier est une image\u00a0: numérisez le document en "
    "PDF (sur iPhone\u00a0: Notes > Scanner des documents\u00a0; sur Android\u00a0: Google Drive > "
    "Numériser), puis envoyez ce PDF."
)
PDF_WHERE_IMAGE = (
    "Une image JPEG ou PNG est attendue et votre fichier est un PDF\u00a0: envoyez la photo "
    "elle-même, ou une capture d'écran de ce PDF."
)


@dataclass(frozen=True)
class CheckedFile:
    """A file that passed: what is kept is exactly `content`."""

    name: str  # the declared name, checked
    content: bytes  # PDFs as received; images decoded and written anew, upright, no metadata
    content_type: str  # "application/pdf" | "image/jpeg" | "image/png"
    pages: int | None  # PDFs only
    pixels: tuple[int, int] | None  # images only: width and height of what is kept
    received_sha256: str
    sha256: str  # of `content`


def check_file(name: str, content: bytes, *, formats: Formats, run=bounded.run) -> CheckedFile:
    """Check a received file (mode d'emploi, étape 7) and return what must be stored.

    `name` is the name declared by the browser, `content` the whole file, `formats` what the kind
    of document admits. Whatever parses the content runs in a bounded child; with `run=here`, in
    this process.

    Raises ValidationError, with one French sentence that says what to do and one of the codes
    name_not_allowed, name_too_long, extension_not_allowed, heic, empty, too_large,
    image_where_pdf, pdf_where_image, type_mismatch, damaged, password, active_content, no_pages,
    too_many_pixels, too_complex, or unavailable (the file is not to blame). With `run=here`,
    raises ImproperlyConfigured when libmagic is missing.
    """
    name, extension = check_name(name, formats)
    if not content:
        raise refusal("empty", EMPTY)
    # Of what is too heavy, enough to tell what it is.
    parsed = content if len(content) <= MAX_BYTES else content[:SNIFFED_BYTES]
    found = run(examine, parsed, len(content), extension, formats)
    content_type, pages, pixels, rewritten = _read_facts(found)
    kept = content if rewritten is None else rewritten
    return CheckedFile(
        name=name,
        content=kept,
        content_type=content_type,
        pages=pages,
        pixels=pixels,
        received_sha256=sha256(content).hexdigest(),
        sha256=sha256(kept).hexdigest(),
    )


def _read_facts(found):
    """What `examine` found, if it has its form: a child that a file took over says anything."""
    match found:
        case {"content_type": "application/pdf", "pages": int() as pages, "content": None}:
            return PDF_TYPE, pages, None, None
        case {
            "content_type": "image/jpeg" | "image/png" as content_type,
            "pixels": [int() as width, int() as height],
            "content": bytes() as content,
        }:
            return content_type, None, (width, height), content
    raise refusal("damaged", DAMAGED)


def here(function, *arguments):
    """What `bounded.run` does, without its bounds: for the tests of the parsers themselves."""
    return function(*arguments)


def examine(content: bytes, size: int, extension: str, formats: Formats) -> dict:
    """What a file of `size` bytes is, by its content: the content_type, and pages or pixels.

    `content` is what must be kept of an image, None for a PDF: kept as received. Raises
    ValidationError, as check_file.
    """
    content_type = _check_type(content, size, extension, formats)
    if content_type == PDF_TYPE:
        pages = check_pdf(content)
        return {"content_type": content_type, "pages": pages, "pixels": None, "content": None}
    kept, pixels = rewrite_image(content, IMAGE_FORMATS[content_type])
    return {"content_type": content_type, "pages": None, "pixels": pixels, "content": kept}


def _check_type(content, size, extension, formats):
    """Return the type of a file of the right size, whose content is what its name says."""
    content_type = _sniff(content)
    if content_type in HEIC_TYPES:
        raise refusal("heic", HEIC)
    agrees = content_type in TYPES_BY_EXTENSION[extension]
    if content_type == PDF_TYPE and is_something_else(content):
        agrees = False
    if agrees:  # before the size: no use shrinking a photo where a PDF is due
        _check_due(content_type, formats)
    if size > MAX_BYTES:
        raise refusal("too_large", _too_large(size, extension))
    if not agrees:
        raise refusal(
            "type_mismatch",
            f"Le contenu de votre fichier n'est pas ce que dit son nom ({quoted(extension)})"
            f"\u00a0: ouvrez-le, enregistrez-le à nouveau, puis envoyez {DUE[formats]}.",
        )
    return content_type


def warm_up() -> None:
    """libmagic reads its rules when it is first asked; without it, `manage.py check` says so."""
    with suppress(ImproperlyConfigured):
        _sniff(b"%PDF-1.7")


def _sniff(content):
    found = mime_type(content[:SNIFFED_BYTES])
    return MAGIC_SYNONYMS.get(found, found)


def _check_due(content_type, formats):
    if content_type == PDF_TYPE and formats == Formats.IMAGE:
        raise refusal("pdf_where_image", PDF_WHERE_IMAGE)
    if content_type != PDF_TYPE and formats == Formats.PDF:
        raise refusal("image_where_pdf", IMAGE_WHERE_PDF)


def _too_large(size, extension):
    tenths = -(-size * 10 // (1024 * 1024))  # rounded up: never « 2,0 Mo » for a refused file
    advice = TOO_LARGE_PDF if extension == ".pdf" else TOO_LARGE_IMAGE
    return (
        f"Votre fichier pèse {tenths // 10},{tenths % 10}\u00a0Mo\u00a0; la limite est de "
        f"2\u00a0Mo. {advice}"
    )
