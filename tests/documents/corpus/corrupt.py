"""Cut short, broken, or locked."""

from functools import partial

import pikepdf

from tests.documents.builders import make_jpeg, make_locked_pdf, make_mpo, make_pdf, make_png
from tests.documents.corpus.case import jpeg, pdf, png
from tests.documents.corpus.honest_images import photo
from tests.documents.corpus.honest_pdfs import report

DAMAGED = "damaged"
DISABLE = pikepdf.ObjectStreamMode.disable


def cut(make, *, share=None, missing=None):
    def build():
        content = make()
        return content[: int(len(content) * share) if share else -missing]

    return build


def replaced(make, old, new):
    def build():
        content = make()
        assert old in content
        return content.replace(old, new)

    return build


def flipped(make, share):
    """One byte of the data changed: what a bad disk does."""

    def build():
        content = bytearray(make())
        content[int(len(content) * share)] ^= 0xFF
        return bytes(content)

    return build


def by_hand(*objects, root=1):
    """A PDF of these objects, numbered from 1, with its table."""

    def build():
        content, places = b"%PDF-1.7\n", []
        for number, body in enumerate(objects, start=1):
            places.append(len(content))
            content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        size, start = len(objects) + 1, len(content)
        content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        return content + (
            b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, root, start)
        )

    return build


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
plain = partial(make_pdf, pages=3, object_stream_mode=DISABLE)

WHOLE = [(pdf, "PDF", report), (jpeg, "JPEG", photo), (png, "PNG", make_png)]

CASES = [
    *(
        kind(f"cut at {share:.0%}, {name}", cut(make, share=share), DAMAGED)
        for share in (0.1, 0.5, 0.9)
        for kind, name, make in WHOLE
    ),
    pdf("a PDF without its last 8 bytes", cut(make_pdf, missing=8), DAMAGED),
    jpeg("a JPEG without its last 100 bytes", cut(photo, missing=100), DAMAGED),
    png("a PNG without its last 30 bytes", cut(make_png, missing=30), DAMAGED),
    png("a byte of a PNG changed", flipped(partial(make_png, (60, 80)), 0.5), DAMAGED),
    jpeg("a header alone, JPEG", lambda: make_jpeg()[:20], DAMAGED),
    png("a signature alone", lambda: make_png()[:8], "type_mismatch"),
    pdf("a header alone", lambda: b"%PDF-1.7\n", DAMAGED),
    pdf("a header and an end", lambda: b"%PDF-1.7\n%%EOF\n", DAMAGED),
    pdf("zeros inside", lambda: b"%PDF-1.7\n" + bytes(5000) + b"%%EOF\n", DAMAGED),
    pdf("a user's password", partial(make_locked_pdf, user="1234"), "password"),
    pdf("a page lost", replaced(plain, b"/Count 3", b"/Count 4"), DAMAGED),
    pdf("a table numbered from 1", replaced(plain, b"xref\n0 ", b"xref\n1 "), DAMAGED),
    pdf("no catalog", replaced(plain, b"/Root", b"/Xoot"), DAMAGED),
    # Repaired by every reader: honest, if odd.
    pdf("a table that points elsewhere", lambda: plain().replace(b"startxref\n", b"startxref\n9"),
        pages=3),
    pdf("pages that are a ring", by_hand(CATALOG, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"), DAMAGED),
    pdf("pages in a ring of two",
        by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                b"<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"), DAMAGED),
    pdf("pages that are a number", by_hand(CATALOG, b"42"), DAMAGED),
    pdf("pages missing", by_hand(b"<</Type/Catalog>>"), DAMAGED),
    pdf("a catalog that is a string", by_hand(b"(catalog)"), DAMAGED),
    pdf("a catalog that is itself", by_hand(b"1 0 R"), DAMAGED),
    pdf("one page, said to be minus one",
        by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count -1>>", PAGE), pages=1),
    pdf("a table in a ring",
        lambda: plain().replace(b"trailer <<", b"trailer << /Prev 9 "), pages=3),
    jpeg("a JPEG of no width", replaced(make_jpeg, b"\x03\x20\x02\x58", bytes(4)), DAMAGED),
    jpeg("a broken MPO", cut(make_mpo, share=0.4), DAMAGED),
]  # fmt: skip
