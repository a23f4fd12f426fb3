"""The corpus through the page that families use: the verdict, its sentence, and what is kept."""

from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import escape

from documents import services
from documents.enums import Formats
from documents.models import Document
from tests.documents.corpus import CASES, content_of
from tests.documents.corpus.case import ACCEPTED
from tests.documents.corpus.transports import IGNORED, TRANSPORTS, disposition
from tests.factories import PieceRuleFactory
from tests.reenrolment.conftest import make_case

BOUNDARY = b"----WebKitFormBoundaryAbCdEf"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY.decode()}"
# Django's parser changes or drops them before the checks: transports.py says what it makes of them.
IN_CHECKS = {"names"}


@pytest.fixture
def verdicts(monkeypatch):
    """The codes of what the checks refuse, in the order of the files."""
    codes, check = [], services.check_file

    def spy(*args, **kwargs):
        try:
            return check(*args, **kwargs)
        except ValidationError as error:
            codes.append(error.code)
            raise

    monkeypatch.setattr(services, "check_file", spy)
    return codes


@pytest.fixture
def page(student, family, parent, client, verdicts, stored):
    client.force_login(parent)
    return Page(client, make_case(student), family, verdicts, stored)


class Page:
    """The page of a dossier, where one piece of each format is due."""

    def __init__(self, client, case, family, codes, stored):
        self.client, self.codes, self.stored = client, codes, stored
        self.url = reverse("reenrolment:edit", args=[case.student.pk])
        self.keys = {formats: f"{self._due(formats).pk}-f{family.pk}" for formats in Formats}

    def _due(self, formats):
        return PieceRuleFactory(document_type__formats=formats).document_type

    def send(self, formats, head, content):
        """Choose a file and press « Envoyer »; return the answer and the errors of the page."""
        key = self.keys[formats]
        head = head.replace(b"{field}", f"piece-{key}".encode())
        pressed = b'Content-Disposition: form-data; name="send"\r\n'
        parts = [(head, content), (pressed, key.encode())]
        body = b"".join(
            b"--%s\r\n%s\r\n%s\r\n" % (BOUNDARY, head, content) for head, content in parts
        )
        response = self.client.post(
            self.url, body + b"--%s--\r\n" % BOUNDARY, content_type=MULTIPART
        )
        errors = response.context["errors"] if response.status_code == 200 else []
        for field, sentence in errors:
            assert field == f"id_piece-{key}"
            assert escape(sentence) in response.content.decode()
        return response, errors

    def verdict(self, formats, head, content):
        """Send a file; return the verdict and what is kept, which is taken away again."""
        self.codes.clear()
        response, errors = self.send(formats, head, content)
        if response.status_code != 302:
            assert len(errors) == 1
            assert (list(Document.objects.all()), self.stored()) == ([], [])
            return (self.codes or [IGNORED])[0], None
        assert self.codes == []
        document = Document.objects.get()
        assert self.stored() == [document.file.name]
        with document.file.open() as file:
            assert document.sha256 == sha256(file.read()).hexdigest()
        document.file.delete(save=False)
        document.delete()
        return ACCEPTED, document


def test_each_way_of_sending_gets_its_verdict(page):
    got = {}
    for case in TRANSPORTS:
        verdict, document = page.verdict(Formats.ANY, case.head, case.content)
        got[case.label] = verdict, document and case.kept_name and document.name

    assert got == {case.label: (case.verdict, case.kept_name) for case in TRANSPORTS}


@pytest.mark.parametrize(
    "kind", sorted({label.partition(":")[0] for label, _ in CASES} - IN_CHECKS)
)
def test_the_page_gives_the_verdict_of_the_checks(page, kind):
    cases = {label: case for label, case in CASES if label.startswith(f"{kind}:")}
    got = {}
    for label, case in cases.items():
        head = disposition(f'filename="{case.name}"')
        got[label], document = page.verdict(case.formats, head, content_of(label))
        if document is not None and "pages" in case.facts:
            assert document.pages == case.facts["pages"]

    assert got == {label: case.verdict for label, case in cases.items()}
