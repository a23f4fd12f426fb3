"""Pieces of one household, and what the private storage holds of them."""

import pytest
from django.utils import timezone

from documents.models import Document
from families.files_to_delete import delete_next
from reenrolment.enums import Status
from reenrolment.models import Reenrolment, SuppliedPiece
from tests.factories import (
    CampaignFactory,
    CustodyFactory,
    DocumentTypeFactory,
    FamilyFactory,
    GuardianFactory,
)


@pytest.fixture
def proof(db):
    """A piece of the family: a PDF."""
    return DocumentTypeFactory(name="Justificatif de domicile")


@pytest.fixture
def photo(db):
    """A piece of the student: an image."""
    return DocumentTypeFactory(photo=True)


@pytest.fixture
def other_family(student):
    """The second household of `student`: alternating custody."""
    family = FamilyFactory(name="Durand")
    CustodyFactory(student=student, family=family, rank=2)
    return family


@pytest.fixture
def other_parent(other_family):
    return GuardianFactory(family=other_family, last_name="Durand").user


@pytest.fixture
def examined(student, parent):
    """Marks a document as submitted with a dossier that the staff examines; gives the dossier."""

    def use(document):
        campaign = CampaignFactory()
        dossier = Reenrolment.objects.create(
            campaign=campaign,
            student=student,
            status=Status.SUBMITTED,
            submitted_at=timezone.now(),
            submitted_by=parent,
            terms=campaign.terms,
        )
        SuppliedPiece.objects.create(reenrolment=dossier, document=document)
        return dossier

    return use


@pytest.fixture
def storage():
    return Document._meta.get_field("file").storage


@pytest.fixture
def stored(storage):
    """`stored()` lists the files kept, as the rows name them, once the sender has come by."""

    def names():
        while delete_next():
            pass
        folders, _ = storage.listdir("")
        return sorted(
            f"{folder}/{name}" for folder in folders for name in storage.listdir(folder)[1]
        )

    return names


@pytest.fixture
def broken_storage(monkeypatch, storage):
    """A storage that is down: each reading and each writing fails."""

    def fail(*args, **kwargs):
        raise OSError("Input/output error")

    monkeypatch.setattr(type(storage), "_open", fail)
    monkeypatch.setattr(type(storage), "_save", fail)
