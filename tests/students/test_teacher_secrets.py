"""Of a household a teacher reads nothing, on any of his pages (security.md)."""

import re

import pytest
from django.urls import get_resolver, reverse

from billing import services as billing
from families.models import Family, Guardian
from students.enums import Scheduling
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    CustodyFactory,
    DocumentFactory,
    EnrolmentFactory,
    GuardianFactory,
    InvoiceLineFactory,
    SlotFactory,
    StudentFactory,
)

# Each is a word that nothing else on a page could hold.
HOUSEHOLDS = [
    {
        "name": "Zyfoyer",
        "address": "77 rue Zyvoie",
        "address_more": "Zyappartement",
        "last_name": "Zyresponsable",
        "first_name": "Zyprenom",
        "email": "zyparent@example.org",
        "mobile_phone": "06 71 72 73 74",
        "home_phone": "03 71 72 73 74",
        "document": "zyavis-imposition.pdf",
        "username": "zyparent.z",
    },
    {
        "name": "Wxfoyer",
        "address": "88 rue Wxvoie",
        "address_more": "Wxappartement",
        "last_name": "Wxresponsable",
        "first_name": "Wxprenom",
        "email": "wxparent@example.org",
        "mobile_phone": "06 81 82 83 84",
        "home_phone": "03 81 82 83 84",
        "document": "wxquotient-familial.pdf",
        "username": "wxparent.w",
    },
]
STUDENT = {
    "email": "zyeleve@example.org",
    "phone": "07 91 92 93 94",
    "school": "Zyecole",
    "school_class": "Zyclasse",
}


@pytest.fixture
def pages(client, teacher, director):
    """Every page of the teacher's space, of classes where the student of two households sits."""
    student = StudentFactory(last_name="Nguyễn", **STUDENT)
    commune = CommuneFactory(name="Zycommune", insee_code="98765", postal_code="98760")
    secrets = [*STUDENT.values(), commune.name, commune.postal_code]
    for rank, home in enumerate(HOUSEHOLDS, start=1):
        guardian = GuardianFactory(
            family__commune=commune,
            user__username=home["username"],
            **{f"family__{name}": home[name] for name in ("name", "address", "address_more")},
            **{
                name: home[name]
                for name in ("last_name", "first_name", "email", "mobile_phone", "home_phone")
            },
        )
        CustodyFactory(student=student, family=guardian.family, rank=rank)
        DocumentFactory(family=guardian.family, name=home["document"])
        invoice = InvoiceLineFactory(invoice__family=guardian.family, amount="4321.09").invoice
        secrets += [*home.values(), billing.issue(invoice, actor=director).reference]
    DocumentFactory(student=student, name="zyphoto.jpg")
    secrets += ["zyphoto.jpg", "4321", str(student.birth_date.year)]

    slot = SlotFactory(teacher=teacher)
    EnrolmentFactory(student=student, course=slot.course, place=slot.places.get())
    course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER)
    EnrolmentFactory(student=student, course=course)
    rows = {"slot": [slot.pk], "course": [course.pk]}
    client.force_login(teacher.user)
    [space] = [
        part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "teacher"
    ]
    texts = {
        each.name: client.get(reverse(f"teacher:{each.name}", args=rows.get(each.name))).text
        for each in space.url_patterns
    }
    return texts, secrets


def test_no_page_of_a_teacher_holds_a_secret_of_the_households(pages):
    texts, secrets = pages

    assert set(texts) == {"index", "slot", "course"}
    assert "Nguyễn" in texts["slot"]
    assert "Nguyễn" in texts["course"]
    found = {
        name: [word for word in secrets if re.search(rf"(?<!\w){re.escape(word)}", text)]
        for name, text in texts.items()
    }
    assert found == {name: [] for name in texts}


def test_every_personal_field_of_a_household_is_among_the_secrets():
    """A new field, the quotient familial for instance, is to be hidden too."""
    known = {name for home in HOUSEHOLDS for name in home}
    linked = {"id", "user", "family", "commune", "sort_name"}

    fields = {field.name for model in (Family, Guardian) for field in model._meta.concrete_fields}

    assert fields - linked <= known
