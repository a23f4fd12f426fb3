"""The viewer of a dossier's pieces, by the keyboard alone, and as it looks."""

import pytest
from django.urls import reverse

from documents import services
from documents.enums import Verdict
from documents.models import Document, Reading
from documents.previews.queue import render_next
from imuse.demo import files
from tests.browser.conftest import CAF, HOME, PHOTO
from tests.documents.builders import make_jpeg
from tests.factories import DocumentTypeFactory, FamilyFactory, PieceRuleFactory
from tests.reenrolment.conftest import make_case

SEEN = 700  # ms: until then a press is taken for the one before (static/js/viewer.js)
LINES = ["Quotient familial du mois de mai 2026 : 743 €", "Lille, le 12/05/2026"]


@pytest.fixture
def dossier(parent, student, family):
    case = make_case(student)
    kinds = [
        DocumentTypeFactory(name=CAF, shows_quotient=True, valid_months=6),
        DocumentTypeFactory(name=HOME, valid_months=6),
        DocumentTypeFactory(photo=True, name=PHOTO),
    ]
    for position, kind in enumerate(kinds):
        PieceRuleFactory(document_type=kind, position=position)
    caf = files.make_pdf(CAF, LINES, pages=2)
    home = files.make_pdf("Quittance de loyer", ["Facture du 3 mai 2024"])
    services.hand_in("caf.pdf", caf, type=kinds[0], family=family, actor=parent)
    services.hand_in("loyer.pdf", home, type=kinds[1], family=family, actor=parent)
    services.hand_in("louise.jpg", make_jpeg(), type=kinds[2], student=student, actor=parent)
    other = FamilyFactory(name="Vandermeersch-Delannoy de Hautecombe")
    services.hand_in("prete.pdf", home, type=kinds[1], family=other, actor=parent)
    case.fill_in()
    case.submit(parent)
    return case.reenrolment


def draw_all():
    while render_next():
        pass


def title(page):
    return page.locator("h1").inner_text().split("\n")[0]


def press(page, key):
    page.wait_for_timeout(SEEN)
    page.keyboard.press(key)


def verdicts():
    current = Document.objects.exclude(name="prete.pdf").order_by("uploaded_at")
    return list(current.values_list("verdict", flat=True))


@pytest.fixture
def page(visit, registrar, dossier):
    draw_all()
    page = visit().sign_in_as(registrar).page
    page.goto(reverse("admin:reenrolment_reenrolment_examine_pieces"))
    return page


def test_three_pieces_without_a_mouse(page):
    assert title(page).startswith(CAF)
    image = page.locator(".viewer-pages img").first
    assert image.evaluate("image => image.complete && image.naturalWidth") == 1414
    press(page, "c")
    press(page, "a")
    page.get_by_role("heading", level=1, name=HOME).wait_for()
    reading = Reading.objects.get(document__type__name=CAF)
    assert (reading.quotient, reading.is_confirmed) == (743, True)

    press(page, "r")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.press("ArrowDown")  # « illisible »
    page.keyboard.press("ArrowDown")  # « trop ancien »
    page.keyboard.press("Tab")
    page.keyboard.type("arrache")  # neither accepts nor refuses: somebody is typing
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name=PHOTO).wait_for()
    assert Document.objects.get(name="loyer.pdf").refusal == "Le document est trop ancien. arrache"

    press(page, "p")
    page.get_by_role("heading", level=1, name=HOME).wait_for()
    press(page, "n")
    page.get_by_role("heading", level=1, name=PHOTO).wait_for()
    press(page, "a")
    page.get_by_text("Toutes les pièces envoyées de ce dossier sont examinées.").wait_for()
    assert verdicts() == [Verdict.ACCEPTED, Verdict.REFUSED, Verdict.ACCEPTED]


def test_a_key_too_early_or_turned_off_decides_nothing(page):
    page.keyboard.press("a")
    page.keyboard.press("a")
    press(page, "?")
    assert page.get_by_text("cette aide").is_visible()
    page.get_by_role("button", name="Raccourcis actifs").press("Enter")
    press(page, "a")
    page.reload()
    press(page, "a")
    page.wait_for_timeout(300)
    assert set(verdicts()) == {Verdict.PENDING}

    press(page, "?")
    page.get_by_text("Raccourcis clavier").click()
    page.get_by_role("button", name="Raccourcis coupés").click()
    press(page, "a")
    page.get_by_role("heading", level=1, name=HOME).wait_for()


def test_the_images_come_by_themselves(visit, registrar, dossier):
    page = visit().sign_in_as(registrar).page
    page.goto(reverse("admin:reenrolment_reenrolment_view_pieces", args=[dossier.pk]))
    page.get_by_text("L'aperçu se prépare.").wait_for()

    draw_all()

    page.locator(".viewer-pages img").first.wait_for()


def test_without_javascript(visit, registrar, dossier):
    draw_all()
    page = visit(javascript=False).sign_in_as(registrar).page
    page.goto(reverse("admin:reenrolment_reenrolment_view_pieces", args=[dossier.pk]))

    assert not page.get_by_text("Raccourcis clavier").is_visible()
    page.get_by_role("button", name="Accepter la pièce").click()
    page.get_by_text("Refuser la pièce").first.click()
    page.get_by_label("Motif du refus").select_option("too_old")
    page.get_by_role("button", name="Refuser la pièce").click()
    page.get_by_role("link", name="Pièce précédente").click()

    assert title(page).startswith(HOME)
    assert verdicts()[:2] == [Verdict.ACCEPTED, Verdict.REFUSED]


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_how_it_looks(visit, registrar, dossier, width):
    draw_all()
    visitor = visit(width=width).sign_in_as(registrar)
    page = visitor.page
    found = {}
    for name in ("caf.pdf", "loyer.pdf", "louise.jpg"):
        document = Document.objects.get(name=name)
        args = [dossier.pk, document.pk]
        page.goto(reverse("admin:reenrolment_reenrolment_view_piece", args=args))
        for summary in page.locator(".viewer summary").all():
            summary.click()
        found[name] = visitor.axe() + ["overflows"] * visitor.overflows()
    assert found == dict.fromkeys(found, [])
