"""Class lists as files, and all of them at once."""

import csv
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import ListExport
from students.models import SchoolYear
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    SchoolYearFactory,
    SlotFactory,
    StudentFactory,
    TeacherFactory,
    make_time,
)


@pytest.fixture
def client(client, teacher):
    client.force_login(teacher.user)
    return client


@pytest.fixture
def slot(teacher):
    slot = SlotFactory(teacher=teacher, course__name="Solfège", room="A1")
    student = StudentFactory(last_name="=1+1", first_name="Louise", family=GuardianFactory().family)
    EnrolmentFactory(course=slot.course, place=slot.places.get(), student=student)
    return slot


def rows(response):
    text = response.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def test_csv_neutralises_what_looks_like_a_formula(client, slot):
    response = client.get(reverse("teacher:slot_file", args=[slot.pk]))

    [row] = rows(response)
    assert row["Nom"] == "'=1+1"
    assert (row["Prénom"], row["État"], row["Jour"], row["Salle"]) == (
        *("Louise", "confirmée"),
        *("lundi", "A1"),
    )
    assert "En cas d'urgence" not in row
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Disposition"].startswith('attachment; filename="classes-')


def test_xlsx_holds_texts_only(client, slot):
    response = client.get(reverse("teacher:slot_file", args=[slot.pk]), {"format": "xlsx"})

    sheet = load_workbook(io.BytesIO(response.content)).active
    assert {cell.data_type for cell in sheet[2]} <= {"s", "inlineStr"}  # the empty ones
    assert sheet["C2"].value == "=1+1"


def test_telephones_where_the_establishment_allows_them(client, slot):
    EstablishmentFactory._meta.model.objects.update(shows_emergency_phone=True)

    [row] = rows(client.get(reverse("teacher:slot_file", args=[slot.pk])))

    assert row["En cas d'urgence"] == "Claire Martin 06 12 34 56 78"


def test_of_a_course_with_the_hour_of_each(client, piano):
    make_time(piano, EnrolmentFactory(course=piano), room="Studio 3")

    [row] = rows(client.get(reverse("teacher:course_file", args=[piano.pk])))

    assert (row["Classe"], row["Jour"], row["Horaire"], row["Salle"]) == (
        *("Piano", "mardi"),
        *("17\u00a0h à 17\u00a0h\u00a030", "Studio 3"),
    )


def test_what_is_taken_out_is_logged(client, slot, teacher):
    client.get(reverse("teacher:slot_file", args=[slot.pk]))

    logged = ListExport.objects.get()
    assert (logged.actor, logged.list, logged.rows) == (teacher.user, "classes", 1)


def test_all_classes_of_a_year_at_once(client, slot, piano, teacher):
    EnrolmentFactory(course=piano)
    annexe = EstablishmentFactory(name="Annexe")
    elsewhere = SlotFactory(teacher=teacher, course__establishment=annexe)
    EnrolmentFactory(course=elsewhere.course, place=elsewhere.places.get())
    coming = SlotFactory(teacher=teacher, course__coming=True)
    EnrolmentFactory(course=coming.course, place=coming.places.get())
    others = SlotFactory(teacher=TeacherFactory())
    EnrolmentFactory(course=others.course, place=others.places.get())
    year = SchoolYearFactory()

    found = rows(client.get(reverse("teacher:all_files", args=[year.pk])))
    page = client.get(reverse("teacher:all_lists", args=[year.pk]))

    assert [row["Classe"] for row in found] == [str(slot), "Piano"]
    assert [each.of for each in page.context["lists"]] == [slot, piano]


@pytest.mark.parametrize("name", ["all_lists", "all_files"])
def test_a_year_that_is_over_is_not_found(client, name):
    year = SchoolYearFactory(offset=-1)

    assert client.get(reverse(f"teacher:{name}", args=[year.pk])).status_code == 404


def test_no_class_that_year(client):
    year = SchoolYearFactory()

    page = client.get(reverse("teacher:all_lists", args=[year.pk])).text

    assert "Aucune classe ne vous est attribuée" in page
    assert rows(client.get(reverse("teacher:all_files", args=[year.pk]))) == []


@pytest.mark.parametrize("name", ["slot_file", "course_file"])
def test_another_teacher_s_file_is_not_found(client, slot, piano, name):
    client.force_login(TeacherFactory().user)
    pk = slot.pk if name == "slot_file" else piano.pk

    assert client.get(reverse(f"teacher:{name}", args=[pk])).status_code == 404
    assert not ListExport.objects.exists()


@pytest.mark.parametrize("view", ["", "?vue=trombinoscope"])
@pytest.mark.parametrize("count", [1, 4])
def test_queries(client, teacher, count, view, django_assert_num_queries):
    for _ in range(count):
        slot = SlotFactory(teacher=teacher, places=count)
        for place in slot.places.all():
            EnrolmentFactory(course=slot.course, place=place)
        EnrolmentFactory(course=CourseFactory(scheduling="teacher", teacher=teacher))
    year = SchoolYear.objects.get()
    client.get(reverse("teacher:classes"))

    # session, user, establishment, teacher, years, year, slots, courses; then the six of the lists
    # but the telephones
    with django_assert_num_queries(13):
        client.get(reverse("teacher:all_lists", args=[year.pk]) + view)
