"""« J'ai pris les pages en photo »: the second field of a piece, as it works without JavaScript."""

import datetime as dt
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from documents import services as documents
from documents.enums import Formats, RefusalReason
from documents.models import Document
from reenrolment.enums import Status
from reenrolment.pieces import load_pieces
from reenrolment.saving import FILE_FIRST, PHOTOS_INSTEAD
from reenrolment.services import decisions
from tests.documents.builders import make_heic, make_jpeg, make_page, make_pdf, make_png
from tests.documents.test_photos import is_near, pages_of
from tests.factories import CustodyFactory, GuardianFactory, PieceRuleFactory

RED, GREEN, BLUE = "#ff8080", "#80ff80", "#8080ff"


@pytest.fixture
def home(client, parent):
    client.force_login(parent)
    return client


@pytest.fixture
def rule(case):
    return PieceRuleFactory(document_type__name="Avis d'imposition")


@pytest.fixture
def key(rule, family):
    return f"{rule.document_type.pk}-f{family.pk}"


def url(student, name="edit"):
    return reverse(f"reenrolment:{name}", args=[student.pk])


def photo(content, name="IMG_1.JPG"):
    return SimpleUploadedFile(name, content, "image/jpeg")


def pages(*shades):
    return [photo(make_page(shade), f"IMG_{n}.JPG") for n, shade in enumerate(shades, start=1)]


def told(response):
    """The field and the sentence of each error; plain spaces."""
    return [(field, text.replace("\u00a0", " ")) for field, text in response.context["errors"]]


def kept():
    document = Document.objects.get()
    with document.file.open() as file:
        return document, file.read()


# --- One PDF


def test_photos_become_one_pdf_named_after_the_piece(home, case, key, family, parent):
    response = home.post(url(case.student), {f"photos-{key}": pages(RED, GREEN), "comment": "Oui"})

    assert response.url == url(case.student)
    document, content = kept()
    assert (document.name, document.pages) == ("avis-d-imposition.pdf", 2)
    assert (document.content_type, document.size) == ("application/pdf", len(content))
    assert (document.family, document.uploaded_by) == (family, parent)
    assert case.reenrolment.comment == "Oui"


def test_the_pages_follow_the_order_of_the_form(home, case, key):
    home.post(url(case.student), {f"photos-{key}": list(reversed(pages(RED, GREEN, BLUE)))})

    corners = [page.getpixel((20, 60)) for page in pages_of(kept()[1])]
    expected = [(128, 128, 255), (128, 255, 128), (255, 128, 128)]
    assert all(map(is_near, corners, expected))


def test_jpeg_png_and_heic_go_together_whatever_their_names(home, case, key):
    mixed = [
        photo(make_jpeg(exif_orientation=6), "reçu été.jpg"),
        photo(make_png(), "Capture d’écran 🎺"),
        photo(make_heic(turned=True), "IMG_0003.HEIC"),
    ]

    home.post(url(case.student), {f"photos-{key}": mixed})

    assert kept()[0].pages == 3


def test_photos_replace_what_was_there(home, case, key):
    for shades in ([RED], [RED, GREEN]):
        home.post(url(case.student), {f"photos-{key}": pages(*shades)})

    assert Document.objects.current().get().pages == 2


def test_the_field_stands_where_a_pdf_is_accepted_and_only_there(home, case, family):
    rules = {
        formats: PieceRuleFactory(document_type__formats=formats).document_type.pk
        for formats in Formats
    }

    content = home.get(url(case.student)).content.decode()

    shown = {
        formats for formats, pk in rules.items() if f'name="photos-{pk}-f{family.pk}"' in content
    }
    assert shown == {Formats.PDF, Formats.ANY}


# --- Refused


def test_one_bad_photo_is_named_beside_its_field_and_nothing_is_kept(home, case, key):
    given = [*pages(RED), photo(b"\xff\xd8\xff\xe0 cut", "IMG_2.JPG"), *pages(GREEN)]

    response = home.post(url(case.student), {f"photos-{key}": given, "comment": "Oui"})

    [(field, sentence)] = told(response)
    assert field == f"id_photos-{key}"
    assert sentence.startswith("La photo 2 (IMG_2.JPG) ")
    assert f'id="id_photos-{key}-errors"' in response.content.decode()
    assert '<details class="piece-photos" open>' in response.content.decode()
    assert not Document.objects.exists()
    assert case.reenrolment.comment == "Oui"


def test_too_many_photos_are_told(home, case, key):
    [(field, sentence)] = told(home.post(url(case.student), {f"photos-{key}": pages(*[RED] * 21)}))

    assert field == f"id_photos-{key}"
    assert sentence.startswith("20 photos au plus")


def test_a_pdf_among_the_photos_is_told(home, case, key):
    given = [*pages(RED), photo(make_pdf(), "page 2.pdf")]

    [(_, sentence)] = told(home.post(url(case.student), {f"photos-{key}": given}))

    assert sentence.startswith("La photo 2 (page 2.pdf) est un PDF")


@pytest.mark.parametrize(
    ("content", "name"), [(make_jpeg(), "page.jpg"), (make_heic(), "page.heic")]
)
def test_the_pieces_own_field_goes_on_refusing_an_image_and_shows_the_other(
    home, case, key, content, name
):
    response = home.post(url(case.student), {f"piece-{key}": photo(content, name)})

    [(field, sentence)] = told(response)
    assert field == f"id_piece-{key}"
    assert sentence.endswith(PHOTOS_INSTEAD.replace("\u00a0", " "))
    assert '<details class="piece-photos" open>' in response.content.decode()
    assert not Document.objects.exists()


def test_photos_where_an_image_is_due_are_ignored(home, case):
    photo_rule = PieceRuleFactory(document_type__photo=True)

    home.post(url(case.student), {f"photos-{photo_rule.document_type.pk}-s": pages(RED)})

    assert not Document.objects.exists()


def test_a_refusal_keeps_no_other_piece_out(home, case, key, family):
    other = PieceRuleFactory().document_type

    home.post(
        url(case.student),
        {
            f"photos-{key}": [photo(b"", "IMG_1.JPG"), photo(b"x", "IMG_2.JPG")],
            f"piece-{other.pk}-f{family.pk}": SimpleUploadedFile("a.pdf", make_pdf()),
        },
    )

    assert kept()[0].type == other


# --- A file and photos at once


@pytest.mark.parametrize(("name", "count"), [("avis.pdf", 1), ("été.pdf", 0)])
def test_a_file_wins_over_photos_and_it_is_said(home, case, key, name, count):
    data = {
        f"piece-{key}": SimpleUploadedFile(name, make_pdf()),
        f"photos-{key}": pages(RED, GREEN),
    }

    response = home.post(url(case.student), data, follow=True)

    said = [str(message) for message in response.context["messages"]]
    assert f"Avis d'imposition\u00a0: {FILE_FIRST}" in said
    assert list(Document.objects.values_list("name", flat=True)) == [name] * count


# --- Where, when, who


def test_a_complement_takes_photos(home, case, rule, key, family, parent, registrar):
    case.fill_in(slot=case.slot)
    home.post(url(case.student), {f"piece-{key}": SimpleUploadedFile("a.pdf", make_pdf())})
    reenrolment = case.submit(parent)
    documents.refuse(Document.objects.get(), reason=RefusalReason.UNREADABLE, actor=registrar)
    decisions.request_complement(
        reenrolment,
        pieces=[piece for piece in load_pieces(reenrolment) if piece.is_refused],
        until=timezone.now() + dt.timedelta(days=10),
        message="Les quatre pages, s'il vous plaît.",
        actor=registrar,
    )
    assert f'name="photos-{key}"' in home.get(url(case.student)).content.decode()

    response = home.post(url(case.student, "complete"), {f"photos-{key}": pages(RED, GREEN)})

    assert response.url == url(case.student, "confirmation")
    assert Document.objects.current().get().pages == 2
    assert case.reenrolment.status == Status.SUBMITTED


def test_nothing_can_be_sent_for_the_other_household(home, case, rule):
    other = GuardianFactory().family
    CustodyFactory(student=case.student, family=other, rank=2)

    home.post(url(case.student), {f"photos-{rule.document_type.pk}-f{other.pk}": pages(RED)})

    assert not Document.objects.exists()


def test_once_closed_no_photo_is_looked_at(home, case, key, monkeypatch):
    monkeypatch.setattr("reenrolment.services.supplies.pdf_of_photos", pytest.fail)
    case.campaign.closes_at = timezone.now()
    case.campaign.save()

    home.post(url(case.student), {f"photos-{key}": pages(RED)})

    assert not Document.objects.exists()


def test_a_storage_that_is_down_is_told_beside_the_photos(home, case, key, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("Input/output error")

    storage = Document._meta.get_field("file").storage
    monkeypatch.setattr(type(storage), "_save", fail)

    [(field, sentence)] = told(home.post(url(case.student), {f"photos-{key}": pages(RED)}))

    assert field == f"id_photos-{key}"
    assert "espace de stockage ne répond pas" in sentence


def test_a_photo_leaves_no_trace_of_where_it_was_taken(home, case, key):
    home.post(url(case.student), {f"photos-{key}": [photo(make_jpeg(exif_orientation=1))]})

    assert b"Appareil de test" not in BytesIO(kept()[1]).getvalue()
