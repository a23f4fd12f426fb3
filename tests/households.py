"""Households whose every field is a word that nothing else on a page could hold."""

import re
from decimal import Decimal

from django.utils import timezone

from billing import services as billing
from billing.enums import PaymentMeans
from families.models import Family
from tests.factories import (
    CustodyFactory,
    DocumentFactory,
    GuardianFactory,
    InvoiceLineFactory,
    RentalFactory,
)

HOUSEHOLDS = [
    {
        "name": "Zyfoyer",
        "reference": "Zyreference",
        "address": "77 rue Zyvoie",
        "address_more": "Zyappartement",
        "last_name": "Zyresponsable",
        "first_name": "Zyprenom",
        "email": "zyparent@example.org",
        "mobile_phone": "06 71 72 73 74",
        "home_phone": "03 71 72 73 74",
        "document": "zyavis-imposition.pdf",
        "username": "zyparent.z",
        "insurer": "Zyassureur",
        "payment": "Zyquittance",
    },
    {
        "name": "Wxfoyer",
        "reference": "Wxreference",
        "address": "88 rue Wxvoie",
        "address_more": "Wxappartement",
        "last_name": "Wxresponsable",
        "first_name": "Wxprenom",
        "email": "wxparent@example.org",
        "mobile_phone": "06 81 82 83 84",
        "home_phone": "03 81 82 83 84",
        "document": "wxquotient-familial.pdf",
        "username": "wxparent.w",
        "insurer": "Wxassureur",
        "payment": "Wxquittance",
    },
]
ADDRESS = ("name", "reference", "address", "address_more")
GUARDIAN = ("last_name", "first_name", "reference", "email", "mobile_phone", "home_phone")


def make_household(student, rank, *, actor, **family) -> tuple[Family, list[str]]:
    """The student's first or second household, with a piece, an invoice, a rental; its secrets."""
    home = HOUSEHOLDS[rank - 1]
    guardian = GuardianFactory(
        user__username=home["username"],
        **{f"family__{name}": home[name] for name in ADDRESS},
        **{f"family__{name}": value for name, value in family.items()},
        **{name: home[name] for name in GUARDIAN},
    )
    CustodyFactory(student=student, family=guardian.family, rank=rank)
    DocumentFactory(family=guardian.family, name=home["document"])
    invoice = InvoiceLineFactory(invoice__family=guardian.family, amount="4321.09").invoice
    reference = billing.issue(invoice, actor=actor).reference
    RentalFactory(family=guardian.family, student=student, insured=True, insurer=home["insurer"])
    billing.record_payment(
        invoice,
        amount=Decimal("0.50"),
        means=PaymentMeans.CASH,
        paid_on=timezone.localdate(),
        reference=home["payment"],
        actor=actor,
    )
    return guardian.family, [*home.values(), reference]


def found_in(text: str, secrets: list[str]) -> list[str]:
    """The secrets that stand in a page, as words or as the beginning of one."""
    return [word for word in secrets if re.search(rf"(?<!\w){re.escape(word)}", text)]
