"""Exactly at a limit, and just past it."""

from functools import partial

from documents.checks import MAX_BYTES
from documents.checks.names import MAX_NAME_LENGTH
from tests.documents.builders import make_jpeg, make_pdf, make_png
from tests.documents.corpus.case import Case, jpeg, pdf, png
from tests.documents.corpus.honest_images import photo


def padded(content, size):
    """Comments before the end keep a PDF whole whatever its weight."""
    head, mark, tail = content.rpartition(b"startxref")
    return head + b"%" * (size - len(content) - 1) + b"\n" + mark + tail


def heavy_pdf(size):
    return lambda: padded(make_pdf(), size)


def heavy_jpeg(size):
    """A photo with a comment as long as it takes, in segments of 64 Ko."""

    def make():
        content = photo(quality=50)
        missing = size - len(content)
        segments = b""
        while missing:
            length = missing if missing <= 60_000 else min(missing - 10, 60_000)
            segments += b"\xff\xfe" + (length - 2).to_bytes(2, "big") + b"x" * (length - 4)
            missing -= length
        return content[:2] + segments + content[2:]

    return make


LONG = "a" * (MAX_NAME_LENGTH - 4)
CASES = [
    pdf("2 Mo, a PDF", heavy_pdf(MAX_BYTES), pages=1),
    pdf("2 Mo and one byte, a PDF", heavy_pdf(MAX_BYTES + 1), "too_large"),
    jpeg("2 Mo, a photo", heavy_jpeg(MAX_BYTES), pixels=(4032, 3024)),
    jpeg("2 Mo and one byte, a photo", heavy_jpeg(MAX_BYTES + 1), "too_large"),
    pdf("11 Mo, a PDF", heavy_pdf(11 * 1024 * 1024), "too_large"),
    jpeg("11 Mo, a photo", lambda: make_jpeg().ljust(11 * 1024 * 1024, b"\0"), "too_large"),
    Case("11 Mo of something else", "a.pdf", lambda: bytes(11 * 1024 * 1024), "too_large"),
    pdf("nothing", bytes, "empty"),
    jpeg("nothing, a photo", bytes, "empty"),
    pdf("a name of 100 characters", make_pdf, name=LONG + ".pdf", pages=1),
    pdf("a name of 101 characters", make_pdf, "name_too_long", name=LONG + "a.pdf"),
    png("50 million pixels", partial(make_png, size=(10_000, 5000)), pixels=(10_000, 5000)),
    png("50 million pixels and some", partial(make_png, (10_000, 5001)), "too_many_pixels"),
    png("a line of 60,000 pixels", partial(make_png, size=(60_000, 1)), pixels=(60_000, 1)),
    jpeg("the costliest: 48 megapixels, progressive, CMYK, lying",
        partial(make_jpeg, (8064, 6048), 6, "CMYK", progressive=True, quality=30),
        pixels=(6048, 8064)),
    jpeg("65,500 pixels wide", partial(make_jpeg, size=(65_500, 1)), pixels=(65_500, 1)),
    jpeg("60 million pixels", partial(make_jpeg, (10_000, 6000), quality=10), "too_many_pixels"),
    pdf("no page", partial(make_pdf, pages=0), "no_pages"),
    pdf("2,000 pages", partial(make_pdf, pages=2000), pages=2000),
]  # fmt: skip
