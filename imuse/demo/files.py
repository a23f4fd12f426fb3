"""Small files as families hand them in: readable, and marked as specimens."""

import random
import unicodedata
from io import BytesIO

import pikepdf
from PIL import Image, ImageDraw

A4 = (595, 842)  # points
SKINS = ["#f1c9a5", "#d9a066", "#8d5524", "#ffdbac", "#c68642"]
SHIRTS = ["#2f5d8a", "#8a2f4b", "#3c7a57", "#6b4f9e", "#b4632d"]


def make_pdf(title: str, lines: list[str], *, pages: int = 1) -> bytes:
    """A document of a few lines, in Helvetica, which every reader carries."""
    with pikepdf.new() as pdf:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pdf.make_indirect(font)))
        for number in range(1, pages + 1):
            page = pdf.add_blank_page(page_size=A4)
            page.obj.Resources = resources
            foot = ["", "SPÉCIMEN – conservatoire de démonstration"]
            foot += [f"Page {number} sur {pages}"] if pages > 1 else []
            page.obj.Contents = pdf.make_stream(_text(title, lines + foot))
        written = BytesIO()
        pdf.save(written)
        return written.getvalue()


def make_portrait(rng: random.Random) -> bytes:
    """A drawn head and shoulders, in the proportions of an identity photo."""
    width, height = 350, 450
    image = Image.new("RGB", (width, height), "#dfe6ec")
    draw = ImageDraw.Draw(image)
    draw.ellipse((35, 310, 315, 620), fill=rng.choice(SHIRTS))
    skin = rng.choice(SKINS)
    draw.rectangle((145, 260, 205, 340), fill=skin)
    draw.ellipse((95, 70, 255, 300), fill="#3b2a20")
    draw.ellipse((105, 95, 245, 300), fill=skin)
    for left in (138, 194):
        draw.ellipse((left, 180, left + 18, 198), fill="#2b2b2b")
    draw.arc((145, 205, 205, 260), 20, 160, fill="#7a3b2e", width=4)
    written = BytesIO()
    image.save(written, "JPEG", quality=80)
    return written.getvalue()


def _text(title, lines):
    rows = [b"BT /F1 18 Tf 72 760 Td 22 TL %s Tj T* /F1 12 Tf T*" % _string(title)]
    rows += [b"%s Tj T*" % _string(line) for line in lines]
    return b"\n".join([*rows, b"ET"])


def _string(text):
    """Written in the PDF's WinAnsi, whose letters are fewer than those of our names."""
    encoded = b"".join(_encode(letter) for letter in text)
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    return b"(%s)" % encoded


def _encode(letter):
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore")
