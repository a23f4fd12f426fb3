"""A real Chromium against the live server; nothing may break the strict CSP, on any page."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from students.enums import Scheduling, Weekday
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import (
    CampaignFactory,
    CourseFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)

# Playwright's own loop runs in this thread; Django would take its queries for asynchronous ones.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

PATIENCE = 20_000  # milliseconds, for a machine that plays other suites too
expect.set_options(timeout=PATIENCE)

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

CAF = "Attestation de paiement CAF"
HOME = "Justificatif de domicile"
TAX = "Avis d'imposition"
PHOTO = "Photo d'identité"


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Visitor:
    """Somebody at a screen; `faults` gathers what the browser complains of."""

    def __init__(self, browser, url, *, width=1280, javascript=True):
        self.context = browser.new_context(
            base_url=url,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
        )
        self.context.set_default_timeout(PATIENCE)
        self.url = url
        self.javascript = javascript
        self.faults = []
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("response", self._look)

    def sign_in_as(self, user):
        """Takes a session made beside the sign-in page, which has its own test."""
        client = Client()
        client.force_login(user)
        self.context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "url": self.url,
                }
            ]
        )
        return self

    def sign_in(self, username, password, door="Accès usager"):
        """By the front door, as the manual says (steps 2 and 3)."""
        self.page.goto("/extranet/")
        self.page.get_by_role("link", name=door).click()
        self.page.get_by_label("Sélectionnez le site").select_option(label="Conservatoire")
        self.page.get_by_label("Identifiant").fill(username)
        self.page.get_by_label("Mot de passe", exact=True).fill(password)
        self.page.get_by_role("button", name="Se connecter").click()

    def axe(self):
        """What axe finds on the page, empty when all is well.

        Axe tries styles out, which the CSP refuses and the console tells: not the page's fault.
        """
        heard = len(self.faults)
        results = Axe().run(self.page)
        del self.faults[heard:]
        return [f"{v['id']}: {v['nodes'][0]['html']}" for v in results.response["violations"]]

    def overflows(self):
        """Does the page scroll sideways? WCAG 1.4.10: not at 320 pixels."""
        root = "document.documentElement"
        return self.page.evaluate(f"{root}.scrollWidth > {root}.clientWidth")

    def _hear(self, message):
        if message.type == "error" and "status of 4" not in message.text:
            self.faults.append(message.text)

    def _look(self, response):
        if response.status >= 500:
            self.faults.append(f"{response.status} {response.url}")


@pytest.fixture
def visit(chromium, live_server, transactional_db):
    """`visit(width=360, javascript=False)` opens a browser; at the end it must have no fault."""
    visitors = []

    def open_browser(**options):
        visitors.append(Visitor(chromium, live_server.url, **options))
        return visitors[-1]

    yield open_browser
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.context.close()
    assert faults == []


@pytest.fixture
def town(parent, student, family, teacher, registrar):
    """Louise follows two courses whose slot is to choose and a choir; Zoé is her sister."""
    CampaignFactory()
    StudentFactory(first_name="Zoé", family=family)
    days = {"Formation musicale": Weekday.MONDAY, "Orchestre": Weekday.WEDNESDAY}
    for name, weekday in days.items():
        coming = CourseFactory(coming=True, name=name)
        SlotFactory(course=coming, teacher=teacher, places=3, weekday=weekday)
        EnrolmentFactory(student=student, course=CourseFactory(name=name, next_course=coming))
    choir = CourseFactory(coming=True, name="Chorale", scheduling=Scheduling.ADMINISTRATION)
    SlotFactory(course=choir, teacher=teacher, places=2, group="", weekday=Weekday.FRIDAY)
    EnrolmentFactory(
        student=student,
        course=CourseFactory(
            name="Chorale", scheduling=Scheduling.ADMINISTRATION, next_course=choir
        ),
    )
    for position, name in enumerate((CAF, HOME, TAX)):
        PieceRuleFactory(document_type=DocumentTypeFactory(name=name), position=position)
    PieceRuleFactory(document_type=DocumentTypeFactory(photo=True, name=PHOTO), position=9)


@pytest.fixture
def files(tmp_path):
    made = {
        "caf.pdf": make_pdf(),
        "reçu.pdf": make_pdf(),
        "recu.pdf": make_pdf(),
        "avis (4 pages).pdf": make_pdf(pages=4),
        "louise.jpg": make_jpeg(),
        "facture 2.pdf": make_pdf(pages=2),
    }
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path
