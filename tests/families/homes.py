"""Households with a bit of everything, each of whose words holds one that is found nowhere else."""

import json
from io import BytesIO
from zipfile import ZipFile

from django.utils import timezone

from accounts.models import User
from billing import services as billing
from billing.enums import PaymentMeans
from billing.models import Invoice
from documents import services as documents
from documents.models import Document, DocumentType
from families import data_exports
from families.models import DataExport, Family
from tests.documents.builders import make_jpeg, make_pdf
from tests.factories import (
    DocumentTypeFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    UserFactory,
)


def make_home(word: str) -> Family:
    """A household without a student yet; `add_guardian` gives it another guardian."""
    family = FamilyFactory(name=word, address=f"1 rue {word}", address_more=f"Bâtiment {word}")
    add_guardian(family, "Claire", home_phone=f"03 20 00 00 {len(word):02}")
    return family


def add_guardian(family: Family, first_name: str, **fields) -> User:
    word = family.name
    user = UserFactory(
        username=f"{word}.{first_name}".lower(),
        email=f"{first_name}@{word}.example".lower(),
        first_name=f"{first_name}{word}",
        last_name=word,
    )
    return GuardianFactory(
        family=family, user=user, last_name=word, first_name=f"{first_name}{word}", **fields
    ).user


def parent_of(family: Family) -> User:
    return family.guardians.order_by("pk").first().user


def hand_in(family: Family, *, type: DocumentType, student=None) -> Document:
    """By the service; the name of the file and, in a PDF, its content hold the word."""
    if student:
        name, content, owner = f"photo {family.name}.jpg", make_jpeg(), {"student": student}
    else:
        name, content = f"avis {family.name}.pdf", make_pdf(title=f"Avis {family.name}")
        owner = {"family": family}
    return documents.hand_in(name, content, type=type, actor=parent_of(family), **owner)


def photo_type() -> DocumentType:
    return DocumentType.objects.filter(owner="student").first() or DocumentTypeFactory(photo=True)


def bill(family: Family, regie: User) -> Invoice:
    """An invoice paid, and a draft."""
    word = family.name
    line = InvoiceLineFactory(
        invoice__family=family, label=f"Cours {word}", explanation=f"QF {word}"
    )
    invoice = billing.issue(line.invoice, actor=regie)
    billing.record_payment(
        invoice,
        amount=line.amount,
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference=f"REF-{word}",
        actor=regie,
    )
    InvoiceLineFactory(invoice__family=family, label=f"Brouillon {word}")
    return invoice


def read(export: DataExport) -> tuple[dict, dict[str, bytes]]:
    """The JSON of a copy that is ready, and every file of its ZIP by name."""
    export.refresh_from_db()
    with export.file.open() as stored, ZipFile(BytesIO(stored.read())) as archive:
        assert archive.testzip() is None
        content = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(content["donnees.json"]), content


def copy_of(family: Family, reader: User | None = None) -> tuple[dict, dict[str, bytes]]:
    """Asked for by the first guardian, unless another one is named; prepared, and read."""
    export = data_exports.ask(family, actor=reader or parent_of(family))
    assert data_exports.prepare_next()
    return read(export)
