"""Photos of pages made into one PDF: upright, in order, under 2 Mo, readable, or a sentence."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from documents import photos
from documents.checks import MAX_BYTES, check_file
from documents.enums import Formats
from documents.photos import MAX_PHOTOS, pdf_name, pdf_of_photos
from tests.documents.builders import (
    make_grainy_photo,
    make_heic,
    make_jpeg,
    make_mpo,
    make_page,
    make_pdf,
    make_png,
)

SHADES = ["#ff8080", "#80ff80", "#8080ff", "#ffff80"]
A4 = (596, 842)  # points, rounded up


def pages_of(content):
    """Each page as a picture, a point a pixel."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [page.render(scale=1).to_pil().convert("RGB") for page in document]
    finally:
        document.close()


def images_of(content):
    """The pictures as the PDF holds them."""
    with pikepdf.open(BytesIO(content)) as pdf:
        streams = [page.Resources.XObject.Photo.read_raw_bytes() for page in pdf.pages]
    return [Image.open(BytesIO(stream)) for stream in streams]


def refusal_of(*given):
    with pytest.raises(ValidationError) as refused:
        pdf_of_photos(list(given))
    return refused.value.code, refused.value.message.replace("\u00a0", " ")


def is_near(colour, expected):
    return all(abs(a - b) < 30 for a, b in zip(colour, expected, strict=True))


# --- What comes out


def test_the_pages_come_in_the_order_given_and_pass_the_check():
    given = [(f"{n}.jpg", make_page(shade)) for n, shade in enumerate(SHADES)]

    content = pdf_of_photos(given)

    corners = [page.getpixel((20, 60)) for page in pages_of(content)]
    expected = [(255, 128, 128), (128, 255, 128), (128, 128, 255), (255, 255, 128)]
    assert all(map(is_near, corners, expected))
    checked = check_file("pages.pdf", content, formats=Formats.PDF)
    assert (checked.pages, checked.content) == (4, content)


@pytest.mark.parametrize(
    ("content", "turned"),
    [
        (make_jpeg(size=(900, 600)), False),
        (make_jpeg(size=(900, 600), exif_orientation=6), True),
        (make_mpo(), True),
        (make_heic(), False),
        (make_heic(turned=True), True),
    ],
    ids=["landscape", "turned by EXIF", "MPO", "HEIC", "turned HEIC"],
)
def test_a_page_is_a4_the_way_the_photo_is_held(content, turned):
    [page] = pages_of(pdf_of_photos([("IMG_1.JPG", content)]))

    assert page.size == (A4 if turned else A4[::-1])


def test_a_turned_photo_is_upright():
    """Its red corner, at the top left of the stored pixels, comes to the top right."""
    for content in (make_jpeg(size=(900, 600), exif_orientation=6), make_heic(turned=True)):
        [page] = pages_of(pdf_of_photos([("a", content)]))

        assert is_near(page.getpixel((A4[0] - 60, 60)), (255, 0, 0))
        assert is_near(page.getpixel((60, 60)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "1", "I;16"])
def test_every_kind_of_png_is_a_page(mode):
    [page] = pages_of(pdf_of_photos([("a.png", make_png(mode=mode))]))

    if mode in ("RGB", "RGBA", "P"):
        assert is_near(page.getpixel((20, 60)), (255, 0, 0))
    assert mode == "I;16" or is_near(page.getpixel((A4[0] - 20, 60)), (255, 255, 255))


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_every_kind_of_jpeg_is_a_page(mode):
    [page] = pages_of(pdf_of_photos([("a.jpg", make_jpeg(mode=mode))]))

    assert is_near(page.getpixel((A4[0] - 20, 60)), (255, 255, 255))


def test_what_is_transparent_is_white():
    empty = BytesIO()
    Image.new("RGBA", (800, 1000), (0, 0, 0, 0)).save(empty, "PNG")

    [page] = pages_of(pdf_of_photos([("a.png", empty.getvalue())]))

    assert page.getpixel((300, 400)) == (255, 255, 255)


def test_nothing_but_pixels_is_kept():
    told = make_jpeg(exif_orientation=1, comment=b"chez nous", icc_profile=b"x" * 200)

    content = pdf_of_photos([("secret name.jpg", told)])

    [image] = images_of(content)
    assert not image.getexif()
    assert not {"comment", "icc_profile"} & image.info.keys()
    for word in (b"Appareil", b"chez nous", b"secret", b"/Info", b"/Metadata", b"Producer"):
        assert word not in content


def test_the_same_photos_give_the_same_bytes():
    given = [("a.jpg", make_jpeg()), ("b.png", make_png()), ("c", make_heic())]

    assert pdf_of_photos(given) == pdf_of_photos(given)


def test_a_photo_is_kept_as_finely_as_2_mo_let_it():
    one = pdf_of_photos([("a.jpg", make_page("white", size=(2970, 4200)))])

    [image] = images_of(one)
    assert image.size[1] == pytest.approx(2339, abs=1)  # 200 points per inch


def test_twenty_photos_of_pages_fit_and_can_be_read():
    given = [(f"{n}.jpg", make_page("ivory", (1700, 2400), lines=60)) for n in range(20)]

    content = pdf_of_photos(given)

    assert len(content) <= MAX_BYTES
    images = images_of(content)
    assert len(images) == MAX_PHOTOS
    assert min(image.height for image in images) >= 1286  # 110 points per inch


def test_a_heavy_photo_is_made_lighter():
    content = make_grainy_photo((2000, 2800), 98)
    assert len(content) > 2 * MAX_BYTES

    assert len(pdf_of_photos([("a.jpg", content)])) <= MAX_BYTES


def test_the_steps_go_from_best_to_least():
    sheet = next(photos._sheets([("a.jpg", make_page("ivory", (2400, 3300)))]))

    weights = [len(photos._page(sheet, step)) for step in photos.STEPS]

    assert weights == sorted(weights, reverse=True)


# --- What is refused


def test_photos_that_could_not_be_read_under_2_mo_are_refused():
    grain = make_grainy_photo((1000, 1400))

    code, sentence = refusal_of(*[(f"{n}.jpg", grain) for n in range(MAX_PHOTOS)])

    assert code == "photos_too_heavy"
    assert "vos 20 photos ne seraient plus lisibles" in sentence


def test_none_and_too_many():
    assert refusal_of()[0] == "no_photo"
    code, sentence = refusal_of(*[("a.jpg", b"")] * (MAX_PHOTOS + 1))
    assert (code, sentence[:24]) == ("too_many_photos", "20 photos au plus font u")


JPEG = make_jpeg()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "photo_empty", "est vide"),
        (make_pdf(), "photo_not_image", "est un PDF"),
        (b"Bonjour, ceci n'est pas une photo.", "photo_not_image", "n'est pas une photo"),
        (JPEG[: len(JPEG) // 2], "photo_damaged", "abîmée ou incomplète"),
        (make_png()[:-2000], "photo_damaged", "abîmée ou incomplète"),
        (make_heic()[:-300], "photo_damaged", "abîmée ou incomplète"),
        (JPEG + b"\xff\xda" * 101, "photo_damaged", "abîmée ou incomplète"),
        (make_jpeg(size=(240, 320)), "photo_too_small", "trop petite pour être lue (240 × 320"),
        (make_png((7100, 7100), "1"), "photo_too_many_pixels", "trop de pixels"),
        (make_png((15000, 15000), "1"), "photo_too_many_pixels", "trop de pixels"),
    ],
    ids=[
        "empty", "PDF", "text", "cut JPEG", "cut PNG", "cut HEIC", "scans", "small", "large",
        "bomb",
    ],
)  # fmt: skip
def test_the_photo_at_fault_is_named(content, code, words):
    found, sentence = refusal_of(("IMG_0001.JPG", JPEG), ("IMG_0002.JPG", content))

    assert found == code
    assert sentence.startswith("La photo 2 (IMG_0002.JPG) ")
    assert words in sentence


def test_many_large_photos_are_refused_before_they_are_decoded():
    """Six of 48 megapixels, which compress to almost nothing, would keep a server busy."""
    wide = make_png((6000, 8000), "1")

    code, sentence = refusal_of(*[(f"{n}.png", wide) for n in range(1, 8)])

    assert code == "photo_too_many_pixels"
    assert sentence.startswith("La photo 6 (6.png)")


def test_a_long_or_odd_name_is_shown_short():
    _, sentence = refusal_of((f"{'a' * 90}\n\u202e.jpg", b""))

    assert sentence.startswith(f"La photo 1 ({'a' * 30}…{'a' * 21}.jpg) est vide")
    assert refusal_of(("", b""))[1].startswith("La photo 1 est vide")


# --- Its name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Avis d'imposition", "avis-d-imposition.pdf"),
        ("Attestation d’été", "attestation-d-ete.pdf"),
        ("Œuvre n.2", "oeuvre-n-2.pdf"),
        ("***", "document.pdf"),
        ("a" * 100, f"{'a' * 90}.pdf"),
    ],
)
def test_the_pdf_is_named_after_the_piece(kind, name):
    assert pdf_name(kind) == name
    check_file(pdf_name(kind), make_pdf(), formats=Formats.PDF)
