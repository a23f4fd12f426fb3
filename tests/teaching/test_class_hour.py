"""The page where a teacher fixes the hour of one student."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from students.enums import EnrolmentStatus, Scheduling
from teaching.models import LessonTime
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    StudentFactory,
    TeacherFactory,
    make_time,
)


@pytest.fixture
def enrolment(piano):
    guardian = GuardianFactory()
    student = StudentFactory(first_name="Louise", family=guardian.family)
    return EnrolmentFactory(student=student, course=piano)


@pytest.fixture
def client(client, teacher):
    client.force_login(teacher.user)
    return client


def url(enrolment, name="hour"):
    return reverse(f"teacher:{name}", args=[enrolment.pk])


def form(**kwargs):
    today = timezone.localdate().isoformat()
    hour = {"weekday": 2, "starts_at": "17:00", "ends_at": "17:30", "room": "", "from_day": today}
    return hour | kwargs


def test_the_page_proposes_today(client, enrolment):
    response = client.get(url(enrolment))

    assert response.context["form"].initial["from_day"] == timezone.localdate()
    assert "Aucun horaire n'est fixé" in response.text
    assert "Retirer" not in response.text


def test_it_is_fixed_and_the_family_told(client, enrolment):
    response = client.post(url(enrolment), form(room="Studio 3"))

    assert response.url == reverse("teacher:course", args=[enrolment.course_id])
    assert str(enrolment.lesson_times.get()).endswith("17\u00a0h à 17\u00a0h\u00a030")
    assert Mail.objects.count() == 1
    assert "mardi 17\u00a0h à 17\u00a0h\u00a030" in client.get(response.url).text


def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(client, enrolment, piano):
    make_time(piano, EnrolmentFactory(course=piano))

    response = client.post(url(enrolment), form(starts_at="17:15", ends_at="17:45"))

    assert "a déjà cours à cette heure" in response.context["form"].errors["starts_at"][0]
    assert 'value="17:15"' in response.text
    assert not enrolment.lesson_times.exists()


def test_a_doubt_is_asked_again(client, enrolment, piano):
    make_time(piano, EnrolmentFactory(course=piano))

    response = client.post(url(enrolment), form())

    assert "un cours à deux" in response.text
    assert "Fixer cet horaire quand même" in response.text
    client.post(url(enrolment), form(even_so="on"))
    assert enrolment.lesson_times.exists()


def test_without_a_doubt_nothing_is_to_tick(client, enrolment):
    assert "quand même" not in client.get(url(enrolment)).text


def test_what_is_not_an_hour_is_refused(client, enrolment):
    response = client.post(url(enrolment), form(starts_at="tantôt", weekday="9", from_day=""))

    assert {"starts_at", "weekday", "from_day"} == set(response.context["form"].errors)


def test_it_is_changed_from_what_it_is(client, enrolment, piano):
    make_time(piano, enrolment, room="A1")

    response = client.get(url(enrolment))

    assert response.context["form"].initial["room"] == "A1"
    assert "mardi de 17\u00a0h à 17\u00a0h\u00a030" in response.text


def test_it_is_removed(client, enrolment, piano):
    make_time(piano, enrolment, starts_on=timezone.localdate())

    response = client.post(url(enrolment, "end_hour"), {"fin-from_day": timezone.localdate()})

    assert response.url == reverse("teacher:course", args=[piano.pk])
    assert not LessonTime.objects.exists()


@pytest.mark.parametrize("day", ["", "demain"])
def test_it_is_not_removed_from_no_day(client, enrolment, piano, day):
    make_time(piano, enrolment)

    response = client.post(url(enrolment, "end_hour"), {"fin-from_day": day}, follow=True)

    assert "à partir de quel jour" in response.text
    assert enrolment.lesson_times.get().ends_on is None


def test_a_refused_removal_says_why(client, enrolment, piano):
    time = make_time(piano, enrolment)
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    time.lessons.create(planned_on=yesterday)

    day = {"fin-from_day": yesterday - dt.timedelta(days=1)}
    response = client.post(url(enrolment, "end_hour"), day, follow=True)

    assert "déjà notée" in response.text


class TestNotHis:
    @pytest.mark.parametrize("name", ["hour", "end_hour"])
    def test_another_teacher_s_student_is_not_found(self, client, enrolment, name):
        client.force_login(TeacherFactory().user)

        assert client.post(url(enrolment, name), form()).status_code == 404

    def test_nor_one_of_a_site_that_left_the_account(self, client, teacher, enrolment):
        teacher.user.establishments.set([EstablishmentFactory(name="Annexe")])

        assert client.get(url(enrolment)).status_code == 404

    def test_nor_one_of_a_course_whose_hours_the_school_fixes(self, client, teacher):
        cham = CourseFactory(scheduling=Scheduling.SCHOOL, teacher=teacher)

        assert client.get(url(EnrolmentFactory(course=cham))).status_code == 404

    @pytest.mark.parametrize("status", [EnrolmentStatus.REQUESTED, EnrolmentStatus.RELEASED])
    def test_nor_one_who_is_not_confirmed(self, client, piano, status):
        enrolment = EnrolmentFactory(course=piano, status=status)

        assert client.get(url(enrolment)).status_code == 404

    def test_a_family_has_no_such_page(self, client, parent, enrolment):
        client.force_login(parent)

        assert client.get(url(enrolment)).status_code == 404

    def test_reading_removes_nothing(self, client, enrolment):
        assert client.get(url(enrolment, "end_hour")).status_code == 405


def test_the_other_household_s_mail_says_nothing_of_the_first(client, enrolment):
    other = GuardianFactory(email="paul@example.org", first_name="Paul")
    CustodyFactory(student=enrolment.student, family=other.family, rank=2)

    client.post(url(enrolment), form())

    body = Mail.objects.get(to="paul@example.org").body
    assert "Bonjour Paul" in body
    assert "Claire" not in body
