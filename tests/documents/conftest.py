"""Pieces of one household, and what the private storage holds of them."""

import datetime as dt

import pytest
from django.utils import timezone

from documents import services
from documents.models import Document
from families.files_to_delete import delete_next
from families.models import FileToDelete
from reenrolment.enums import Status
from reenrolment.models import Reenrolment, SuppliedPiece
from tests.documents.builders import make_pdf
from tests.documents.private_storages import S3Server, local_folder, s3_storage, use_storage
from tests.factories import (
    CampaignFactory,
    CustodyFactory,
    DocumentTypeFactory,
    FamilyFactory,
    GuardianFactory,
)

PDF = make_pdf(pages=2)


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
        due = FileToDelete.objects.filter(attempts=0)
        due.update(due_at=timezone.now() - dt.timedelta(minutes=1))  # whatever the clock does
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


@pytest.fixture(scope="module")
def s3_server():
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch):
    """The bucket is the private storage."""
    s3_server.empty()
    storage = s3_storage(s3_server.endpoint)
    use_storage(monkeypatch, storage)
    yield storage
    storage.connection.meta.client.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A local folder is."""
    storage = local_folder(tmp_path / "documents")
    use_storage(monkeypatch, storage)
    return storage


@pytest.fixture(params=["folder", "bucket"])
def private(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def proof_of(proof, family, parent):
    """Hands in a proof of address: `proof_of()`, or another household's."""

    def send(name="quittance.pdf", content=PDF, family=family):
        return services.hand_in(name, content, type=proof, family=family, actor=parent)

    return send


@pytest.fixture
def kept(private):
    """`kept()`: the names in the store, once the sender has come by."""

    def names():
        while delete_next():
            pass
        folders, loose = private.listdir("")
        assert loose == []
        return sorted(f"{each}/{name}" for each in folders for name in private.listdir(each)[1])

    return names
