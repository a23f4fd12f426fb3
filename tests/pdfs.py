"""What stands written on the pages of a PDF that Typst made."""

import io
import re

import pikepdf


def texts_of(pdf: bytes) -> list[str]:
    """Page by page, and without any blank: a gap between two words is not always a sign."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return ["".join(_signs(page)) for page in document.pages]


def _signs(page):
    fonts = {
        name: _unicode(font.ToUnicode.read_bytes().decode())
        for name, font in page.Resources.Font.items()
    }
    font = {}
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) == "Tf":
            font = fonts[str(operands[0])]
        elif str(operator) in ("Tj", "TJ"):
            shown = operands[0] if str(operator) == "TJ" else operands
            for part in shown:
                if isinstance(part, pikepdf.String):
                    yield "".join("".join(font[code] for code in _codes(bytes(part))).split())


def _codes(glyphs):
    return [int.from_bytes(glyphs[i : i + 2]) for i in range(0, len(glyphs), 2)]


def _unicode(cmap):
    """The lines `<glyph> <letters>` of the CMap."""
    pairs = re.findall(r"^<(\w+)> <(\w+)>$", cmap, re.MULTILINE)
    return {int(glyph, 16): bytes.fromhex(text).decode("utf-16-be") for glyph, text in pairs}
