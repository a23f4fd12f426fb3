"""Documents with a real file, and what becomes of their pages."""

from hashlib import sha256

import pytest
from django.core.files.base import ContentFile

from imuse.demo import files
from tests.documents.builders import make_pdf
from tests.factories import DocumentFactory

CAF = ["Votre quotient familial pour le mois de mai 2026 est de 743 \u20ac.", "Le 12/05/2026"]


@pytest.fixture
def keep(family):
    """`keep(content)` is a document of the family that holds these bytes."""

    def make(content=None, content_type="application/pdf", **fields):
        content = make_pdf() if content is None else content
        return DocumentFactory(
            family=family,
            file=ContentFile(content, "x"),
            content_type=content_type,
            size=len(content),
            received_sha256=sha256(content).hexdigest(),
            sha256=sha256(content).hexdigest(),
            **fields,
        )

    return make


@pytest.fixture
def attestation():
    """A CAF's attestation, with its text."""
    return files.make_pdf("CAF, attestation de quotient familial", CAF)
