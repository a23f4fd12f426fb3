"""An image is decoded whole and written anew: its pixels and nothing else."""

import struct
from contextlib import suppress
from io import BytesIO
from zlib import crc32

from PIL import Image, ImageOps

from documents.checks.refusals import DAMAGED, damaged_if_it_breaks, refusal

MAX_PIXELS = 50_000_000  # a 48-megapixel phone photo passes
MAX_JPEG_SCANS = 100  # an honest progressive photo has about ten; each costs a pass over all pixels
JPEG_QUALITY = 88
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

TOO_MANY_PIXELS = (
    "Votre image dépasse 50 millions de pixels\u00a0: réduisez ses dimensions, puis envoyez cette "
    "copie."
)


@damaged_if_it_breaks()
def rewrite_image(content: bytes, image_format: str) -> tuple[bytes, tuple[int, int]]:
    """Decode the whole image; return it written anew, as "JPEG" or "PNG" and upright, and its size.

    The size is the width and the height, in pixels. Raises ValidationError damaged, too_complex or
    too_many_pixels.
    """
    image = _open_image(content)
    image.load()
    # An odd EXIF block must not refuse a good photo: Pillow rotates before it rewrites the block.
    with suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    # Pillow copies comments and colour profiles from here into what it saves.
    image.info = {key: image.info[key] for key in image.info.keys() & {"transparency"}}
    written = BytesIO()
    if image_format == "JPEG":
        image = image if image.mode == "RGB" else image.convert("RGB")
        image.save(written, "JPEG", quality=JPEG_QUALITY)
    else:
        image.save(written, "PNG")
    return written.getvalue(), image.size


def warm_up() -> None:
    """Pillow loads its formats as it meets them, and codecs of Python's own with them."""
    for image_format in ("JPEG", "PNG"):
        written = BytesIO()
        Image.new("RGB", (8, 8)).save(written, image_format)
        rewrite_image(written.getvalue(), image_format)


def _open_image(content):
    """Read the header only, and refuse what would be too long to decode."""
    try:
        # MPO, the phones' way of keeping two JPEG in one file, is opened by JPEG.
        image = Image.open(BytesIO(content), formats=("JPEG", "PNG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise refusal("too_many_pixels", TOO_MANY_PIXELS) from error
    if image.width * image.height > MAX_PIXELS:
        raise refusal("too_many_pixels", TOO_MANY_PIXELS)
    if image.format == "PNG":
        _check_sums(content)
    elif content.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise refusal("damaged", DAMAGED)
    return image


def _check_sums(content):
    """Refuse a PNG one of whose chunks of pixels changed on its way: Pillow would draw them."""
    start = len(PNG_SIGNATURE)
    while len(content) - start >= 12:
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + 8 + length
        is_critical = kind[:1].isupper()
        if is_critical and content[end : end + 4] != crc32(content[start + 4 : end]).to_bytes(
            4, "big"
        ):
            raise refusal("damaged", DAMAGED)
        if kind == b"IEND":
            return
        start = end + 4
