"""The letters of a launch, in PDF: one a sheet, and nobody's name is ever an instruction."""

import io
import logging

import pikepdf
import pytest

from documents.enums import Verdict
from reenrolment.letters import letters_of, print_letters
from reenrolment.services import launches
from tests.factories import CampaignFactory, DocumentFactory, PieceRuleFactory
from tests.pdfs import texts_of
from tests.reenrolment.test_launches import make_household


@pytest.fixture
def campaign(establishment):
    return CampaignFactory()


@pytest.fixture
def write(campaign, registrar):
    """The letters of these households, launched and prepared."""

    def write(*families):
        expected = launches.not_told_yet(campaign).count()
        launches.launch(campaign, actor=registrar, expected=expected)
        while launches.prepare_next():
            pass
        return letters_of(campaign, families)

    return write


def squeezed(text):
    return "".join(text.split())


NAMES = [
    "Nguyễn",
    "Le Goff-d'Aux",
    "O’Brien-Œuvrard",
    '#eval("1+1")',
    "#data.letters #sys.inputs",
    "*Étoile* _souligné_ $x^2$ `code`",
    "@Moi \\emph{x} [crochets] <label> ~ = titre",
    "// commentaire /* et autre */",
    '"guillemets" {accolades} %s {0}',
    "- tiret + plus / barre",
    "Anne-Charlotte de La Rochefoucauld-Montmorency-Luxembourg et de Bourbon-Condé d'Orléans",
    "Достоевский Παπαδόπουλος",
]


def test_a_letter_a_page_and_each_name_as_it_is_written(campaign, write):
    families = [
        make_household({"email": "", "first_name": "A", "last_name": name[:100]}, name=name)
        for name in NAMES
    ]
    letters = write(*families)

    texts = texts_of(print_letters(letters, campaign))

    assert len(texts) == len(NAMES)
    for name, text, letter in zip(NAMES, texts, letters, strict=True):
        assert f"{squeezed('A' + name)}12ruedesAnges59200Tourcoing" in text
        assert squeezed(letter.opening) in text
        assert squeezed(f"{letter.usernames[0][0]} : {letter.usernames[0][1]}") in text


def test_the_letter_says_everything(campaign, write, settings):
    settings.SITE_URL = "https://conservatoire.example"
    family = make_household(
        {"email": ""}, {"email": "", "first_name": "Inès"}, address_more="Bâtiment C"
    )
    PieceRuleFactory(document_type__name="Photo", document_type__owner="student", position=1)
    refused = PieceRuleFactory(document_type__name="Domicile", position=2).document_type
    DocumentFactory(type=refused, family=family, verdict=Verdict.REFUSED, refusal="Trop ancien.")
    (letter,) = write(family)

    assert letter.sender[0] == "Conservatoire"
    assert letter.recipient == [
        *["Claire Martin", "Inès Martin"],
        *["12 rue des Anges", "Bâtiment C", "59200 Tourcoing"],
    ]
    assert letter.usernames == [
        ("Identifiant de Claire Martin", "martin.c"),
        ("Identifiant d'Inès Martin", "martin.i"),
    ]
    assert letter.pieces == [
        "Photo, pour Louise",
        "Domicile (celle que nous avons est refusée\u00a0: Trop ancien.)",
    ]
    (text,) = texts_of(print_letters([letter], campaign))
    said = [
        *letter.sender,
        *letter.recipient,
        *[letter.date, letter.subject, letter.opening],
        *[part for line in letter.facts + letter.usernames for part in line],
        *letter.steps,
        *letter.pieces,
        "https://conservatoire.example/extranet/",
        "S'il manque une pièce, le tarif haut des droits d'inscription est appliqué.",
    ]
    assert [part for part in said if squeezed(part) not in text] == []


def test_the_pdf_is_accessible(campaign, write):
    pdf = print_letters(write(make_household({"email": ""})), campaign)

    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert str(document.Root.Lang) == "fr-FR"
        assert document.Root.MarkInfo.Marked
        assert str(document.docinfo.Title) == f"Lettres de lancement, {campaign}"
        assert b"<pdfuaid:part>1</pdfuaid:part>" in document.Root.Metadata.read_bytes()


def test_a_sign_that_no_font_draws_holds_back_nobody(campaign, write, caplog):
    family = make_household({"email": "", "last_name": "漢字 😀"})

    with caplog.at_level(logging.WARNING):
        (text,) = texts_of(print_letters(write(family), campaign))

    assert "12ruedesAnges" in text
    assert "PDF ['ua-1']" in caplog.text


def test_an_address_too_long_stays_in_the_window(campaign, write):
    """Between 47 and 78 mm from the top of the sheet, whatever its length."""
    long = "Résidence des Anges, bâtiment Mozart, escalier 12, appartement 1204, troisième porte"
    family = make_household(
        {"email": "", "last_name": "de La Rochefoucauld-Montmorency-Luxembourg-Bourbon"},
        {"email": "", "last_name": "de La Rochefoucauld-Montmorency-Luxembourg-Bourbon"},
        *[{"email": ""}, {"email": ""}],
        address=long,
        address_more=long,
    )
    pdf = print_letters(write(family), campaign)

    with pikepdf.open(io.BytesIO(pdf)) as document:
        heights = [height for left, height in _places(document.pages[0]) if 104 < left < 106]
    assert 47 < min(heights) < 51
    assert max(heights) < 78.5


def _places(page):
    """Where each piece of text begins: millimetres from the left and from the top."""
    stack, matrix = [], pikepdf.Matrix()
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "q":
                stack.append(matrix)
            case "Q":
                matrix = stack.pop()
            case "cm":
                matrix = pikepdf.Matrix(*map(float, operands)) @ matrix
            case "Tm":
                place = pikepdf.Matrix(*map(float, operands)) @ matrix
                yield place.e / 72 * 25.4, 297 - place.f / 72 * 25.4
