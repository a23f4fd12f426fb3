"""Bytes to images, one per page, and to text. Runs in the child process, without Django."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pypdfium2
from PIL import Image, ImageOps

PDF_TYPE = "application/pdf"

MAX_PAGES = 40
BOX = (1414, 2000)  # pixels: an A4 at 170 dots per inch, which the small print of a tax form asks
LARGEST_SCALE = 6  # pixels per point: a stamp is not blown up to a poster
MAX_PIXELS = 50_000_000
MAX_SECONDS = 12  # then the pages drawn so far are kept
TEXT_PAGES, TEXT_LENGTH = 5, 20_000  # characters
QUALITY = 80


@dataclass(frozen=True)
class DrawnPage:
    jpeg: bytes
    width: int  # pixels
    height: int


@dataclass(frozen=True)
class Drawing:
    pages: list[DrawnPage]  # the first ones: MAX_PAGES at most, or what MAX_SECONDS allowed
    text: str  # of the first pages; empty for a scan or a photo


def draw(content: bytes, content_type: str) -> Drawing:
    """The pages of a PDF, or the photo itself, each within BOX.

    Raises whatever the libraries raise for a file that they cannot draw.
    """
    if content_type != PDF_TYPE:
        return Drawing([_photo(content)], "")
    with pypdfium2.PdfDocument(content) as pdf:
        pdf.init_forms()  # what was typed in the fields of a form shows
        return Drawing(list(_pages(pdf)), _text(pdf))


def draw_plainly(content: bytes, content_type: str) -> dict:
    """`draw`, as it leaves a child: {"text": …, "pages": [[JPEG, width, height], …]}."""
    drawing = draw(content, content_type)
    pages = [[page.jpeg, page.width, page.height] for page in drawing.pages]
    return {"text": drawing.text, "pages": pages}


def _pages(pdf) -> Iterator[DrawnPage]:
    until = time.monotonic() + MAX_SECONDS
    for number in range(min(len(pdf), MAX_PAGES)):
        page = pdf[number]
        width, height = page.get_size()
        scale = min(BOX[0] / max(width, 1), BOX[1] / max(height, 1), LARGEST_SCALE)
        yield _drawn(page.render(scale=scale).to_pil())
        page.close()
        if time.monotonic() > until:
            return


def _text(pdf):
    texts = []
    for number in range(min(len(pdf), TEXT_PAGES)):
        textpage = pdf[number].get_textpage()
        texts.append(textpage.get_text_bounded())
        textpage.close()
    return "\n".join(texts)[:TEXT_LENGTH]


def _photo(content):
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(BytesIO(content)) as image:
        image.draft("RGB", BOX)
        image.load()
        image = ImageOps.exif_transpose(image)
        image.thumbnail(BOX)
        return _drawn(_on_white(image))


def _on_white(image):
    """JPEG knows no transparency: what is transparent shows as paper does."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image)


def _drawn(image):
    written = BytesIO()
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    image.save(written, "JPEG", quality=QUALITY)
    return DrawnPage(written.getvalue(), *image.size)
