"""A photo made a portrait. Runs in the child process, without Django."""

from io import BytesIO

from PIL import Image, ImageOps

SIZE = (240, 320)  # pixels: 4 cm high on paper, and some 10 Ko
FACE = (0.5, 0.3)  # what is cut off is cut below rather than above
QUALITY = 80
MAX_PIXELS = 50_000_000


def draw_portrait(content: bytes) -> bytes:
    """The JPEG of SIZE of an image. Raises whatever Pillow raises for one that it can't draw."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as image:
        image.draft("RGB", (SIZE[0] * 2, SIZE[1] * 2))
        image.load()
        portrait = ImageOps.fit(ImageOps.exif_transpose(image), SIZE, centering=FACE)
    if portrait.has_transparency_data:
        portrait = portrait.convert("RGBA")
        portrait = Image.alpha_composite(Image.new("RGBA", SIZE, "white"), portrait)
    written = BytesIO()
    portrait.convert("RGB").save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
