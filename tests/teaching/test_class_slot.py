import pytest
from django.urls import reverse

from students.enums import Cycle, EnrolmentStatus
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    FamilyFactory,
    GuardianFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
)


@pytest.fixture
def slot(teacher):
    return SlotFactory(teacher=teacher, places=12, room="Salle Fauré")


def url(slot):
    return reverse("teacher:slot", args=[slot.pk])


def seat(slot, **kwargs):
    free = slot.places.filter(enrolment=None).order_by("number").first()
    return EnrolmentFactory(course=slot.course, place=free, **kwargs)


def test_address():
    assert reverse("teacher:slot", args=[7]) == "/extranet/enseignant/creneaux/7/"


def test_shows_the_class(client, teacher, slot):
    seat(
        slot,
        student__last_name="Nguyễn",
        student__first_name="Éva",
        cycle=Cycle.SECOND,
        cycle_year=3,
        status=EnrolmentStatus.REQUESTED,
    )
    client.force_login(teacher.user)

    response = client.get(url(slot))

    assert "Places prises&nbsp;: 1 sur 12" in response.content.decode()
    assert "Salle Fauré" in response.content.decode()
    [row] = response.context["list"].rows
    assert (row.level, row.status) == ("Cycle 2, 3e année", "demandée")
    for words in ["Nguyễn Éva", "Cycle 2, 3e année", "demandée"]:
        assert words in response.content.decode()


def test_sorted_by_name_without_accents(client, teacher, slot):
    for name in ["Zola", "Étienne", "Dupont", "d'Aux", "Fauré"]:
        seat(slot, student__last_name=name)
    client.force_login(teacher.user)

    rows = client.get(url(slot)).context["list"].rows

    assert [row.student.last_name for row in rows] == [
        "d'Aux",
        "Dupont",
        "Étienne",
        "Fauré",
        "Zola",
    ]


def test_released_students_and_other_slots_are_absent(client, teacher, slot):
    mine = seat(slot)
    EnrolmentFactory(course=slot.course, status=EnrolmentStatus.RELEASED)
    EnrolmentFactory(course=slot.course)  # not placed yet
    seat(SlotFactory(course=slot.course, teacher=teacher))
    client.force_login(teacher.user)

    assert [row.enrolment for row in client.get(url(slot)).context["list"].rows] == [mine]


def test_says_nothing_of_the_families(client, teacher, slot):
    family = FamilyFactory(name="Foyer-Secret", address="99 rue Cachée")
    GuardianFactory(
        family=family,
        last_name="Parent-Secret",
        email="parent@secret.example",
        mobile_phone="06 99 99 99 99",
        home_phone="03 99 99 99 99",
    )
    student = StudentFactory(
        last_name="Martin",
        email="eleve@secret.example",
        phone="07 99 99 99 99",
        school="École Secrète",
    )
    CustodyFactory(student=student, family=family)
    seat(slot, student=student)
    client.force_login(teacher.user)

    content = client.get(url(slot)).content.decode()

    secrets = ["Secret", "secret", "99", "Secrète", "Cachée", "1er\u00a0mars", "14\u00a0mars"]
    secrets += [str(student.birth_date.year), family.commune.name]
    assert [word for word in secrets if word in content.split("<main")[1].split("</main>")[0]] == []


def test_empty_class(client, teacher, slot):
    client.force_login(teacher.user)

    content = client.get(url(slot)).content.decode()

    assert "Aucun élève inscrit pour le moment." in content
    assert "Places prises&nbsp;: 0 sur 12" in content


def test_another_teacher_s_class_is_not_found(client, slot):
    client.force_login(TeacherFactory().user)

    assert client.get(url(slot)).status_code == 404


def test_a_class_without_teacher_is_not_found(client, teacher):
    client.force_login(teacher.user)

    assert client.get(url(SlotFactory(teacher=None))).status_code == 404


def test_a_family_has_no_class(client, parent, slot):
    client.force_login(parent)

    assert client.get(url(slot)).status_code == 404


def test_staff_read_in_the_admin_only(client, director, slot):
    client.force_login(director)

    assert client.get(url(slot)).status_code == 404


def test_anonymous_signs_in_first(client, slot):
    assert client.get(url(slot)).status_code == 302


def test_only_reads(client, teacher, slot):
    client.force_login(teacher.user)

    assert client.post(url(slot)).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, teacher, slot, count, django_assert_num_queries):
    for _ in range(count):
        seat(slot)
    client.force_login(teacher.user)

    # session, user, establishment, teacher, slot, enrolments, changes, waiting, portraits
    with django_assert_num_queries(9):
        client.get(url(slot))
