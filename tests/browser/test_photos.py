"""A file is looked at as it is chosen: what can be mended is mended in one click, or one key."""

import os
import re

import pytest
from django.urls import reverse

from documents.checks import MAX_BYTES, propose_name
from documents.checks.names import PLAIN_LETTERS
from documents.models import Document
from tests.browser.conftest import CAF, HOME, PHOTO, TAX
from tests.documents.builders import (
    make_grainy_photo,
    make_heic,
    make_jpeg,
    make_page,
    make_pdf,
)
from tests.documents.test_photos import is_near, pages_of

RED, GREEN, BLUE, YELLOW = (255, 128, 128), (128, 255, 128), (128, 128, 255), (255, 255, 128)
SHADES = {"rouge.jpg": RED, "vert.jpg": GREEN, "bleu.jpg": BLUE, "jaune.jpg": YELLOW}

BOTH_HANDS = pytest.mark.parametrize("keyboard", [False, True], ids=["mouse", "keyboard"])
pytestmark = pytest.mark.usefixtures("town")


@pytest.fixture(scope="session")
def taken(tmp_path_factory):
    """What a family has on its phone."""
    folder = tmp_path_factory.mktemp("photos")
    made = {
        "Été.pdf": make_pdf(),
        "lourde.jpg": make_grainy_photo((2750, 3650)),
        "lourd.pdf": make_pdf() + b"%" * (3 * MAX_BYTES),
        "lettre.docx": b"PK",
        "vide.pdf": b"",
        "IMG_0001.HEIC": make_heic(),
        "petite.jpg": make_jpeg(size=(300, 300)),
        **{name: make_page(shade, (2600, 3600)) for name, shade in SHADES.items()},
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    assert 9_000_000 < (folder / "lourde.jpg").stat().st_size < 12_000_000
    return folder


class Hands:
    """The page of Louise, by the mouse or by the keys only."""

    def __init__(self, visitor, student, keyboard):
        self.visitor, self.page, self.keyboard = visitor, visitor.page, keyboard
        self.page.goto(reverse("reenrolment:edit", args=[student.pk]))

    def piece(self, name):
        return self.page.locator(".piece", has_text=name)

    def press(self, element):
        if self.keyboard:
            element.focus()
            self.page.keyboard.press("Enter")
        else:
            element.click()

    def choose(self, field, *paths):
        with self.page.expect_file_chooser() as chooser:
            self.press(field)
        chooser.value.set_files(paths)

    def unfold(self, name):
        if not self.piece(name).locator("details[open]").count():
            self.press(self.piece(name).locator(".piece-photos > summary"))
        return self.photos(name)

    def photos(self, name):
        return self.page.get_by_label(f"Photos des pages : {name}")

    def offer(self, label):
        """The button that mends: the keys are on it already."""
        button = self.page.get_by_role("button", name=label)
        button.wait_for()
        if self.keyboard:
            assert button.evaluate("button => button === document.activeElement")
            self.page.keyboard.press("Enter")
        else:
            button.click()

    def wait_for(self, name, sentence):
        """`sentence` is a regular expression, whose spaces may be non-breaking ones."""
        words = re.compile(sentence.replace(" ", r"\s"))
        self.piece(name).get_by_text(words).first.wait_for()

    def names(self, name):
        lines = self.piece(name).locator(".photo-name").all_inner_texts()
        return [re.search(r"\n(.+) \(", line)[1] for line in lines]


@pytest.fixture
def hands(visit, parent, student):
    def open_page(keyboard=False, width=360):
        return Hands(visit(width=width).sign_in_as(parent), student, keyboard)

    return open_page


def kept():
    document = Document.objects.current().get()
    with document.file.open() as file:
        return document, file.read()


def shoot(visitor, name):
    """For whoever wants to look: SCREENSHOTS is a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        visitor.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


# --- The four scenes


@BOTH_HANDS
def test_an_accent_is_corrected_in_one_click(hands, taken, keyboard):
    page = hands(keyboard)

    page.choose(page.page.get_by_label(TAX, exact=True), taken / "Été.pdf")
    page.wait_for(TAX, "Le nom de votre fichier contient « É », « é »")
    shoot(page.visitor, f"name-{keyboard}")
    assert page.visitor.axe() == []
    assert not page.visitor.overflows()
    assert not Document.objects.exists()
    page.offer("Renommer en « Ete.pdf »")

    page.wait_for(TAX, "reçue, à examiner")
    assert kept()[0].name == "Ete.pdf"


@BOTH_HANDS
def test_a_photo_of_9_mo_is_made_smaller_before_it_travels(hands, taken, keyboard):
    page = hands(keyboard)

    page.choose(page.page.get_by_label(PHOTO, exact=True), taken / "lourde.jpg")

    page.wait_for(PHOTO, r"Photo réduite de (9|1\d),\d Mo à 1,\d Mo avant l'envoi\.")
    shoot(page.visitor, f"shrunk-{keyboard}")
    document, _ = kept()
    assert (document.name, document.content_type) == ("lourde.jpg", "image/jpeg")


@BOTH_HANDS
def test_four_photos_become_one_pdf_in_the_order_chosen(hands, taken, keyboard):
    page = hands(keyboard, width=320 if keyboard else 360)
    chosen = [taken / name for name in SHADES]

    page.choose(page.unfold(TAX), *chosen)
    page.wait_for(TAX, "4 photos : vérifiez l'ordre des pages")
    assert page.names(TAX) == ["rouge.jpg", "vert.jpg", "bleu.jpg", "jaune.jpg"]
    page.press(page.page.get_by_role("button", name="Monter la page 4, jaune.jpg"))
    page.wait_for(TAX, "jaune.jpg : page 3 sur 4.")
    if keyboard:  # the same button is under the finger: again
        page.page.keyboard.press("Enter")
    else:
        page.page.get_by_role("button", name="Monter la page 3, jaune.jpg").click()
    page.wait_for(TAX, "jaune.jpg : page 2 sur 4.")
    page.press(page.page.get_by_role("button", name="Descendre la page 1, rouge.jpg"))
    assert page.names(TAX) == ["jaune.jpg", "rouge.jpg", "vert.jpg", "bleu.jpg"]
    shoot(page.visitor, f"photos-{keyboard}")
    assert page.visitor.axe() == []
    assert not page.visitor.overflows()
    page.press(page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}"))

    page.wait_for(TAX, "reçue, à examiner")
    document, content = kept()
    assert (document.name, document.pages) == ("avis-d-imposition.pdf", 4)
    assert len(content) <= MAX_BYTES
    corners = [sheet.getpixel((20, 60)) for sheet in pages_of(content)]
    assert all(map(is_near, corners, [YELLOW, RED, GREEN, BLUE]))
    assert page.piece(TAX).locator("details[open]").count() == 0


@BOTH_HANDS
def test_an_image_where_a_pdf_is_due_is_made_one(hands, taken, keyboard):
    page = hands(keyboard)

    page.choose(page.page.get_by_label(HOME, exact=True), taken / "rouge.jpg")
    page.wait_for(HOME, "Ce document est attendu en PDF et votre fichier est une image.")
    shoot(page.visitor, f"refused-{keyboard}")
    assert page.visitor.axe() == []
    page.offer("En faire un PDF")
    page.wait_for(HOME, "1 photo : vérifiez")
    page.offer(f"Envoyer les photos : {HOME}")

    page.wait_for(HOME, "reçue, à examiner")
    assert kept()[0].name == "justificatif-de-domicile.pdf"


@BOTH_HANDS
def test_a_photo_that_the_server_refuses_is_taken_out_and_the_others_stay(hands, taken, keyboard):
    page = hands(keyboard)

    page.choose(page.unfold(TAX), taken / "vert.jpg", taken / "petite.jpg")
    page.wait_for(TAX, "2 photos")
    page.press(page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}"))
    page.wait_for(TAX, r"La photo 2 \(petite.jpg\) est trop petite pour être lue")
    shoot(page.visitor, f"photo-refused-{keyboard}")
    assert page.names(TAX) == ["vert.jpg", "petite.jpg"]
    assert page.photos(TAX).evaluate("field => field === document.activeElement")
    assert page.visitor.axe() == []
    page.press(page.page.get_by_role("button", name="Retirer la page 2, petite.jpg"))
    page.wait_for(TAX, "petite.jpg est retirée. Il reste 1 photo.")
    page.press(page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}"))

    page.wait_for(TAX, "reçue, à examiner")
    assert kept()[0].pages == 1


# --- Told before it travels


@pytest.mark.parametrize(
    ("piece", "name", "sentence"),
    [
        (TAX, "lourd.pdf", r"« lourd\.pdf » pèse 6,1 Mo ; la limite est de 2 Mo\. .*en photo"),
        (
            TAX,
            "lettre.docx",
            r"Les fichiers « \.docx » ne sont pas acceptés : choisissez un fichier",
        ),
        (PHOTO, "Été.pdf", r"« Été\.pdf » est un PDF et une image JPEG ou PNG est attendue"),
        (PHOTO, "IMG_0001.HEIC", r"Votre navigateur n'ouvre pas les photos HEIC"),
    ],
)
def test_what_cannot_be_mended_is_told_and_does_not_travel(hands, taken, piece, name, sentence):
    page = hands()
    sent = []
    page.page.on("request", lambda request: sent.append(request.method))

    field = page.page.get_by_label(piece, exact=True)
    page.choose(field, taken / name)

    page.wait_for(piece, sentence)
    assert field.get_attribute("aria-invalid") == "true"
    assert field.evaluate("field => field.files.length") == 0
    assert "POST" not in sent


def test_a_photo_without_an_extension_is_given_one(hands):
    """As some phones name them."""
    page = hands()
    nameless = {"name": "image:42", "mimeType": "image/jpeg", "buffer": make_jpeg()}

    page.page.get_by_label(PHOTO, exact=True).set_input_files(nameless)
    page.offer("Renommer en « image_42.jpg »")

    page.wait_for(PHOTO, "reçue, à examiner")
    assert kept()[0].name == "image_42.jpg"


def test_an_empty_file_is_told_by_the_server(hands, taken):
    page = hands()

    page.choose(page.page.get_by_label(TAX, exact=True), taken / "vide.pdf")

    page.wait_for(TAX, "Votre fichier est vide")


def test_a_heic_photo_goes_among_the_photos_as_it_is(hands, taken):
    """Chromium can't show it; the server can read it."""
    page = hands()

    page.choose(page.page.get_by_label(TAX, exact=True), taken / "IMG_0001.HEIC")
    page.offer("En faire un PDF")
    page.wait_for(TAX, "1 photo : vérifiez")
    page.choose(page.photos(TAX), taken / "vert.jpg")
    page.wait_for(TAX, "2 photos : vérifiez")
    assert page.names(TAX) == ["IMG_0001.HEIC", "vert.jpg"]
    page.press(page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}"))

    page.wait_for(TAX, "reçue, à examiner")
    assert kept()[0].pages == 2


def test_more_than_twenty_photos_are_told(hands, taken):
    page = hands()

    page.choose(page.unfold(TAX), *[taken / "petite.jpg"] * 22)

    page.wait_for(TAX, "20 photos au plus.* 20 photos : vérifiez")
    assert len(page.names(TAX)) == 20


def test_twenty_photos_of_pages_travel_light_and_make_2_mo(hands, taken, tmp_path):
    page = hands(width=1280)
    paths = [tmp_path / f"page {n}.jpg" for n in range(20)]
    for path in paths:
        path.write_bytes((taken / "vert.jpg").read_bytes())
    page.page.set_default_timeout(120_000)

    page.choose(page.unfold(TAX), *paths)
    page.wait_for(TAX, "20 photos : vérifiez")
    shoot(page.visitor, "twenty")
    weight = page.photos(TAX).evaluate("field => [...field.files].reduce((w, f) => w + f.size, 0)")
    assert weight < 11_500_000
    page.press(page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}"))

    page.wait_for(TAX, "reçue, à examiner")
    document, _ = kept()
    assert document.pages == 20
    assert document.size <= MAX_BYTES


# --- While it travels


def test_the_page_says_that_a_file_travels_and_what_follows_waits_for_it(hands, taken):
    """« Vérifier » pressed meanwhile, twice: the file goes once, and then the page."""
    page = hands(width=1280)
    sent, held = [], []

    def hold(route):
        sent.append(route.request.post_data_buffer or b"")
        if b'name="send"' in sent[-1] and not held:
            held.append(route)
        else:
            route.continue_()

    page.page.route(re.compile("/reinscription/"), hold)
    (taken / "caf.pdf").write_bytes(make_pdf())
    page.choose(page.page.get_by_label(CAF, exact=True), taken / "caf.pdf")
    page.wait_for(CAF, "Envoi en cours|Fichier arrivé")
    for _ in range(2):
        page.page.get_by_role("button", name="Vérifier").click()
    page.page.get_by_text("Un fichier est en cours d'envoi").wait_for()
    held[0].continue_()

    page.page.wait_for_url(re.compile("verifier"))
    assert Document.objects.count() == 1
    assert sum(b"caf.pdf" in body for body in sent) == 1


def test_photos_not_sent_apart_go_with_the_page(hands, taken):
    page = hands()

    page.choose(page.unfold(TAX), taken / "vert.jpg", taken / "rouge.jpg")
    page.page.get_by_role("button", name="Enregistrer", exact=True).last.click()

    page.page.get_by_text("Votre saisie est enregistrée").wait_for()
    assert kept()[0].pages == 2


# --- Without JavaScript


def test_without_javascript_the_second_field_makes_the_pdf(visit, parent, student, taken):
    visitor = visit(width=360, javascript=False).sign_in_as(parent)
    page = Hands(visitor, student, keyboard=False)

    page.choose(page.page.get_by_label(TAX, exact=True), taken / "vert.jpg")
    page.page.get_by_role("button", name=f"Envoyer : {TAX}").click()
    page.wait_for(TAX, "Vous pouvez aussi choisir la photo de chaque page")
    shoot(visitor, "no-js-refused")
    page.choose(page.photos(TAX), taken / "vert.jpg", taken / "rouge.jpg")
    page.page.get_by_role("button", name=f"Envoyer les photos : {TAX}").click()

    page.wait_for(TAX, "reçue, à examiner")
    assert kept()[0].pages == 2


# --- The same rule for names, here and on the server

NAMES = [
    "Été.pdf", "reçu – mai.PDF", "a.b.c.pdf", "sans extension", ".pdf", "  .pdf", "é", "🎺.pdf",
    "avis d’imposition.pdf", "a\u00a0b.pdf", "a\u200bb.pdf", "E\u0301te\u0301.pdf", "Αθήνα.pdf",
    "документ.pdf", "文書.pdf", "a__b___c.pdf", "..a..pdf", "a.pdf ", "a.p d f",
    "a.éxtensionlongue", "x" * 150 + ".pdf", "é" * 99 + ".jpeg", "½ ﬁn ²³ №.pdf",
    "\ufeffa.pdf", "a\u202e.pdf", "...",
]  # fmt: skip


def test_the_browser_proposes_the_very_names_that_the_server_proposes(hands):
    page = hands()
    ranges = [
        range(0x20, 0x250),
        range(0x1E00, 0x1F00),
        range(0x2000, 0x2070),
        range(0xFB00, 0xFB07),
    ]
    letters = [chr(code) for each in ranges for code in each]
    names = [
        *NAMES,
        *(f"a{letter}b.pdf" for letter in [*letters, *map(chr, PLAIN_LETTERS)]),
    ]

    proposed = page.page.evaluate("names => names.map(fileNames.propose)", names)

    different = {
        name: (mine, propose_name(name))
        for name, mine in zip(names, proposed, strict=True)
        if mine != propose_name(name)
    }
    assert different == {}
