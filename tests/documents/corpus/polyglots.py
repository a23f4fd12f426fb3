"""Two kinds in one file: what is kept must be of one only."""

import zipfile
from io import BytesIO

from tests.documents.builders import make_jpeg, make_pdf, make_png
from tests.documents.corpus.bombs import chunk
from tests.documents.corpus.case import jpeg, pdf, png
from tests.documents.corpus.kinds import EXE, HTML, archive

MISMATCH, DAMAGED = "type_mismatch", "damaged"
PHP = b"<?php system($_GET['c']); ?>"
ZIP = archive("virus.exe")


def zip_around_pdf():
    """A whole PDF stored in an archive, readable as one and as the other."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as zipped:
        zipped.writestr("a.pdf", make_pdf())
    return written.getvalue()


def zip_in_pdf():
    """The archive's own comment is the end of the PDF: nothing follows %%EOF."""
    written = BytesIO(make_pdf())
    with zipfile.ZipFile(written, "a") as zipped:
        zipped.writestr("virus.exe", EXE)
        zipped.comment = b"\nstartxref\n9\n%%EOF\n"
    return written.getvalue()


def in_comment(content):
    return lambda: make_jpeg(comment=content)


def after_signature(content):
    """In a chunk of a PNG that nobody reads."""

    def make():
        whole = make_png()
        return whole[:33] + chunk(b"prVt", content) + whole[33:]

    return make


CASES = [
    jpeg("ZIP after a JPEG", lambda: make_jpeg() + ZIP(), gone=(b"PK\3\4", b"virus.exe")),
    jpeg("PHP after a JPEG", lambda: make_jpeg() + PHP, gone=(PHP,)),
    jpeg("HTML after a JPEG", lambda: make_jpeg() + HTML, gone=(HTML,)),
    jpeg("PHP in a JPEG's comment", in_comment(PHP), gone=(PHP,)),
    jpeg("HTML in a JPEG's comment", in_comment(HTML), gone=(HTML,)),
    jpeg("a PDF in a JPEG's comment", lambda: make_jpeg(comment=make_pdf()), gone=(b"%PDF",)),
    pdf("that PDF, named as one", lambda: make_jpeg(comment=make_pdf()), MISMATCH),
    png("ZIP after a PNG", lambda: make_png() + ZIP(), gone=(b"PK\3\4",)),
    png("PHP after a PNG", lambda: make_png() + PHP, gone=(PHP,)),
    png("PHP in a PNG's chunk", after_signature(PHP), gone=(PHP,)),
    png("HTML in a PNG's chunk", after_signature(HTML), gone=(HTML,)),
    pdf("a PDF in an archive", zip_around_pdf, MISMATCH),
    pdf("ZIP after a PDF", lambda: make_pdf() + ZIP(), MISMATCH),
    pdf("ZIP within a PDF", zip_in_pdf, MISMATCH),
    pdf("HTML after a PDF", lambda: make_pdf() + HTML, DAMAGED),
    pdf("PHP after a PDF", lambda: make_pdf() + PHP, DAMAGED),
    pdf("HTML after a PDF and far", lambda: make_pdf() + b"\n" * 2000 + HTML, DAMAGED),
    pdf("HTML before a PDF", lambda: HTML + make_pdf(), MISMATCH),
    pdf("PHP before a PDF", lambda: PHP + make_pdf(), MISMATCH),
    pdf("a program before a PDF", lambda: EXE + make_pdf(), MISMATCH),
    pdf("a GIF before a PDF", lambda: b"GIF89a" + bytes(20) + make_pdf(), MISMATCH),
    pdf("zeros before a PDF", lambda: bytes(500) + make_pdf(), MISMATCH),
    pdf("two PDFs end to end", lambda: make_pdf() + make_pdf()),
]
