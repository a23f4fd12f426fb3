import random
import struct
import subprocess
import sys
import zlib
from hashlib import sha256
from io import BytesIO
from types import ModuleType

import pikepdf
import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image, PngImagePlugin

from documents import magic_loader
from documents.checks import MAX_BYTES, check_file, propose_name
from documents.checks.files import here
from documents.checks.images import MAX_PIXELS
from documents.checks.names import MAX_NAME_LENGTH
from documents.enums import Formats
from tests.documents import builders
from tests.documents.builders import (
    OBJECTS,
    make_jpeg,
    make_locked_pdf,
    make_mpo,
    make_object_stream_pdf,
    make_pdf,
    make_png,
)
from tests.documents.corpus.active import CHANGES, LAUNCH, attach, on_catalog

NBSP = "\u00a0"


def refusal(name, content, formats=Formats.ANY, **options):
    """Return the code and the sentence check_file refuses with."""
    with pytest.raises(ValidationError) as caught:
        check_file(name, content, formats=formats, **options)
    assert len(caught.value.messages) == 1
    return caught.value.code, caught.value.messages[0]


def code(name, content, formats=Formats.ANY, **options):
    return refusal(name, content, formats, **options)[0]


def opened(checked):
    return Image.open(BytesIO(checked.content))


# What honest parents send


def add_link(pdf):
    uri = Dictionary(S=Name.URI, URI=String("https://www.caf.fr"))
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=uri)
    pdf.pages[0].Annots = Array([link])


def add_open_at_page(pdf):
    pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([pdf.pages[0].obj, Name.Fit]))


def add_signature(pdf):
    signature = Dictionary(
        Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), SubFilter=Name("/adbe.pkcs7.detached"),
        ByteRange=[0, 10, 20, 30], Contents=String("signature"),
    )  # fmt: skip
    field = Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, Rect=[0, 0, 0, 0])
    field.V, field.T = pdf.make_indirect(signature), String("Signature1")
    field = pdf.make_indirect(field)
    pdf.pages[0].Annots = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=[field], SigFlags=3)


def add_loop(pdf):
    first, second = pdf.make_indirect(Dictionary()), pdf.make_indirect(Dictionary())
    first.Next, second.Next = second, first
    pdf.Root.Outlines = first


def add_empty_trees(pdf):
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=[]), JavaScript=Dictionary(Names=[]))


HONEST_PDFS = {
    "plain": make_pdf(),
    "owner-locked": make_locked_pdf(),
    "linearized": make_pdf(linearize=True),
    "object streams": make_pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "old xref": make_pdf(object_stream_mode=pikepdf.ObjectStreamMode.disable),
    "signed": make_pdf(change=add_signature),
    "link": make_pdf(change=add_link),
    "opens at a page": make_pdf(change=add_open_at_page),
    "loop": make_pdf(change=add_loop),
    "empty name trees": make_pdf(change=add_empty_trees),
    "trailing line breaks": make_pdf() + b"\r\n" * 20,
    "blank line first": b"\n" + make_pdf(),
}


@pytest.mark.parametrize("content", HONEST_PDFS.values(), ids=HONEST_PDFS)
def test_an_honest_pdf_is_kept_as_received(content):
    checked = check_file("Avis d-imposition (2025).PDF", content, formats=Formats.PDF)

    assert checked.name == "Avis d-imposition (2025).PDF"
    assert checked.content == content
    assert checked.content_type == "application/pdf"
    assert checked.pages == 1
    assert checked.received_sha256 == checked.sha256 == sha256(content).hexdigest()


def test_the_four_pages_of_a_tax_notice_are_counted():
    content = make_pdf(pages=4, title="Avis d'imposition")

    assert check_file("avis.pdf", content, formats=Formats.ANY).pages == 4


HONEST_IMAGES = {
    "jpeg": ("photo.jpg", make_jpeg(), "image/jpeg"),
    "JPG": ("IMG_0001.JPG", make_jpeg(), "image/jpeg"),
    "jpeg, long extension": ("photo.jpeg", make_jpeg(), "image/jpeg"),
    "progressive": ("photo.jpg", make_jpeg(progressive=True), "image/jpeg"),
    "CMYK": ("photo.jpg", make_jpeg(mode="CMYK"), "image/jpeg"),
    "grey jpeg": ("photo.jpg", make_jpeg(mode="L"), "image/jpeg"),
    "MPO": ("photo.jpg", make_mpo(), "image/jpeg"),
    "png": ("photo.png", make_png(), "image/png"),
    "alpha": ("photo.png", make_png(mode="RGBA"), "image/png"),
    "grey alpha": ("photo.png", make_png(mode="LA"), "image/png"),
    "palette": ("photo.png", make_png(mode="P", transparency=0), "image/png"),
    "black and white": ("photo.png", make_png(mode="1"), "image/png"),
    "16 bits": ("photo.png", make_png(mode="I;16"), "image/png"),
    "png named jpg": ("photo.jpg", make_png(), "image/png"),
    "jpg named png": ("photo.png", make_jpeg(), "image/jpeg"),
}


@pytest.mark.parametrize(
    ("name", "content", "content_type"), HONEST_IMAGES.values(), ids=HONEST_IMAGES
)
def test_an_honest_image_is_written_anew(name, content, content_type):
    checked = check_file(name, content, formats=Formats.IMAGE)

    assert checked.name == name
    assert checked.content_type == content_type
    assert checked.pages is None
    assert checked.received_sha256 == sha256(content).hexdigest()
    assert checked.sha256 == sha256(checked.content).hexdigest()
    image = opened(checked)
    image.load()
    assert image.size == (600, 800)
    assert image.format == {"image/jpeg": "JPEG", "image/png": "PNG"}[content_type]


def test_an_animated_png_becomes_its_first_image():
    other = Image.new("RGB", (600, 800), "blue")
    content = make_png(save_all=True, append_images=[other])

    checked = check_file("photo.png", content, formats=Formats.IMAGE)

    assert checked.content_type == "image/png"
    assert b"acTL" in content
    assert b"acTL" not in checked.content


@pytest.mark.parametrize(("mode", "kept"), [("RGBA", "RGBA"), ("LA", "LA"), ("I;16", "I;16")])
def test_a_png_keeps_its_depth_and_transparency(mode, kept):
    checked = check_file("photo.png", make_png(mode=mode), formats=Formats.IMAGE)

    assert opened(checked).mode == kept


def test_a_transparent_palette_stays_transparent():
    content = make_png(mode="P", transparency=0)

    assert opened(check_file("a.png", content, formats=Formats.ANY)).info == {"transparency": 0}


# Stored size, and the place of the red corner, for each of the eight orientations.
UPRIGHT = {
    1: ((600, 800), (10, 10)),
    2: ((600, 800), (590, 10)),
    3: ((600, 800), (590, 790)),
    4: ((600, 800), (10, 790)),
    5: ((800, 600), (10, 10)),
    6: ((800, 600), (790, 10)),
    7: ((800, 600), (790, 590)),
    8: ((800, 600), (10, 590)),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_phone_photo_is_stored_upright(orientation):
    size, red_corner = UPRIGHT[orientation]
    content = make_jpeg(exif_orientation=orientation)

    image = opened(check_file("photo.jpg", content, formats=Formats.IMAGE))

    assert image.size == size
    red, green, _blue = image.getpixel(red_corner)
    assert red > 200
    assert green < 60


def test_nothing_personal_stays_in_a_jpeg():
    secret = b"secret-48.8566N"
    content = make_jpeg(exif_orientation=6, comment=secret, icc_profile=secret, xmp=secret)
    assert content.count(secret) == 3

    image = opened(check_file("photo.jpg", content, formats=Formats.IMAGE))

    assert secret not in image.fp.getvalue()
    assert dict(image.getexif()) == {}
    assert image.info.keys() & {"exif", "icc_profile", "comment", "xmp"} == set()


def test_nothing_personal_stays_in_a_png():
    texts, exif = PngImagePlugin.PngInfo(), Image.Exif()
    texts.add_text("Author", "secret")
    exif[builders.MAKE] = "secret"
    content = make_png(pnginfo=texts, exif=exif, icc_profile=b"secret", dpi=(300, 300))

    checked = check_file("photo.png", content, formats=Formats.IMAGE)

    assert opened(checked).info == {}
    assert b"secret" not in checked.content


def test_a_photo_whose_exif_is_broken_passes():
    content = make_jpeg(exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03")

    with pytest.warns(UserWarning, match="Corrupt EXIF|Truncated"):
        checked = check_file("photo.jpg", content, formats=Formats.IMAGE, run=here)

    assert opened(checked).size == (600, 800)


def test_a_48_megapixel_photo_passes():
    content = make_jpeg(size=(8064, 6048), quality=50)

    assert opened(check_file("a.jpg", content, formats=Formats.IMAGE)).size == (8064, 6048)


def test_a_rewritten_photo_may_weigh_more_than_what_was_received():
    noise = Image.effect_noise((2400, 2000), 80)
    received = BytesIO()
    noise.save(received, "JPEG", quality=25)
    assert len(received.getvalue()) <= MAX_BYTES

    checked = check_file("a.jpg", received.getvalue(), formats=Formats.IMAGE)

    assert len(checked.content) > MAX_BYTES


# Names


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("attestation.pdf", "attestation.pdf"),
        ("Avis_2025 - page.1 (copie).pdf", "Avis_2025 - page.1 (copie).pdf"),
        (r"C:\fakepath\avis.pdf", "avis.pdf"),
        (r"D:\Mes documents\été\avis.pdf", "avis.pdf"),
        (" avis.pdf ", "avis.pdf"),
        ("a" * (MAX_NAME_LENGTH - 4) + ".pdf", "a" * (MAX_NAME_LENGTH - 4) + ".pdf"),
    ],
)
def test_an_honest_name_is_kept(declared, kept):
    assert check_file(declared, make_pdf(), formats=Formats.PDF).name == kept


@pytest.mark.parametrize(
    ("name", "shown", "proposed"),
    [
        ("Attestation été.pdf", "é", "Attestation ete.pdf"),
        ("Attestation e\u0301te\u0301.pdf", "é", "Attestation ete.pdf"),
        ("Nguyễn.pdf", "ễ", "Nguyen.pdf"),
        ("avis d'impôt.pdf", "'", "avis d_impot.pdf"),
        ("../../avis.pdf", "/", "_.._avis.pdf"),
        ("dossier/avis.pdf", "/", "dossier_avis.pdf"),
        (r"dossier\avis.pdf", "\\", "dossier_avis.pdf"),
        ("<script>.pdf", "<", "_script_.pdf"),
        ("=1+1;.pdf", "=", "_1_1_.pdf"),
        ("документ.pdf", "д", "document.pdf"),
        ("photo😀.pdf", "😀", "photo_.pdf"),
    ],
)
def test_a_name_with_special_characters_gets_a_proposal(name, shown, proposed):
    refused, sentence = refusal(name, make_pdf())

    assert refused == "name_not_allowed"
    assert f"«{NBSP}{shown}{NBSP}»" in sentence
    assert f"«{NBSP}{proposed}{NBSP}»" in sentence


@pytest.mark.parametrize("hidden", ["\x00", "\n", "\t", "\x7f", "\u202e", "\u200b", "\ud800"])
@pytest.mark.parametrize("name", ["av{}is.pdf", "avis.pdf{}", "avis.p{}df"])
def test_a_hidden_character_is_refused_without_being_shown(name, hidden):
    refused, sentence = refusal(name.format(hidden), make_pdf())

    assert refused == "name_not_allowed"
    assert hidden not in sentence


@pytest.mark.parametrize("name", ["", " ", ".", "..", "...", ".pdf", "...pdf", ". .pdf"])
def test_a_name_without_a_name_is_refused(name):
    refused, sentence = refusal(name, make_pdf())

    assert refused == "name_not_allowed"
    assert f"«{NBSP}document.pdf{NBSP}»" in sentence


def test_an_overlong_name_is_refused():
    refused, sentence = refusal("a" * (MAX_NAME_LENGTH - 3) + ".pdf", make_pdf())

    assert refused == "name_too_long"
    assert "101 caractères" in sentence
    assert "100" in sentence


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("Attestation été.pdf", "Attestation ete.pdf"),
        ("Œuvre cœur Straße.PDF", "OEuvre coeur Strasse.PDF"),
        ("Ærø Łódź.png", "AEro Lodz.png"),
        ("page 1 – copie.jpg", "page 1 - copie.jpg"),
        ("page\u00a01.jpg", "page 1.jpg"),
        ("a€€€b.pdf", "a_b.pdf"),
        ("été", "ete"),
        ("", "document"),
        ("€", "document"),
        ("....", "document"),
        (".pdf", "document.pdf"),
        ("a" * 300 + ".jpeg", "a" * 95 + ".jpeg"),
        ("a." + "x" * 300, "a." + "x" * 10),
    ],
)
def test_propose_name(name, proposed):
    assert propose_name(name) == proposed


def test_a_proposed_name_always_passes():
    chance = random.Random(1)
    content = make_pdf()
    for _ in range(100):
        points = [chance.randrange(0x3000) for _ in range(chance.randrange(150))]
        proposed = propose_name("".join(map(chr, points)) + ".pdf")

        assert check_file(proposed, content, formats=Formats.PDF).name == proposed
        assert propose_name(proposed) == proposed


# Extension, size, type


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("virus.exe", "envoyez un fichier PDF."),
        ("avis.pdf.exe", "envoyez un fichier PDF."),
        ("page.html", "envoyez un fichier PDF."),
        ("dessin.svg", "envoyez un fichier PDF."),
        ("photo.webp", "envoyez un fichier PDF."),
        ("avis", "n'a pas d'extension"),
        ("avis.", "n'a pas d'extension"),
        ("lettre.doc", "enregistrez-le en PDF"),
        ("lettre.DOCX", "enregistrez-le en PDF"),
        ("lettre.odt", "enregistrez-le en PDF"),
    ],
)
def test_another_extension_is_refused(name, advice):
    refused, sentence = refusal(name, make_pdf(), Formats.PDF)

    assert refused == "extension_not_allowed"
    assert advice in sentence


HEIC_CONTENT = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(500)


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1.heif", "été.heic", "renamed.jpg"])
def test_an_iphone_photo_is_told_how_to_become_a_jpeg(name):
    refused, sentence = refusal(name, HEIC_CONTENT, Formats.IMAGE)

    assert refused == "heic"
    assert "Réglages > Appareil photo > Formats" in sentence
    assert f"«{NBSP}Le plus compatible{NBSP}»" in sentence


def test_an_empty_file_is_refused():
    refused, sentence = refusal("avis.pdf", b"")

    assert refused == "empty"
    assert "0 octet" in sentence


def padded(content, size):
    """Comments before the end keep a PDF whole whatever its weight."""
    head, mark, tail = content.rpartition(b"startxref")
    return head + b"%" * (size - len(content) - 1) + b"\n" + mark + tail


def test_2_mo_are_included():
    content = padded(make_pdf(), MAX_BYTES)
    assert len(content) == 2_097_152

    assert check_file("avis.pdf", content, formats=Formats.PDF).content == content


@pytest.mark.parametrize(
    ("size", "shown"), [(MAX_BYTES + 1, "2,1"), (3_565_158, "3,4"), (12 * 1024 * 1024, "12,0")]
)
@pytest.mark.parametrize(("name", "advice"), [("a.pdf", "Numérisez"), ("a.jpg", "Réduisez")])
def test_a_heavier_file_is_told_its_weight(size, shown, name, advice):
    content = (make_pdf() if name == "a.pdf" else make_jpeg()).ljust(size, b"\0")

    refused, sentence = refusal(name, content)

    assert refused == "too_large"
    assert f"pèse {shown}{NBSP}Mo{NBSP}; la limite est de 2{NBSP}Mo." in sentence
    assert advice in sentence


@pytest.mark.parametrize("content", [make_jpeg(), make_jpeg().ljust(MAX_BYTES + 1, b"\0")])
def test_an_image_where_a_pdf_is_due_is_told_so_before_its_weight(content):
    refused, sentence = refusal("avis.jpg", content, Formats.PDF)

    assert refused == "image_where_pdf"
    assert "attendu en PDF" in sentence


def test_a_pdf_where_an_image_is_due_is_refused():
    refused, sentence = refusal("photo.pdf", make_pdf(), Formats.IMAGE)

    assert refused == "pdf_where_image"
    assert "image JPEG ou PNG" in sentence


WEBP = b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", make_png()),
        ("a.pdf", make_jpeg()),
        ("a.jpg", make_pdf()),
        ("a.png", make_pdf()),
        ("a.pdf", b"MZ" + bytes(500)),
        ("a.pdf", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.jpg", b"GIF89a" + bytes(50)),
        ("a.jpg", WEBP),
        ("a.pdf", b"PK\x03\x04" + bytes(100)),
        ("a.pdf", b"\0" * 1000),
        ("a.pdf", b"x"),
    ],
)
@pytest.mark.parametrize("formats", Formats)
def test_a_file_that_is_not_what_its_name_says_is_refused(name, content, formats):
    refused, sentence = refusal(name, content, formats)

    assert refused == "type_mismatch"
    assert f"«{NBSP}{name[1:]}{NBSP}»" in sentence


# Damaged and hostile files


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", make_pdf(pages=5)),
        ("a.pdf", make_pdf(pages=100, linearize=True)),
        ("a.jpg", make_jpeg()),
        ("a.jpg", make_jpeg(progressive=True)),
        ("a.png", make_png()),
    ],
)
def test_a_truncated_file_is_refused(name, content, share):
    refused, sentence = refusal(name, content[: int(len(content) * share)])

    assert refused == "damaged"
    assert "enregistrez-le à nouveau" in sentence


def test_a_pdf_of_which_pages_are_lost_is_refused():
    content = make_pdf(pages=3, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    lost = content.replace(b"/Count 3", b"/Count 4")
    assert lost != content

    assert code("a.pdf", lost) == "damaged"


def test_a_user_password_is_refused():
    refused, sentence = refusal("a.pdf", make_locked_pdf(user="1234"))

    assert refused == "password"
    assert "sans mot de passe" in sentence


def test_a_pdf_without_pages_is_refused():
    refused, sentence = refusal("a.pdf", make_pdf(pages=0))

    assert refused == "no_pages"
    assert "aucune page" in sentence


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("mode", [pikepdf.ObjectStreamMode.generate, None])
def test_an_active_pdf_is_refused(change, mode):
    options = {"object_stream_mode": mode} if mode else {}

    refused, sentence = refusal("a.pdf", make_pdf(change=change, **options))

    assert refused == "active_content"
    assert "Imprimer > Enregistrer en PDF" in sentence


def test_an_escaped_name_hides_no_script():
    content = make_pdf(change=on_catalog("/OpenAction", LAUNCH))
    escaped = content.replace(b"/Launch", b"/L#61unch")
    assert escaped != content

    assert code("a.pdf", escaped) == "active_content"


def test_an_active_pdf_locked_by_its_owner_is_refused():
    lock = pikepdf.Encryption(owner="secret", user="")

    assert code("a.pdf", make_pdf(change=attach, encryption=lock)) == "active_content"


def test_a_pdf_of_countless_objects_is_refused():
    many = on_catalog("/Many", Array([Array([0] * 1000) for _ in range(501)]))

    assert code("a.pdf", make_pdf(change=many)) == "damaged"


@pytest.mark.parametrize(
    ("inflated_bytes", "answer"), [(1024 * 1024, "no_pages"), (64 * 1024 * 1024, "damaged")]
)
def test_a_bomb_of_pdf_objects_is_not_inflated(inflated_bytes, answer):
    stream = zlib.compress(OBJECTS.ljust(inflated_bytes), 9)

    assert code("a.pdf", make_object_stream_pdf(stream, b"/FlateDecode")) == answer


FLATE, LZW = zlib.compress(OBJECTS), builders.lzw(OBJECTS)


@pytest.mark.parametrize(
    ("stream", "filters"),
    [
        (LZW, b"/LZWDecode"),
        (LZW, b"[ /LZWDecode ]"),
        (LZW, b"/L#5aWDecode"),
        (zlib.compress(FLATE), b"[/FlateDecode /FlateDecode]"),
        (FLATE, b"5 0 R"),
        (FLATE, b"[5 0 R]"),
        (FLATE, b"% a comment\n5 0 R"),
    ],
)
def test_pdf_objects_written_in_an_unbounded_way_are_refused(stream, filters):
    assert code("a.pdf", make_object_stream_pdf(stream, filters)) == "damaged"


def test_a_page_that_is_a_bomb_is_not_kept():
    def add_bomb(pdf):
        squeezed = zlib.compress(bytes(300 * 1024 * 1024), 9)
        pdf.pages[0].Contents = Stream(pdf, squeezed, Filter=Name.FlateDecode)

    content = make_pdf(change=add_bomb, compress_streams=False)

    assert code("a.pdf", content) == "too_complex"


def png_of_size(width, height):
    """A PNG whose header alone claims `width` by `height` pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, pixels, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(MAX_PIXELS + 1, 1), (10_000, 10_000), (60_000, 60_000)])
def test_too_many_pixels_are_refused_from_the_header(size):
    refused, sentence = refusal("a.png", png_of_size(*size))

    assert refused == "too_many_pixels"
    assert "50 millions de pixels" in sentence


@pytest.mark.parametrize("size", [(0, 0), (0, 10), (10, 0)])
def test_an_image_without_pixels_is_damaged(size):
    assert code("a.png", png_of_size(*size)) == "damaged"


def test_a_photo_of_countless_scans_is_refused():
    content = make_jpeg(progressive=True)
    last_scan = content[content.rindex(b"\xff\xda") : -2]

    assert code("a.jpg", content[:-2] + last_scan * 100 + content[-2:]) == "damaged"


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError, "too_complex"),
        (RecursionError, "damaged"),
        (struct.error, "damaged"),
        (SyntaxError, "damaged"),
    ],
)
@pytest.mark.parametrize(
    ("name", "content", "opener"),
    [("a.pdf", make_pdf(), "pikepdf.open"), ("a.png", make_png(), "PIL.Image.open")],
)
def test_whatever_a_parser_raises_is_a_refusal(monkeypatch, error, answer, name, content, opener):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(opener, fail)

    assert code(name, content, run=here) == answer


def mutated(content, chance):
    """Flip a few bytes, cut, repeat or move a piece."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    start, length = chance.randrange(len(changed)), chance.randrange(200)
    piece = bytes(changed[start : start + length])
    action = chance.choice(["nothing", "cut", "repeat", "move"])
    if action in ["cut", "move"]:
        del changed[start : start + length]
    if action in ["repeat", "move"]:
        place = chance.randrange(len(changed))
        changed[place:place] = piece
    return bytes(changed)


FUZZED = {
    "a.pdf": [make_pdf(pages=3), make_pdf(linearize=True), make_locked_pdf()],
    "a.jpg": [make_jpeg(size=(60, 80), exif_orientation=6), make_mpo(size=(60, 80))],
    "a.png": [make_png(size=(60, 80), mode="P"), make_png(size=(60, 80), mode="RGBA")],
}


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it repairs
@pytest.mark.parametrize("name", FUZZED)
def test_a_mutated_file_passes_or_is_refused(name):
    chance = random.Random(1)
    answers = set()
    for turn in range(51):
        content = mutated(FUZZED[name][turn % len(FUZZED[name])], chance)
        try:
            answers.add(check_file(name, content, formats=Formats.ANY).content_type)
        except ValidationError as error:
            answers.add(error.code)

    assert "damaged" in answers
    assert len(answers) > 1


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"content_type": "text/html", "pages": 1, "content": None},
        {"content_type": "application/pdf", "pages": "1", "content": None},
        {"content_type": "application/pdf", "pages": 1, "content": b"<script>"},
        {"content_type": "image/png", "pixels": [1, 1], "content": None},
        {"content_type": "image/png", "pixels": [1], "content": b"x"},
    ],
)
def test_facts_of_another_form_are_a_refusal(found):
    assert code("a.pdf", make_pdf(), run=lambda *_: found) == "damaged"


# libmagic


@pytest.fixture
def fresh_detector():
    magic_loader._detector.cache_clear()
    yield
    magic_loader._detector.cache_clear()


@pytest.mark.usefixtures("fresh_detector")
def test_pylibmagic_is_left_alone_where_the_system_has_a_libmagic(monkeypatch):
    monkeypatch.setattr(magic_loader, "_open_libmagic", lambda: Detector())
    monkeypatch.setitem(sys.modules, "pylibmagic", None)  # importing it would fail

    assert magic_loader.mime_type(b"x") == "text/plain"


@pytest.mark.usefixtures("fresh_detector")
def test_pylibmagic_helps_where_the_system_has_none(monkeypatch):
    answers = iter([ImportError("failed to find libmagic"), Detector()])
    monkeypatch.setattr(magic_loader, "_open_libmagic", lambda: answer(next(answers)))
    monkeypatch.setitem(sys.modules, "pylibmagic", ModuleType("pylibmagic"))

    assert magic_loader.mime_type(b"x") == "text/plain"


@pytest.mark.usefixtures("fresh_detector")
def test_without_any_libmagic_the_sentence_names_the_package(monkeypatch):
    monkeypatch.setattr(magic_loader, "_open_libmagic", lambda: answer(ImportError("none")))
    monkeypatch.setitem(sys.modules, "pylibmagic", None)

    with pytest.raises(ImproperlyConfigured, match="libmagic1"):
        check_file("a.pdf", make_pdf(), formats=Formats.PDF, run=here)


class Detector:
    def from_buffer(self, content):
        return "text/plain"


def answer(value):
    if isinstance(value, Exception):
        raise value
    return value


# The system's library, hidden from a process of its own: pylibmagic patches ctypes for good.
WITHOUT_A_SYSTEM_LIBMAGIC = """
import ctypes, ctypes.util
ctypes.util.find_library = lambda name: None
load = ctypes.CDLL.__init__
def refuse(self, name, *args, **kwargs):
    if name == "libmagic.so.1":
        raise OSError(name)
    load(self, name, *args, **kwargs)
ctypes.CDLL.__init__ = refuse
from documents.magic_loader import mime_type
print(mime_type(b"%PDF-1.7"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="hides the library the way Linux finds it")
def test_the_library_of_pylibmagic_really_works():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_SYSTEM_LIBMAGIC], capture_output=True, text=True
    )

    assert (done.stdout, done.returncode) == ("application/pdf\n", 0), done.stderr
