import csv
import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.spreadsheets.writing import CSV
from students.enrolment_dates import set_dates
from students.enums import Cycle
from students.lists import EnrolmentList
from students.models import Enrolment
from tests.factories import CourseFactory, EnrolmentFactory, SchoolYearFactory

URL = "/admin/students/enrolment/"


@pytest.fixture
def enrolment(establishment):
    return EnrolmentFactory(course__establishment=establishment)


@pytest.fixture
def year(enrolment):
    return enrolment.course.school_year


def test_dates_are_written_and_taken_back(enrolment, year):
    march = dt.date(year.ends_on.year, 3, 15)

    set_dates(enrolment, march, year.ends_on)
    assert Enrolment.objects.values_list("starts_on", "ends_on").get() == (march, year.ends_on)

    set_dates(enrolment, None, None)
    assert Enrolment.objects.values_list("starts_on", "ends_on").get() == (None, None)


@pytest.mark.parametrize(
    ("starts", "ends", "field", "code"),
    [
        (-1, None, "starts_on", "outside_year"),
        (None, 366, "ends_on", "outside_year"),
        (30, 29, "ends_on", "ends_before_start"),
    ],
)
def test_days_that_can_not_be_are_refused(enrolment, year, starts, ends, field, code):
    days = [
        None if offset is None else year.starts_on + dt.timedelta(offset)
        for offset in (starts, ends)
    ]

    with pytest.raises(ValidationError) as refusal:
        set_dates(enrolment, *days)

    assert [(name, found[0].code) for name, found in refusal.value.error_dict.items()] == [
        (field, code)
    ]


def test_the_database_refuses_an_end_before_the_beginning(enrolment, year):
    with pytest.raises(IntegrityError):
        Enrolment.objects.update(starts_on=year.ends_on, ends_on=year.starts_on)


def test_an_agent_dates_a_new_enrolment_then_its_end(client, registrar, student):
    client.force_login(registrar)
    course, year = CourseFactory(), SchoolYearFactory()
    page = {"student": student.pk, "course": course.pk, "cycle": Cycle.FIRST}
    november, march = f"15/11/{year.starts_on.year}", f"02/03/{year.ends_on.year}"

    assert client.post(f"{URL}add/", page | {"starts_on": november}).status_code == 302
    enrolment = Enrolment.objects.get()
    page = {"cycle": Cycle.FIRST, "starts_on": november, "ends_on": march}
    assert client.post(f"{URL}{enrolment.pk}/change/", page).status_code == 302

    enrolment.refresh_from_db()
    assert (enrolment.starts_on, enrolment.ends_on) == (
        dt.date(year.starts_on.year, 11, 15),
        dt.date(year.ends_on.year, 3, 2),
    )


def test_the_page_says_beside_the_field_what_is_wrong(client, registrar, enrolment, year):
    client.force_login(registrar)
    page = {"cycle": Cycle.FIRST, "starts_on": f"31/08/{year.starts_on.year}"}

    response = client.post(f"{URL}{enrolment.pk}/change/", page)

    assert response.context["adminform"].form.errors == {
        "starts_on": [f"Ce jour n'est pas dans l'année scolaire {year}."]
    }
    assert Enrolment.objects.get().starts_on is None


def test_the_list_shows_the_days(registrar, enrolment, year):
    set_dates(enrolment, year.starts_on, None)
    listed = EnrolmentList(registrar)

    content, _ = listed.file_of(listed.rows(), CSV)

    header, row = csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";")
    shown = dict(zip(header, row, strict=True))
    assert (shown["Commence le"], shown["Finit le"]) == (f"01/09/{year.starts_on.year}", "")
