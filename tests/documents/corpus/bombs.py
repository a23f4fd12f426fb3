"""A few kilobytes that stand for gigabytes, or for hours."""

import struct
import zlib
from functools import partial
from io import BytesIO

from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from tests.documents.builders import OBJECTS, lzw, make_jpeg, make_object_stream_pdf, make_pdf
from tests.documents.corpus.case import jpeg, pdf, png
from tests.documents.corpus.corrupt import CATALOG, PAGE, by_hand

MEGABYTE = 1024 * 1024
COMPLEX, DAMAGED, PIXELS = "too_complex", "damaged", "too_many_pixels"


def zeros(megabytes, before=b""):
    """One megabyte written again and again; the sum at the end is wrong, nobody gets there."""
    squeezer = zlib.compressobj(9)
    first = squeezer.compress(before) + squeezer.flush(zlib.Z_FULL_FLUSH)
    one = squeezer.compress(bytes(MEGABYTE)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return first + one * megabytes + squeezer.flush()


def with_streams(*contents, **keys):
    """A PDF whose page holds streams written as they are."""

    def change(pdf):
        pdf.pages[0].Contents = Array([Stream(pdf, content, **keys) for content in contents])

    return make_pdf(change=change, compress_streams=False)


def flate(megabytes, times=1):
    return with_streams(*[zeros(megabytes)] * times, Filter=Name.FlateDecode)


def flate_of_flate():
    """300 bytes stand for 300 Mo: each layer divides by a thousand."""
    filters = Array([Name.FlateDecode, Name.FlateDecode])
    return with_streams(zlib.compress(zeros(300), 9), Filter=filters)


def many_filters():
    content = b"x"
    for _ in range(9):
        content = zlib.compress(content)
    return with_streams(content, Filter=Array([Name.FlateDecode] * 9))


def flate_in_hexadecimal():
    filters = Array([Name.ASCIIHexDecode, Name.FlateDecode])
    return with_streams(zeros(300).hex().encode() + b">", Filter=filters)


def run_length_of_flate():
    filters = Array([Name.RunLengthDecode, Name.FlateDecode])
    return with_streams(b"\x80", Filter=filters)


def lzw_bomb():
    """The longest string of the table, again and again."""
    bits = [f"{256:09b}", f"{0:09b}"]
    codes, width = 258, 9
    while codes < 4094:
        bits.append(f"{codes:0{width}b}")  # the string before and its first byte
        codes += 1
        width = min(12, (codes + 1).bit_length())
    bits += [f"{4093:012b}"] * 120_000  # 3,800 bytes each
    text = "".join(bits)
    text = text.ljust(-(-len(text) // 8) * 8, "0")
    return with_streams(int(text, 2).to_bytes(len(text) // 8, "big"), Filter=Name.LZWDecode)


def predicted():
    """A predictor of one very wide row: readers allocate it whole."""
    parameters = Dictionary(Predictor=15, Columns=2_000_000_000, Colors=4)
    return with_streams(zeros(300), Filter=Name.FlateDecode, DecodeParms=parameters)


def image(width, height, filter_name, content=b"x", bits=8):
    def change(pdf):
        pdf.pages[0].Resources = Dictionary(XObject=Dictionary(Im0=Stream(
            pdf, content, Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height,
            ColorSpace=Name.DeviceGray, BitsPerComponent=bits, Filter=Name(filter_name),
        )))  # fmt: skip

    return partial(make_pdf, change=change)


def countless(pdf):
    pdf.Root.Many = Array([Array([0] * 1000) for _ in range(501)])


def nested(opening, closing, depth):
    return by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", PAGE,
                   opening * depth + closing * depth)  # fmt: skip


def deep_in_page():
    value = b"[" * 400 + b"]" * 400
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Odd %s>>" % value
    return by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page)()


def deeper_in_page():
    value = b"[" * 200_000 + b"]" * 200_000
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Odd %s>>" % value
    return by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page)()


def deep_pages(depth=20_000):
    """Each node of pages holds one other."""
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (number + 1, number - 1)
        for number in range(3, depth)
    ]
    first = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    last = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 9 9]>>" % (depth - 1)
    return by_hand(CATALOG, first, *nodes, last)()


def chained_events(count=4000):
    """Thousands of pages' events share one long chain of actions: no walk may be squared."""
    links = [b"<</S/GoTo/D(a)/Next %d 0 R>>" % (number + 1) for number in range(4, 4 + count)] + [
        b"<</S/GoTo/D(a)>>"
    ]
    events = b"".join(b"<</AA<</O %d 0 R>>>>" % (4 + number % 7) for number in range(count))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Odd[%s]>>" % events
    return by_hand(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, *links)()


def updates(count=3000):
    """A table that sends to another, thousands of times."""
    content = make_pdf()
    previous = int(content.rpartition(b"startxref")[2].split()[0])
    for _ in range(count):
        at = len(content)
        content += b"xref\n0 0\ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\n" % previous
        previous = at
    return content + b"startxref\n%d\n%%%%EOF\n" % previous


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_of(width, height, *chunks, bits=8, colour=2, data=None):
    """A PNG whose header claims `width` by `height` pixels, and whose data is what it wants."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = zlib.compress(b"\0" * 100) if data is None else data
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def small_png(*chunks):
    return png_of(8, 8, *chunks, data=zlib.compress((b"\0" + b"\x80" * 24) * 8))


def overfull_png():
    """64 pixels are said, 300 Mo are given."""
    return png_of(8, 8, data=zeros(300))


def many_chunks():
    return small_png(*[chunk(b"tEXt", b"a\0b")] * 100_000)


def many_frames():
    """An animation said to have a billion images."""
    return small_png(chunk(b"acTL", struct.pack(">II", 1_000_000_000, 0)))


def scans(count):
    """Progressive scans, each a pass over every pixel."""
    content = make_jpeg(size=(2000, 2000), progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * count + content[-2:]


def claimed(width, height):
    """A JPEG whose header claims these dimensions."""
    content = make_jpeg(size=(600, 800))
    return content.replace(
        (800).to_bytes(2, "big") + (600).to_bytes(2, "big"),
        height.to_bytes(2, "big") + width.to_bytes(2, "big"),
    )


def flat_png(size):
    written = BytesIO()
    Image.new("1", size).save(written, "PNG")
    return written.getvalue()


CASES = [
    pdf("300 Mo in a page", partial(flate, 300), COMPLEX),
    pdf("four times 200 Mo", partial(flate, 200, 4), COMPLEX),
    pdf("2 Go in 2 Mo", partial(flate, 1900), COMPLEX),
    pdf("flate of flate", flate_of_flate, COMPLEX),
    pdf("nine filters", many_filters, COMPLEX),
    pdf("flate in hexadecimal", flate_in_hexadecimal, COMPLEX),
    pdf("flate after run length", run_length_of_flate, COMPLEX),
    pdf("LZW", lzw_bomb, COMPLEX),
    pdf("a predictor", predicted, COMPLEX),
    pdf("objects that inflate to 64 Mo",
        lambda: make_object_stream_pdf(zeros(64, OBJECTS), b"/FlateDecode"), DAMAGED),
    pdf("objects by LZW", lambda: make_object_stream_pdf(lzw(OBJECTS), b"/LZWDecode"), DAMAGED),
    pdf("an image of 10 billion pixels", image(100_000, 100_000, "/DCTDecode"), COMPLEX),
    pdf("JBIG2 of 10 billion pixels", image(100_000, 100_000, "/JBIG2Decode", bits=1), COMPLEX),
    pdf("a fax of 4 billion pixels", image(65_000, 65_000, "/CCITTFaxDecode", bits=1), COMPLEX),
    pdf("half a million objects", partial(make_pdf, change=countless), DAMAGED),
    pdf("400 arrays nested", deep_in_page, pages=1),
    pdf("200,000 arrays nested", deeper_in_page, "no_pages"),
    pdf("200,000 arrays nested, unreached", nested(b"[", b"]", 200_000), pages=1),
    pdf("pages 20,000 deep", deep_pages, DAMAGED),
    pdf("thousands of events, one chain", chained_events, pages=1),
    pdf("3,000 updates", updates, pages=1),
    png("60,000 by 60,000", partial(png_of, 60_000, 60_000), PIXELS),
    png("2 billion by 1", partial(png_of, 2**31 - 1, 1), PIXELS),
    png("20,000 by 20,000, black", partial(flat_png, (20_000, 20_000)), PIXELS),
    png("300 Mo for 64 pixels", overfull_png, pixels=(8, 8)),
    png("zTXt of 300 Mo", lambda: small_png(chunk(b"zTXt", b"a\0\0" + zeros(300))), DAMAGED),
    png("iTXt of 300 Mo",
        lambda: small_png(chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(300))), DAMAGED),
    png("iCCP of 300 Mo", lambda: small_png(chunk(b"iCCP", b"a\0\0" + zeros(300))), DAMAGED),
    png("100,000 texts", many_chunks, pixels=(8, 8)),
    png("a billion images", many_frames, pixels=(8, 8)),
    jpeg("65,000 by 65,000", partial(claimed, 65_000, 65_000), PIXELS),
    jpeg("500 scans", partial(scans, 500), DAMAGED),
    jpeg("5,000 scans", partial(scans, 5000), DAMAGED),
]  # fmt: skip
