"""Photos and screenshots of parents' devices: all pass, upright, without what tells on them."""

import struct
import zlib
from functools import partial
from io import BytesIO

from PIL import Image, ImageCms, PngImagePlugin

from tests.documents.builders import MAKE, make_jpeg, make_mpo, make_png
from tests.documents.corpus.case import jpeg, png

GPS, USER_COMMENT = 0x8825, 0x9286
SECRET = b"secret-48.8566N"


def photo(size=(4032, 3024), quality=60, **options):
    """Grain, as of a real sensor: 2 Mo for the 12 megapixels of a phone."""
    grain = Image.effect_noise((size[0] // 4, size[1] // 4), 40).resize(size).convert("RGB")
    written = BytesIO()
    grain.save(written, "JPEG", quality=quality, **options)
    return written.getvalue()


def with_gps():
    exif = Image.Exif()
    exif[MAKE] = "Apple"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 8.0)})
    exif.get_ifd(0x8769)[USER_COMMENT] = SECRET
    return make_jpeg(exif=exif)


def with_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return make_jpeg(icc_profile=profile)


def with_thumbnail():
    """The thumbnail of EXIF shows what was cropped: 200 bytes of it stand here."""
    head = b"Exif\0\0II*\0\x08\0\0\0\0\0"
    return make_jpeg(exif=head + b"\0\0\0\0" + SECRET * 10)


def with_texts():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET.decode())
    texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return make_png(pnginfo=texts)


def interlaced(width=8, height=8):
    """Adam7, which Pillow reads and does not write: seven passes of a grey square."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    passes.append((0, 1, 1, 2))
    rows = b""
    for left, top, across, down in passes:
        columns = len(range(left, width, across))
        if columns:
            rows += (b"\0" + b"\x80" * columns) * len(range(top, height, down))
    chunks = [
        b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1),
        b"IDAT" + zlib.compress(rows),
        b"IEND",
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def animated():
    other = Image.new("RGB", (600, 800), "blue")
    return make_png(save_all=True, append_images=[other])


UPRIGHT, LYING = (600, 800), (800, 600)
CASES = [
    jpeg("12 megapixels of a phone", photo, pixels=(4032, 3024), name="IMG_1234.JPG"),
    jpeg(
        "48 megapixels",
        partial(make_jpeg, size=(8064, 6048), quality=50),
        pixels=(8064, 6048),
    ),
    jpeg("progressive", partial(make_jpeg, progressive=True), pixels=UPRIGHT),
    jpeg("12 megapixels, progressive", partial(photo, progressive=True), pixels=(4032, 3024)),
    jpeg("optimized, 4:4:4", partial(make_jpeg, optimize=True, subsampling=0), pixels=UPRIGHT),
    jpeg("CMYK of a print shop", partial(make_jpeg, mode="CMYK"), pixels=UPRIGHT),
    jpeg("grey", partial(make_jpeg, mode="L"), pixels=UPRIGHT),
    jpeg("MPO, only one image kept", make_mpo, pixels=UPRIGHT, gone=(b"MPF\0",)),
    jpeg("GPS", with_gps, pixels=UPRIGHT, gone=(SECRET, b"Apple", b"Exif")),
    jpeg("comment", partial(make_jpeg, comment=SECRET), pixels=UPRIGHT, gone=(SECRET,)),
    jpeg("XMP", partial(make_jpeg, xmp=SECRET), pixels=UPRIGHT, gone=(SECRET,)),
    jpeg("colour profile", with_profile, pixels=UPRIGHT, gone=(b"ICC_PROFILE",)),
    jpeg("thumbnail", with_thumbnail, pixels=UPRIGHT, gone=(SECRET,)),
    jpeg("restart markers", partial(make_jpeg, restart_marker_rows=1), pixels=UPRIGHT),
    jpeg("one pixel", partial(make_jpeg, size=(1, 1)), pixels=(1, 1)),
    jpeg("a JPEG named .png", make_jpeg, name="photo.png", pixels=UPRIGHT),
    jpeg("long extension", make_jpeg, name="photo.JPEG", pixels=UPRIGHT),
    jpeg("some bytes after its end", lambda: make_jpeg() + bytes(600), pixels=UPRIGHT),
    *(
        jpeg(
            f"orientation {orientation}",
            partial(make_jpeg, exif_orientation=orientation),
            pixels=UPRIGHT if orientation <= 4 else LYING,
            gone=(b"Exif",),
        )
        for orientation in range(1, 9)
    ),
    png("screenshot", partial(make_png, size=(1170, 2532)), pixels=(1170, 2532)),
    png("transparent", partial(make_png, mode="RGBA"), pixels=UPRIGHT),
    png("grey, transparent", partial(make_png, mode="LA"), pixels=UPRIGHT),
    png("palette, transparent", partial(make_png, mode="P", transparency=0), pixels=UPRIGHT),
    png("black and white", partial(make_png, mode="1"), pixels=UPRIGHT),
    png("16 bits", partial(make_png, mode="I;16"), pixels=UPRIGHT),
    png("interlaced", interlaced, pixels=(8, 8)),
    png("one pixel, PNG", partial(make_png, size=(1, 1)), pixels=(1, 1)),
    png("animated: its first image", animated, pixels=UPRIGHT, gone=(b"acTL",)),
    png("a PNG named .jpg", make_png, name="photo.jpg", pixels=UPRIGHT),
    png("texts", with_texts, pixels=UPRIGHT, gone=(SECRET,)),
]
