"""What a file must be before it is kept (mode d'emploi, étape 7).

No database here: bytes in, a CheckedFile or a French refusal out. Every parser is bounded, in
time and in memory, because the bytes come from outside.
"""

import re
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath

import pikepdf
from django.core.exceptions import ValidationError
from PIL import Image, ImageOps

from documents.enums import Formats
from documents.magic_loader import mime_type

MAX_BYTES = 2 * 1024 * 1024
MAX_NAME_LENGTH = 100
MAX_PIXELS = 50_000_000  # a 48-megapixel phone photo passes
MAX_JPEG_SCANS = 100  # an honest progressive photo has about ten; each costs a pass over all pixels
MAX_PDF_ITEMS = 500_000  # entries of dictionaries and arrays: the largest honest 2 Mo have 100,000
MAX_INFLATED_BYTES = 16 * 1024 * 1024  # one stream of PDF objects, once inflated
SNIFFED_BYTES = 64 * 1024
JPEG_QUALITY = 88

ALLOWED_IN_NAMES = r"A-Za-z0-9 ._()-"
EXAMPLE_NAME = "document"

PDF_TYPE = "application/pdf"
IMAGE_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
TYPES_BY_EXTENSION = {
    ".pdf": {PDF_TYPE},
    # A PNG named .jpg harms nobody: the content decides.
    ".jpg": set(IMAGE_FORMATS),
    ".jpeg": set(IMAGE_FORMATS),
    ".png": set(IMAGE_FORMATS),
}
MAGIC_SYNONYMS = {"image/apng": "image/png"}  # an animated PNG: its first image is kept
HEIC_EXTENSIONS = {".heic", ".heif"}
HEIC_TYPES = {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"}
TEXT_EXTENSIONS = {".doc", ".docx", ".odt", ".pages", ".rtf"}

ACTIVE_ACTIONS = {
    "/GoToE",
    "/ImportData",
    "/JavaScript",
    "/Launch",
    "/Movie",
    "/Rendition",
    "/RichMediaExecute",
    "/Sound",
}
ACTIVE_SUBTYPES = {"/3D", "/FileAttachment", "/Movie", "/RichMedia", "/Screen", "/Sound"}
ACTIVE_KEYS = {"/EF", "/JS", "/XFA"}  # an embedded file, a script, a dynamic form

# qpdf inflates streams of objects (no page, no image) as it opens a file: these limits hold for
# the whole process, so they are set once, here.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=MAX_INFLATED_BYTES,
    run_length_max_memory=MAX_INFLATED_BYTES,
    png_max_memory=MAX_INFLATED_BYTES,
    tiff_max_memory=MAX_INFLATED_BYTES,
    max_stream_filters=1,
    parser_max_container_size=MAX_PDF_ITEMS,
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
    name, extension = _check_name(name, formats)
    content_type = _check_content(content, extension, formats)
    if content_type == PDF_TYPE:
        kept, pages = content, _check_pdf(content)
    else:
        kept, pages = _rewrite_image(content, IMAGE_FORMATS[content_type]), None
    return CheckedFile(
        name=name,
        content=kept,
        content_type=content_type,
        pages=pages,
        received_sha256=sha256(content).hexdigest(),
        sha256=sha256(kept).hexdigest(),
    )


# Names


def propose_name(name: str) -> str:
    """Return a name near `name` that check_file admits: « Été.pdf » gives « Ete.pdf ».

    Accents go, other characters become « _ » or go; the extension stays. Never empty, at most
    MAX_NAME_LENGTH characters.
    """
    stem, dot, extension = name.strip().rpartition(".")
    if not dot:
        stem, extension = extension, ""
    extension = re.sub(r"[^A-Za-z0-9]", "", _to_ascii(extension))[:10]
    stem = re.sub(r"_{2,}", "_", _to_ascii(stem)).strip(" .")
    if not re.search(r"[A-Za-z0-9]", stem):
        stem = EXAMPLE_NAME
    if not extension:
        return stem[:MAX_NAME_LENGTH].rstrip(" .")
    return stem[: MAX_NAME_LENGTH - len(extension) - 1].rstrip(" .") + "." + extension


# Letters that Unicode does not decompose into a plain letter and an accent.
PLAIN_LETTERS = str.maketrans(
    {
        "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
        "ı": "i", "–": "-", "—": "-", "‐": "-", "‑": "-",
    }
)  # fmt: skip


def _to_ascii(text):
    decomposed = unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
    visible = "".join(char for char in decomposed if char.isprintable())
    bare = "".join(char for char in visible if not unicodedata.combining(char))
    return re.sub(rf"[^{ALLOWED_IN_NAMES}]", "_", bare)


def _check_name(name, formats):
    """Return the name to keep and its extension in lower case."""
    name = unicodedata.normalize("NFC", _last_component(name)).strip(" ")
    if not PurePosixPath(name.replace("/", "_")).stem.strip(". ") or name.startswith(".."):
        raise _refusal("name_not_allowed", _empty_name(name))
    # Read on the cleaned name, so that an invisible character after « .pdf » is told as such.
    extension = PurePosixPath(propose_name(name)).suffix.lower()
    _check_extension(extension, formats)
    if len(name) > MAX_NAME_LENGTH:
        raise _refusal("name_too_long", _too_long(name))
    if re.search(rf"[^{ALLOWED_IN_NAMES}]", name):
        raise _refusal("name_not_allowed", _not_allowed(name))
    return name, extension


def _last_component(name):
    """Some browsers send a whole Windows path: only its end is the name of the file."""
    return name.rpartition("\\")[2] if re.match(r"[A-Za-z]:\\", name) else name


def _empty_name(name):
    return f"Le nom de votre fichier est vide\u00a0: nommez-le {_quoted(propose_name(name))}, " + (
        "par exemple, puis envoyez-le à nouveau."
    )


def _too_long(name):
    return (
        f"Le nom de votre fichier a {len(name)} caractères et la limite est de "
        f"{MAX_NAME_LENGTH}\u00a0: raccourcissez-le, puis envoyez-le à nouveau."
    )


def _not_allowed(name):
    bad = dict.fromkeys(re.findall(rf"[^{ALLOWED_IN_NAMES}]", name))
    shown = [_quoted(char) for char in bad if char.isprintable()]
    if len(shown) < len(bad):
        shown.append("un caractère invisible")
    return (
        f"Le nom de votre fichier contient {', '.join(shown)}, que nous n'acceptons pas "
        "(ni accents, ni caractères spéciaux)\u00a0: renommez-le "
        f"{_quoted(propose_name(name))}, par exemple, puis envoyez-le à nouveau."
    )


def _check_extension(extension, formats):
    if extension in TYPES_BY_EXTENSION:
        return
    if extension in HEIC_EXTENSIONS:
        raise _refusal("heic", HEIC)
    if extension in TEXT_EXTENSIONS and formats != Formats.IMAGE:
        raise _refusal(
            "extension_not_allowed",
            f"Les fichiers {_quoted(extension)} ne sont pas acceptés\u00a0: ouvrez le document, "
            "enregistrez-le en PDF (Fichier > Exporter ou Enregistrer sous), puis envoyez ce PDF.",
        )
    what = f"Les fichiers {_quoted(extension)} ne sont pas acceptés" if extension else NO_EXTENSION
    raise _refusal("extension_not_allowed", f"{what}\u00a0: envoyez {DUE[formats]}.")


# Contents


def _check_content(content, extension, formats):
    """Return the type of a file of the right size, whose content is what its name says."""
    if not content:
        raise _refusal("empty", EMPTY)
    content_type = _sniff(content)
    if content_type in HEIC_TYPES:
        raise _refusal("heic", HEIC)
    agrees = content_type in TYPES_BY_EXTENSION[extension]
    if agrees:  # before the size: no use shrinking a photo where a PDF is due
        _check_due(content_type, formats)
    if len(content) > MAX_BYTES:
        raise _refusal("too_large", _too_large(len(content), extension))
    if not agrees:
        raise _refusal(
            "type_mismatch",
            f"Le contenu de votre fichier n'est pas ce que dit son nom ({_quoted(extension)})"
            f"\u00a0: ouvrez-le, enregistrez-le à nouveau, puis envoyez {DUE[formats]}.",
        )
    return content_type


def _sniff(content):
    found = mime_type(content[:SNIFFED_BYTES])
    return MAGIC_SYNONYMS.get(found, found)


def _check_due(content_type, formats):
    if content_type == PDF_TYPE and formats == Formats.IMAGE:
        raise _refusal("pdf_where_image", PDF_WHERE_IMAGE)
    if content_type != PDF_TYPE and formats == Formats.PDF:
        raise _refusal("image_where_pdf", IMAGE_WHERE_PDF)


def _too_large(size, extension):
    tenths = -(-size * 10 // (1024 * 1024))  # rounded up: never « 2,0 Mo » for a refused file
    advice = TOO_LARGE_PDF if extension == ".pdf" else TOO_LARGE_IMAGE
    return (
        f"Votre fichier pèse {tenths // 10},{tenths % 10}\u00a0Mo\u00a0; la limite est de "
        f"2\u00a0Mo. {advice}"
    )


@contextmanager
def _damaged_if_it_breaks():
    """Parsers raise anything on hostile bytes, from struct.error to MemoryError: all mean this."""
    try:
        yield
    except ValidationError:
        raise
    except Exception as error:
        raise _refusal("damaged", DAMAGED) from error


# Images


@_damaged_if_it_breaks()
def _rewrite_image(content, image_format):
    """Decode the whole image and return it written anew: upright, its pixels and nothing else."""
    image = _open_image(content)
    image.load()
    # An odd EXIF block must not refuse a good photo: Pillow rotates before it rewrites the block.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    # Pillow copies comments and colour profiles from here into what it saves.
    image.info = {key: image.info[key] for key in image.info.keys() & {"transparency"}}
    written = BytesIO()
    if image_format == "JPEG":
        image.convert("RGB").save(written, "JPEG", quality=JPEG_QUALITY)
    else:
        image.save(written, "PNG")
    return written.getvalue()


def _open_image(content):
    """Read the header only, and refuse what would be too long to decode."""
    try:
        image = Image.open(BytesIO(content), formats=("JPEG", "MPO", "PNG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refusal("too_many_pixels", TOO_MANY_PIXELS) from error
    if image.width * image.height > MAX_PIXELS:
        raise _refusal("too_many_pixels", TOO_MANY_PIXELS)
    if image.format != "PNG" and content.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise _refusal("damaged", DAMAGED)
    return image


# PDFs


@_damaged_if_it_breaks()
def _check_pdf(content):
    """Return the number of pages of a PDF that opens and holds nothing active.

    Pages and images are not inflated: nothing here depends on what they decode to.
    """
    if b"%%EOF" not in content[-2048:] or _may_inflate_without_bound(content):
        raise _refusal("damaged", DAMAGED)
    try:
        # The empty password: a lock on printing or copying opens with it.
        pdf = pikepdf.open(BytesIO(content), inherit_page_attributes=False)
    except pikepdf.PasswordError as error:
        raise _refusal("password", PASSWORD) from error
    with pdf:
        _check_inert(pdf)
        return _count_pages(pdf)


def _may_inflate_without_bound(content):
    """Tell whether qpdf could be made to inflate objects by LZW, which it does not bound.

    It inflates objects only where there is a cross-reference stream, which no honest producer
    writes with LZW, or with filters named elsewhere in the file.
    """
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code[1].decode()), content)
    if b"/XRef" not in plain:
        return False
    return re.search(rb"/LZW|/Filter(?=[^A-Za-z])(?![\s\0]*(?:\[[\s\0]*)?[/\]])", plain) is not None


def _check_inert(pdf):
    """Refuse scripts, launches, embedded files, XFA and media, wherever they hang.

    Everything reachable from the catalog is walked, not the known places only: actions follow
    each other, and fields and annotations nest.
    """
    waiting, seen, items = [pdf.Root], set(), 0
    while waiting:
        node = waiting.pop()
        if node.is_indirect:
            if node.objgen in seen:
                continue
            seen.add(node.objgen)
        is_array = isinstance(node, pikepdf.Array)
        if not is_array and _is_active(node):
            raise _refusal("active_content", ACTIVE_CONTENT)
        items += 1 + (len(node) if is_array else len(node.keys()))
        if items > MAX_PDF_ITEMS:
            raise _refusal("damaged", DAMAGED)
        children = node if is_array else node.as_dict().values()
        waiting += [child for child in children if isinstance(child, CONTAINERS)]


CONTAINERS = (pikepdf.Array, pikepdf.Dictionary, pikepdf.Stream)


def _is_active(node):
    return (
        not ACTIVE_KEYS.isdisjoint(node.keys())
        or str(node.get("/S")) in ACTIVE_ACTIONS
        or str(node.get("/Subtype")) in ACTIVE_SUBTYPES
    )


def _count_pages(pdf):
    pages, declared = len(pdf.pages), pdf.Root.Pages.get("/Count")
    if isinstance(declared, int) and pages < declared:
        raise _refusal("damaged", DAMAGED)  # cut short: qpdf repaired what is left
    if not pages:
        raise _refusal("no_pages", NO_PAGES)
    return pages
