"""A received file, whole: its name, its type, its size, then what it holds."""

from dataclasses import dataclass
from hashlib import sha256

from documents.checks.images import rewrite_image
from documents.checks.names import check_name
from documents.checks.pdfs import check_pdf
from documents.checks.refusals import DUE, HEIC, quoted, refusal
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
    received_sha256: str
    sha256: str  # of `content`


def check_file(name: str, content: bytes, *, formats: Formats) -> CheckedFile:
    """Check a received file (mode d'emploi, étape 7) and return what must be stored.

    `name` is the name declared by the browser, `content` the whole file, `formats` what the kind
    of document admits.

    Raises ValidationError, with one French sentence that says what to do and one of the codes
    name_not_allowed, name_too_long, extension_not_allowed, heic, empty, too_large,
    image_where_pdf, pdf_where_image, type_mismatch, damaged, password, active_content, no_pages,
    too_many_pixels. Raises ImproperlyConfigured when libmagic is missing.
    """
    name, extension = check_name(name, formats)
    content_type = _check_content(content, extension, formats)
    if content_type == PDF_TYPE:
        kept, pages = content, check_pdf(content)
    else:
        kept, pages = rewrite_image(content, IMAGE_FORMATS[content_type]), None
    return CheckedFile(
        name=name,
        content=kept,
        content_type=content_type,
        pages=pages,
        received_sha256=sha256(content).hexdigest(),
        sha256=sha256(kept).hexdigest(),
    )


def _check_content(content, extension, formats):
    """Return the type of a file of the right size, whose content is what its name says."""
    if not content:
        raise refusal("empty", EMPTY)
    content_type = _sniff(content)
    if content_type in HEIC_TYPES:
        raise refusal("heic", HEIC)
    agrees = content_type in TYPES_BY_EXTENSION[extension]
    if agrees:  # before the size: no use shrinking a photo where a PDF is due
        _check_due(content_type, formats)
    if len(content) > MAX_BYTES:
        raise refusal("too_large", _too_large(len(content), extension))
    if not agrees:
        raise refusal(
            "type_mismatch",
            f"Le contenu de votre fichier n'est pas ce que dit son nom ({quoted(extension)})"
            f"\u00a0: ouvrez-le, enregistrez-le à nouveau, puis envoyez {DUE[formats]}.",
        )
    return content_type


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
