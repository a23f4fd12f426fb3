"""Photos of pages become one PDF: « j'ai pris les pages en photo ».

No database here: photos in, the bytes of a PDF or a French refusal out. What comes out is a file
like any other: whoever keeps it hands it to `check_file`, which goes on refusing an image where a
PDF is due.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO

import pi_heif
import pikepdf
from django.utils.text import slugify
from PIL import Image, ImageOps

from documents.checks import MAX_BYTES, propose_name
from documents.checks.bounded import Limits
from documents.checks.images import MAX_JPEG_SCANS, MAX_PIXELS
from documents.checks.refusals import quoted, refusal
from documents.checks.types import HEIC_TYPES, IMAGE_FORMATS, PDF_TYPE
from documents.magic_loader import mime_type

MAX_PHOTOS = 20
MAX_TOTAL_PIXELS = 250_000_000  # twenty photos of 12 megapixels
MIN_EDGE = 700  # pixels of the longer side: below, 60 points per inch, an A4 page can't be read

A4 = (595.28, 841.89)  # points, portrait
POINTS_PER_INCH = 72
FINEST = 200  # points per inch: the first of STEPS
PDF_OVERHEAD = 1024  # bytes around each page's image, generously

# Of the child that makes the PDF: the heaviest twenty photos took 7 s of processor and 243 Mo. In
# all, well below the 60 s of gunicorn: the antivirus and the storage come after.
LIMITS = Limits(cpu_seconds=20, wall_seconds=25)

# One thread: the server's cores are for everybody, and each thread has its own buffers.
pi_heif.options.DECODE_THREADS = 1


@dataclass(frozen=True)
class _Step:
    dpi: int
    quality: int  # of JPEG
    grey: bool = False


# From best to least. At the last, the body text of a letter (10 points) can still be read.
STEPS = [
    _Step(FINEST, 82),
    _Step(FINEST, 72),
    _Step(170, 70),
    _Step(150, 65),
    _Step(150, 52),
    _Step(130, 50),
    _Step(120, 45),
    _Step(120, 40, grey=True),
    _Step(110, 35, grey=True),
]


def pdf_of_photos(photos: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a PDF of at most 2 Mo with one photo a page, in their order.

    Each photo is its name, which is only ever shown to whoever sent it, and its bytes: JPEG, PNG or
    HEIC, whatever the name says. It is put upright on an A4 page, portrait or landscape as it is
    itself, as finely as the 2 Mo let all of them be. Nothing else of it is kept: no EXIF, no GPS,
    no colour profile. The same photos give the same bytes.

    Bytes in, bytes out: it can be called in a process of its own.

    Raises ValidationError no_photo, too_many_photos, photos_too_heavy, or, with the photo's place
    and name, photo_empty, photo_not_image, photo_damaged, photo_too_small, photo_too_many_pixels.
    """
    _check_count(len(photos))
    _check_pixels(photos)
    sheets = list(_sheets(photos))
    pages = _finest_pages(sheets)
    if pages is None:
        raise refusal("photos_too_heavy", _too_heavy(len(photos)))
    return _assemble(pages)


def pdf_name(kind: str) -> str:
    """A name that `check_file` admits: « Avis d'imposition » gives « avis-d-imposition.pdf »."""
    apart = re.sub(r"['’.]", " ", kind)
    stem = slugify(propose_name(f"{apart}.pdf").removesuffix(".pdf"))[:90].strip("-_")
    return f"{stem or 'pages'}.pdf"


def _check_count(count):
    if not count:
        raise refusal("no_photo", "Choisissez d'abord les photos de vos pages.")
    if count > MAX_PHOTOS:
        raise refusal(
            "too_many_photos",
            f"{MAX_PHOTOS} photos au plus font un PDF\u00a0: retirez-en, ou numérisez le document "
            "en PDF, puis envoyez à nouveau.",
        )


def _too_heavy(count):
    what = f"vos {count} photos" if count > 1 else "votre photo"
    return (
        f"Pour tenir en 2\u00a0Mo, {what} ne seraient plus lisibles\u00a0: cadrez chaque page au "
        "plus près, sans le fond, ou numérisez le document en PDF, puis envoyez à nouveau."
    )


# --- Reading


def _check_pixels(photos):
    """All the headers before any pixel is decoded, which is what takes long."""
    left = MAX_TOTAL_PIXELS
    for place, (name, content) in enumerate(photos, start=1):
        with _told_of(place, name) as who:
            width, height = _open(content, who).size
            left -= width * height
            if width * height > MAX_PIXELS or left < 0:
                raise refusal("photo_too_many_pixels", _too_many_pixels(who))
            if max(width, height) < MIN_EDGE:
                raise refusal("photo_too_small", _too_small(who, width, height))


def _sheets(photos) -> Iterator[bytes]:
    """Each photo upright and no finer than FINEST, as a JPEG with next to no loss.

    The decoded pixels of one photo at a time are in memory, and these copies.
    """
    for place, (name, content) in enumerate(photos, start=1):
        with _told_of(place, name) as who:
            yield _jpeg(_upright(_open(content, who)), quality=95, subsampling=0)


@contextmanager
def _told_of(place, name):
    """Whatever breaks is told of this photo: « La photo 3 (IMG_0003.JPG) … »."""
    visible = "".join(char for char in name if char.isprintable()).strip()
    shown = visible if len(visible) <= 60 else f"{visible[:30]}…{visible[-25:]}"
    who = f"La photo\u00a0{place} ({shown})" if shown else f"La photo\u00a0{place}"
    try:
        yield who
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refusal("photo_too_many_pixels", _too_many_pixels(who)) from error
    except (ValueError, OSError, EOFError, SyntaxError, RuntimeError, MemoryError) as error:
        raise refusal("photo_damaged", _damaged(who)) from error


def _open(content, who):
    """Read the header only, whose type is what the content says."""
    if not content:
        raise refusal("photo_empty", f"{who} est vide (0 octet)\u00a0: {AGAIN}")
    found = mime_type(content[: 64 * 1024])
    if found in HEIC_TYPES:
        return pi_heif.open_heif(BytesIO(content))
    if found not in IMAGE_FORMATS:
        raise refusal("photo_not_image", _not_image(who, found))
    if found == "image/jpeg" and content.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise refusal("photo_damaged", _damaged(who))
    return Image.open(BytesIO(content), formats=("JPEG", "PNG"))


def _upright(image) -> Image.Image:
    """On white, in RGB, no larger than the page at FINEST."""
    if not isinstance(image, Image.Image):
        image = image.to_pillow()  # libheif has put it upright
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode not in ("RGB", "RGBA", "L", "CMYK", "YCbCr"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail(_box(image.size, FINEST), Image.Resampling.LANCZOS)
    with suppress(Exception):  # an odd EXIF block must not refuse a good photo
        ImageOps.exif_transpose(image, in_place=True)
    return _on_white(image)


def _on_white(image):
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.convert("RGBA").getchannel("A"))
    return paper


AGAIN = "reprenez-la ou retirez-la, puis envoyez à nouveau vos photos."


def _damaged(who):
    return f"{who} est abîmée ou incomplète\u00a0: {AGAIN}"


def _too_many_pixels(who):
    return (
        f"{who} a trop de pixels\u00a0: réduisez ses dimensions ou envoyez moins de photos à la "
        "fois, puis envoyez à nouveau."
    )


def _too_small(who, width, height):
    return (
        f"{who} est trop petite pour être lue ({width}\u00a0×\u00a0{height} pixels)\u00a0: "
        "envoyez la photo d'origine, pas sa vignette, puis envoyez à nouveau vos photos."
    )


def _not_image(who, found):
    if found == PDF_TYPE:
        return f"{who} est un PDF\u00a0: envoyez-le seul, dans le champ de la pièce."
    return (
        f"{who} n'est pas une photo {quoted('JPEG')}, {quoted('PNG')} ou {quoted('HEIC')}\u00a0: "
        f"{AGAIN}"
    )


# --- Writing


def _finest_pages(sheets):
    """The JPEG of each page at the first step that fits, or None. Steps only get lighter."""
    room = MAX_BYTES - PDF_OVERHEAD * (len(sheets) + 1)
    pages = _pages_within(room, sheets, STEPS[0])  # most often, a few pages
    if pages is not None:
        return pages
    low, high = 1, len(STEPS)
    while low < high:
        middle = (low + high) // 2
        lighter = _pages_within(room, sheets, STEPS[middle])
        if lighter is None:
            low = middle + 1
        else:
            pages, high = lighter, middle
    return pages


def _pages_within(room, sheets, step):
    """The JPEG of each page at this step, or None as soon as they pass `room` bytes."""
    pages = []
    for sheet in sheets:
        pages.append(_page(sheet, step))
        room -= len(pages[-1])
        if room < 0:
            return None
    return pages


def _page(sheet, step):
    image = Image.open(BytesIO(sheet), formats=("JPEG",))
    image.load()
    image.thumbnail(_box(image.size, step.dpi), Image.Resampling.LANCZOS)
    if step.grey:
        image = image.convert("L")
    return _jpeg(image, quality=step.quality, optimize=True)


def _jpeg(image, **options):
    image.info = {}  # Pillow copies comments and colour profiles from here into what it saves
    written = BytesIO()
    image.save(written, "JPEG", **options)
    return written.getvalue()


def _box(size, dpi):
    """The pixels of an A4 page, portrait or landscape as `size` is."""
    return tuple(round(side * dpi / POINTS_PER_INCH) for side in _page_size(size))


def _page_size(size):
    return A4 if size[1] >= size[0] else A4[::-1]


def _assemble(pages):
    with pikepdf.new() as pdf:
        for page in pages:
            _add_page(pdf, page)
        written = BytesIO()
        pdf.save(
            written,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
        return written.getvalue()


def _add_page(pdf, jpeg):
    image = Image.open(BytesIO(jpeg))
    paper = _page_size(image.size)
    scale = min(paper[0] / image.width, paper[1] / image.height)
    width, height = image.width * scale, image.height * scale
    left, bottom = (paper[0] - width) / 2, (paper[1] - height) / 2
    page = pdf.add_blank_page(page_size=paper)
    page.Resources = pikepdf.Dictionary(
        XObject=pikepdf.Dictionary(
            Photo=pdf.make_stream(
                jpeg,
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Image,
                Width=image.width,
                Height=image.height,
                ColorSpace=pikepdf.Name.DeviceGray if image.mode == "L" else pikepdf.Name.DeviceRGB,
                BitsPerComponent=8,
                Filter=pikepdf.Name.DCTDecode,
            )
        )
    )
    drawn = f"q {width:.2f} 0 0 {height:.2f} {left:.2f} {bottom:.2f} cm /Photo Do Q"
    page.Contents = pdf.make_stream(drawn.encode())
