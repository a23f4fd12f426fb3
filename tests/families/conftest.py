"""One child, two households (alternating custody), and what each of them has of its own."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import private_storage
from documents import services as documents
from documents.enums import RefusalReason
from reenrolment.models import Reenrolment
from reenrolment.services import assisting, launches
from tests.factories import (
    CustodyFactory,
    DocumentTypeFactory,
    PieceRuleFactory,
    RepertoirePieceFactory,
    StudentFactory,
)
from tests.families.homes import add_guardian, bill, hand_in, make_home, parent_of, photo_type
from tests.reenrolment.conftest import make_case

OURS, THEIRS = "Blaireau", "Loutre"


@pytest.fixture
def ours(establishment):
    """The first household of `child`: two guardians, an invoice and a proof of address."""
    family = make_home(OURS)
    add_guardian(family, "Paul", mobile_phone="06 55 55 55 55")
    return family


@pytest.fixture
def theirs(establishment):
    family = make_home(THEIRS)
    family.guardians.update(mobile_phone="06 99 88 77 66", home_phone="03 99 88 77 66")
    return family


@pytest.fixture
def child(ours, theirs):
    student = StudentFactory(first_name="Louise", last_name="Castor", family=ours)
    CustodyFactory(student=student, family=theirs, rank=2)
    return student


@pytest.fixture
def life(ours, theirs, child, registrar, accountant) -> Reenrolment:
    """The dossier of `child`, submitted by the other household; each has bills, pieces and mails.

    Each household's first piece is refused with a comment, and opened by the secretariat.
    """
    case = make_case(child)
    proof = PieceRuleFactory(document_type=DocumentTypeFactory(name="Avis d'imposition"))
    for family in (ours, theirs):
        bill(family, accountant)
        piece = hand_in(family, type=proof.document_type)
        documents.refuse(
            piece, reason=RefusalReason.TOO_OLD, comment=f"Pièce {family.name}.", actor=registrar
        )
        documents.log_access(piece, actor=registrar)
    hand_in(ours, type=photo_type(), student=child)
    RepertoirePieceFactory(student=child)
    launches.launch(case.campaign, actor=registrar, expected=3)
    while launches.prepare_next():
        pass
    assisting.start(child, ours, actor=registrar)
    case.fill_in()
    return case.submit(parent_of(theirs))


@pytest.fixture
def stored():
    """`stored()` lists the names of the private files."""
    storage = private_storage()

    def names(folder=""):
        try:
            folders, files = storage.listdir(folder)
        except FileNotFoundError:
            return []
        found = [f"{folder}/{name}".lstrip("/") for name in files]
        return sorted(
            found + [n for each in folders for n in names(f"{folder}/{each}".lstrip("/"))]
        )

    return names


class StorageSwitch:
    """Down, each reading and each writing of a private file fails."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch

    def down(self):
        def fail(*args, **kwargs):
            raise OSError("Input/output error")

        for name in ("_open", "_save"):
            self.monkeypatch.setattr(type(private_storage()), name, fail)

    def up(self):
        self.monkeypatch.undo()


@pytest.fixture
def storage_switch(monkeypatch):
    return StorageSwitch(monkeypatch)


@pytest.fixture
def broken_private(storage_switch):
    storage_switch.down()


@pytest.fixture
def count_queries():
    """`count_queries(function)` calls it."""

    def count(function):
        with CaptureQueriesContext(connection) as queries:
            function()
        return len(queries)

    return count
