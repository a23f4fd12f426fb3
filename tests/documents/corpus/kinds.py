"""What the manual does not take: other types, other kinds, one in the place of another."""

import gzip
import struct
import zipfile
from io import BytesIO

from PIL import Image

from documents.enums import Formats
from tests.documents.builders import make_jpeg, make_mpo, make_pdf, make_png
from tests.documents.corpus.case import Case


def by_pillow(image_format, **options):
    def make():
        written = BytesIO()
        Image.new("RGB", (60, 80), "red").save(written, image_format, **options)
        return written.getvalue()

    return make


def archive(*names):
    def make():
        written = BytesIO()
        with zipfile.ZipFile(written, "w") as zipped:
            for name in names:
                zipped.writestr(name, "<x/>")
        return written.getvalue()

    return make


def always(content):
    return lambda: content


def heif(brand):
    return always(struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + b"mif1" + brand + bytes(500))


WORD = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + bytes(200)
MISMATCH, EXTENSION = "type_mismatch", "extension_not_allowed"

OTHER_CONTENTS = {
    "GIF": by_pillow("GIF"),
    "BMP": by_pillow("BMP"),
    "TIFF": by_pillow("TIFF"),
    "WebP": by_pillow("WEBP"),
    "ICO": by_pillow("ICO"),
    "JPEG 2000": by_pillow("JPEG2000"),
    "EPS": by_pillow("EPS"),
    "SVG": always(SVG),
    "HTML": always(HTML),
    "a Windows program": always(EXE),
    "a Linux program": always(b"\x7fELF\2\1\1" + bytes(200)),
    "a shell script": always(b"#!/bin/sh\nrm -rf /\n"),
    "PHP": always(b"<?php system($_GET['c']); ?>"),
    "ZIP": archive("a.txt"),
    "Word": WORD,
    "old Word": always(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
    "RTF": always(b"{\\rtf1\\ansi Bonjour}"),
    "gzip": always(gzip.compress(b"bonjour")),
    "7z": always(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(100)),
    "MP4": always(struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp41" + bytes(100)),
    "text": always("Je soussigné certifie…".encode()),
    "PostScript": always(b"%!PS-Adobe-3.0\nshowpage\n%%EOF\n"),
    "a shortcut of Windows": always(bytes.fromhex("4c0000000114020000000000c000000000000046")),
    "one byte": always(b"x"),
    "zeros": always(bytes(1000)),
}

CASES = [
    *(
        Case(f"{kind} named {name}", name, make, MISMATCH)
        for kind, make in OTHER_CONTENTS.items()
        for name in ("photo.jpg", "document.pdf")
    ),
    *(
        Case(f"HEIC, {brand.decode()}, named {name}", name, heif(brand), "heic")
        for brand in (b"heic", b"mif1")
        for name in ("IMG_1234.HEIC", "IMG_1234.jpg")
    ),
    Case("AVIF named .jpg", "photo.jpg", heif(b"avif"), MISMATCH),
    Case("a PDF named .jpg", "photo.jpg", make_pdf, MISMATCH),
    Case("a JPEG named .pdf", "document.pdf", make_jpeg, MISMATCH),
    Case("a PNG named .pdf", "document.pdf", make_png, MISMATCH),
    Case("a JPEG where a PDF is due", "p.jpg", make_jpeg, "image_where_pdf", Formats.PDF),
    Case("a PNG where a PDF is due", "p.png", make_png, "image_where_pdf", Formats.PDF),
    Case("an MPO where a PDF is due", "p.jpg", make_mpo, "image_where_pdf", Formats.PDF),
    Case("a PDF where an image is due", "p.pdf", make_pdf, "pdf_where_image", Formats.IMAGE),
    *(
        Case(f"a PDF named {name}", name, make_pdf, EXTENSION)
        for name in (
            "a.exe", "a.html", "a.svg", "a.php", "a.pdf.exe", "a.docx", "a.odt", "a.pages",
            "a.webp", "a.gif", "a.zip", "a.lnk", "a", "a.",
        )
    ),
    Case("Word", "lettre.docx", WORD, EXTENSION),
]  # fmt: skip
