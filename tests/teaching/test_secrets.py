"""Of a household a teacher reads nothing, on any of his pages (security.md)."""

import pytest
from django.urls import get_resolver, reverse

from families.models import Family, Guardian
from students.enums import Scheduling
from teaching.enums import Space
from teaching.timetable import feeds
from tests.factories import (
    CommuneFactory,
    CourseFactory,
    DocumentFactory,
    EnrolmentFactory,
    EvaluationFactory,
    PeriodFactory,
    SlotFactory,
    StudentFactory,
)
from tests.households import HOUSEHOLDS, found_in, make_household
from tests.teaching.timetable_cases import make_time
from tests.test_urls import changeable_lesson

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
    enrolment = EnrolmentFactory(student=student, course=course)
    make_time(student, teacher)
    period = PeriodFactory()
    EvaluationFactory(enrolment=enrolment, period=period)
    rows = {
        "slot": [slot.pk],
        "course": [course.pk],
        "evaluation_slot": [period.pk, slot.pk],
        "evaluation_course": [period.pk, course.pk],
        "evaluation": [period.pk, enrolment.pk],
        "change_lesson": [changeable_lesson(teacher).key],
    }
    feeds.make(teacher.user, Space.TEACHER)
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

    assert {"index", "slot", "course", "week", "feed", "change_lesson", "evaluation"} <= set(texts)
    for page in ("week", "slot", "course", "evaluation_slot", "evaluation_course", "evaluation"):
        assert "Nguyễn" in texts[page]
    assert {name: found_in(text, secrets) for name, text in texts.items()} == {
        name: [] for name in texts
    }


def test_every_personal_field_of_a_household_is_among_the_secrets():
    """A new field, the quotient familial for instance, is to be hidden too."""
    known = {name for home in HOUSEHOLDS for name in home}
    linked = {"id", "user", "family", "commune", "sort_name"}

    fields = {field.name for model in (Family, Guardian) for field in model._meta.concrete_fields}

    assert fields - linked <= known
