"""What the streams of a PDF would inflate to, counted without being kept.

A few kilobytes may stand for gigabytes: whoever opens such a file (the secretary's browser, a
viewer of ours) would hang. Nothing is decoded here but what compression adds: no image, no font.
"""

import base64
import zlib
from collections.abc import Iterable, Iterator

import pikepdf

from documents.checks.refusals import TOO_COMPLEX, refusal

MAX_STREAM_BYTES = 256 * 1024 * 1024  # of one stream, inflated: an A3 page at 600 dpi takes 210
MAX_FILE_BYTES = 512 * 1024 * 1024  # of all of them: twenty A4 pages of colour at 300 dpi
MAX_PIXELS = 200_000_000  # one image: an A3 page at 600 dpi takes 70
MAX_BLACK_AND_WHITE_PIXELS = 1_000_000_000  # an A0 plan at 600 dpi takes 560
MAX_FILTERS = 4
CHUNK_BYTES = 64 * 1024

FLATE, LZW = {"/FlateDecode", "/Fl"}, {"/LZWDecode", "/LZW"}
HEXADECIMAL, BASE_85 = {"/ASCIIHexDecode", "/AHx"}, {"/ASCII85Decode", "/A85"}
RUN_LENGTH = {"/RunLengthDecode", "/RL"}  # alone, never more than 64 times what it takes
INFLATING = FLATE | LZW | RUN_LENGTH
CLEAR_TABLE, END_OF_DATA = 256, 257


class Budget:
    """How much the streams of one file may still inflate to."""

    def __init__(self):
        self.left = MAX_FILE_BYTES
        self.left_to_stream = MAX_STREAM_BYTES

    def spend(self, stream: pikepdf.Stream) -> None:
        """Count one stream. Raises ValidationError too_complex."""
        _check_dimensions(stream)
        self.left_to_stream = MAX_STREAM_BYTES
        filters = _filters(stream)
        if len(filters) > MAX_FILTERS:
            raise refusal("too_complex", TOO_COMPLEX)
        if FLATE.isdisjoint(filters) and LZW.isdisjoint(filters):
            return
        chunks = iter([stream.read_raw_bytes()])
        for rank, name in enumerate(filters, start=1):
            if name in FLATE:
                chunks = self._counted(_inflate(chunks))
            elif name in HEXADECIMAL | BASE_85:
                chunks = iter([_from_text(b"".join(chunks), name)])
            else:
                if name in INFLATING and not INFLATING.isdisjoint(filters[rank:]):
                    raise refusal("too_complex", TOO_COMPLEX)  # no producer writes that
                if name in LZW:
                    content = b"".join(chunks)
                    self._take(_lzw_length(content, MAX_STREAM_BYTES, _early_change(stream)))
                break  # an image, or nothing that inflates
        for _ in chunks:
            pass

    def _counted(self, chunks):
        for chunk in chunks:
            self._take(len(chunk))
            yield chunk

    def _take(self, length):
        self.left -= length
        self.left_to_stream -= length
        if min(self.left, self.left_to_stream) < 0:
            raise refusal("too_complex", TOO_COMPLEX)


def _check_dimensions(stream):
    if stream.get("/Subtype") != pikepdf.Name.Image:
        return
    width, height = stream.get("/Width"), stream.get("/Height")
    if not (isinstance(width, int) and isinstance(height, int)):
        return
    is_binary = stream.get("/ImageMask") is True or stream.get("/BitsPerComponent") == 1
    if width * height > (MAX_BLACK_AND_WHITE_PIXELS if is_binary else MAX_PIXELS):
        raise refusal("too_complex", TOO_COMPLEX)


def _filters(stream):
    found = stream.get("/Filter")
    if isinstance(found, pikepdf.Array):
        return [str(name) for name in found]
    return [] if found is None else [str(found)]


def _inflate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate by small pieces; what is damaged ends there, as for every reader of PDF."""
    inflator = zlib.decompressobj()
    try:
        for chunk in chunks:
            while chunk and not inflator.eof:
                yield inflator.decompress(chunk, CHUNK_BYTES)
                chunk = inflator.unconsumed_tail
    except zlib.error:
        return


def _from_text(content: bytes, name: str) -> bytes:
    try:
        if name in HEXADECIMAL:
            return bytes.fromhex(content.partition(b">")[0].decode())
        text = content.partition(b"~>")[0].removeprefix(b"<~")
        return base64.a85decode(text, ignorechars=b" \t\n\r\v\f\0")
    except ValueError:
        return b""


def _early_change(stream):
    """Whether the codes of LZW widen one step early: the default, and what everybody writes."""
    parameters = stream.get("/DecodeParms")
    each = parameters if isinstance(parameters, pikepdf.Array) else [parameters]
    given = [one.get("/EarlyChange") for one in each if isinstance(one, pikepdf.Dictionary)]
    return 0 not in given


def _lzw_length(content: bytes, limit: int, early_change: bool) -> int:
    """The bytes that LZW data stands for, counted until `limit` is passed.

    Only the lengths of the strings are kept, not the strings.
    """
    lengths, width, total, last = [1] * 256 + [0, 0], 9, 0, 0
    bits = held = 0
    for byte in content:
        bits, held = (bits << 8 | byte) & 0xFFFFFF, held + 8
        if held < width:
            continue
        held -= width
        code = bits >> held & (1 << width) - 1
        if code == CLEAR_TABLE:
            del lengths[258:]
            width, last = 9, 0
            continue
        if code == END_OF_DATA or total > limit:
            break
        length = lengths[code] if code < len(lengths) else last + 1
        if last and len(lengths) < 4096:
            lengths.append(last + 1)
            width = min(12, (len(lengths) + early_change).bit_length())
        total, last = total + length, length
    return total
