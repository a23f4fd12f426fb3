"""The ways in which a file crosses HTTP: as browsers do, and as nobody should.

Each is the head of a part of a multipart/form-data body, and the verdict on the honest file that
follows it; IGNORED when Django reads no file at all: the page asks for one.
"""

from base64 import b64encode
from dataclasses import dataclass

from tests.documents.builders import make_jpeg, make_pdf
from tests.documents.corpus.case import ACCEPTED

IGNORED = "ignored"
SPECIAL, EXTENSION = "name_not_allowed", "extension_not_allowed"


@dataclass(frozen=True)
class Transport:
    label: str
    head: bytes  # {field} stands for the name of the field
    verdict: str = ACCEPTED
    content: bytes = make_pdf()
    kept_name: str | None = None


def disposition(parameters, content_type="application/pdf", extra=""):
    text = f'Content-Disposition: form-data; name="{{field}}"; {parameters}\r\n'
    if content_type:
        text += f"Content-Type: {content_type}\r\n"
    return (text + extra).encode("utf-8", "surrogatepass")


def named(name, *verdict, **options):
    return Transport(repr(name), disposition(f'filename="{name}"'), *verdict, **options)


def typed(content_type, *verdict, **options):
    head = disposition('filename="a.pdf"', content_type)
    return Transport(f"said to be {content_type}", head, *verdict, **options)


TRANSPORTS = [
    # Names, as they are written on the wire
    named("avis.pdf", kept_name="avis.pdf"),
    named("IMG_1234.JPG", content=make_jpeg(), kept_name="IMG_1234.JPG"),
    named(r"C:\fakepath\avis.pdf", kept_name="avis.pdf"),
    named("/home/lea/avis.pdf", kept_name="avis.pdf"),
    named("../../../etc/avis.pdf", kept_name="avis.pdf"),
    named("reçu.pdf", SPECIAL),
    named("rec\u0327u.pdf", SPECIAL),
    named("re&ccedil;u.pdf", SPECIAL),  # how Safari once wrote it
    named("re&#231;u.pdf", SPECIAL),
    named("re%C3%A7u.pdf", SPECIAL),
    named("avis%2epdf", EXTENSION),
    named("avis%22.pdf", SPECIAL),  # how Chromium writes a quotation mark
    named("avis.pdf.exe", EXTENSION),
    named("avis.exe.pdf", kept_name="avis.exe.pdf"),
    named("avis\u202efdp.exe", EXTENSION),
    named("avis\u202egpj.pdf", kept_name="avisgpj.pdf"),  # Django drops what does not show
    named("avis\0.pdf", kept_name="avis.pdf"),
    named("avis.pdf\0.exe", EXTENSION),
    named("avis.pdf;.exe", EXTENSION),
    named("a" * 101 + ".pdf", "name_too_long"),
    named("a" * 900 + ".pdf", "name_too_long"),
    named("é" * 400 + ".pdf", "name_too_long"),
    named(".pdf", SPECIAL),
    named("..", IGNORED),
    named("/", IGNORED),
    named("", IGNORED),
    Transport("no quotes", disposition("filename=avis.pdf"), kept_name="avis.pdf"),
    Transport("filename*", disposition("filename*=UTF-8''avis%20un.pdf"), kept_name="avis un.pdf"),
    Transport("filename*, accents", disposition("filename*=UTF-8''re%C3%A7u.pdf"), SPECIAL),
    Transport("filename*, latin", disposition("filename*=iso-8859-1'fr're%E7u.pdf"), SPECIAL),
    Transport("filename*, odd charset", disposition("filename*=utf-7''a.pdf"), kept_name="a.pdf"),
    Transport(
        "filename* of another kind",
        disposition("filename=\"a.pdf\"; filename*=UTF-8''a.exe"),
        EXTENSION,
    ),
    Transport("latin bytes", disposition('filename="X.pdf"').replace(b"X", b"re\xe7u"), IGNORED),
    Transport("lone surrogate", disposition('filename="a\udcff.pdf"'), IGNORED),
    Transport("two names", disposition('filename="a.exe"; filename="a.pdf"'), kept_name="a.pdf"),
    Transport("no name", disposition("size=3"), IGNORED),
    # What it says of its content is not listened to
    typed("image/png"),
    typed("text/html"),
    typed("application/x-msdownload"),
    typed("application/pdf; charset=utf-7"),
    typed("x" * 300),
    typed("nothing at all"),
    typed(""),
    typed("image/jpeg", "type_mismatch", content=make_jpeg()),  # named a.pdf all the same
    typed("application/pdf", "empty", content=b""),
    Transport(
        "base64, which Django undoes",
        disposition('filename="a.pdf"', extra="Content-Transfer-Encoding: base64\r\n"),
        content=b64encode(make_pdf()),
    ),
    Transport(
        "more headers",
        disposition('filename="a.pdf"', extra="X-A: " + "a" * 500 + "\r\nContent-Length: 3\r\n"),
    ),
]
