"""Of a household a teacher reads nothing, on any of his pages (security.md)."""

import pytest
from django.urls import get_resolver, reverse

from families.models import Family, Guardian
from students.enums import Scheduling
from teaching.absences import services as absences
from teaching.models import Absence
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    SlotFactory,
    StudentFactory,
)
from tests.households import HOUSEHOLDS, found_in, make_household
from tests.teaching.register_cases import make_absence, make_notice

STUDENT = {
    "email": "zyeleve@example.org",
    "phone": "07 91 92 93 94",
    "school": "Zyecole",
    "school_class": "Zyclasse",
    "reference": "Zyref-eleve",
}


@pytest.fixture
def pages(client, teacher, director):
    """Every page of the teacher's space, of classes where the student of two households sits."""
    student = StudentFactory(last_name="Nguyễn", **STUDENT)
    commune = CommuneFactory(name="Zycommune", insee_code="98765", postal_code="98760")
    secrets = [*STUDENT.values(), commune.name, commune.postal_code]
    for rank in (1, 2):
        secrets += make_household(student, rank, actor=director, commune=commune)[1]
    DocumentFactory(student=student, name="zyphoto.jpg")
    secrets += ["zyphoto.jpg", "4321", str(student.birth_date.year)]

    slot = SlotFactory(teacher=teacher)
    EnrolmentFactory(student=student, course=slot.course, place=slot.places.get())
    course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER)
    EnrolmentFactory(student=student, course=course)
    rows = {"slot": [slot.pk], "course": [course.pk]}
    rows["register"] = [make_absence(student, teacher)[0]]
    for home in student.families.order_by("custodies__rank"):
        by = home.guardians.get().user
        said = f"Zymotif {home.pk}"
        make_notice(student, home, actor=by, reason=said)
        absences.justify(Absence.objects.get(), home, text=said, actor=by)
    secrets += ["Zymotif"]
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

    assert set(texts) == {"index", "slot", "course", "registers", "register"}
    assert "Nguyễn" in texts["register"]
    assert "Nguyễn" in texts["slot"]
    assert "Nguyễn" in texts["course"]
    assert {name: found_in(text, secrets) for name, text in texts.items()} == {
        name: [] for name in texts
    }


def test_every_personal_field_of_a_household_is_among_the_secrets():
    """A new field, the quotient familial for instance, is to be hidden too."""
    known = {name for home in HOUSEHOLDS for name in home}
    linked = {"id", "user", "family", "commune", "sort_name"}

    fields = {field.name for model in (Family, Guardian) for field in model._meta.concrete_fields}

    assert fields - linked <= known
