"""Files as families and attackers make them, built in memory."""

from io import BytesIO

import pikepdf
from PIL import Image, ImageDraw

ORIENTATION = 0x0112
MAKE = 0x010F


def _picture(mode, size):
    """A red top-left corner on white, so that a rotation shows."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1] // 2), fill="red")
    return image if mode == "RGB" else image.convert(mode)


def make_jpeg(size=(600, 800), exif_orientation=None, mode="RGB", **options) -> bytes:
    """A photo; `exif_orientation` is the EXIF tag (1 to 8), `options` those of Pillow's save."""
    if exif_orientation:
        exif = Image.Exif()
        exif[ORIENTATION], exif[MAKE] = exif_orientation, "Appareil de test"
        options["exif"] = exif
    written = BytesIO()
    _picture(mode, size).save(written, "JPEG", **options)
    return written.getvalue()


def make_mpo(size=(600, 800)) -> bytes:
    """Two JPEG in one file, as many phones write."""
    written = BytesIO()
    image = _picture("RGB", size)
    image.save(written, "MPO", save_all=True, append_images=[image.reduce(2)])
    return written.getvalue()


def make_png(size=(600, 800), mode="RGB", **options) -> bytes:
    """A PNG of any Pillow mode; `options` are those of Pillow's save."""
    image = Image.new(mode, size, 1000) if mode == "I;16" else _picture(mode, size)
    written = BytesIO()
    image.save(written, "PNG", **options)
    return written.getvalue()


def make_pdf(pages=1, title=None, change=None, **options) -> bytes:
    """A PDF of blank pages; `change(pdf)` adds to it, `options` are those of pikepdf's save."""
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        if title:
            pdf.docinfo["/Title"] = title
        if change:
            change(pdf)
        written = BytesIO()
        pdf.save(written, **options)
        return written.getvalue()


def make_locked_pdf(user="", owner="secret") -> bytes:
    """An encrypted PDF: without a user password, only printing or copying is locked."""
    return make_pdf(encryption=pikepdf.Encryption(owner=owner, user=user))


OBJECTS = (
    b"1 0 2 40 " + b"<</Type/Catalog/Pages 2 0 R>>".ljust(40) + b"<</Type/Pages/Kids[]/Count 0>>"
)


def make_object_stream_pdf(stream, filters) -> bytes:
    """A PDF without pages whose objects lie in `stream`: OBJECTS, as written by `filters`.

    Object 5 is the name of a filter, for those who would hide it there.
    """
    pdf = b"%PDF-1.5\n"
    stream_at = len(pdf)
    pdf += b"3 0 obj\n<</Type/ObjStm/N 2/First 9/Filter %s" % filters
    pdf += b"/Length %d>>stream\n%s\nendstream\nendobj\n" % (len(stream), stream)
    name_at = len(pdf)
    pdf += b"5 0 obj\n/FlateDecode\nendobj\n"
    xref_at = len(pdf)
    kinds = [(0, 0, 255), (2, 3, 0), (2, 3, 1), (1, stream_at, 0), (1, xref_at, 0), (1, name_at, 0)]
    rows = b"".join(bytes([a]) + b.to_bytes(4, "big") + bytes([c]) for a, b, c in kinds)
    pdf += b"4 0 obj\n<</Type/XRef/Size 6/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(rows)
    return pdf + rows + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % xref_at


def lzw(content) -> bytes:
    """Write by LZW in its dullest form: the table is cleared before each byte, 9 bits a code."""
    codes = [code for byte in content for code in (256, byte)] + [257]
    bits = "".join(f"{code:09b}" for code in codes)
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
