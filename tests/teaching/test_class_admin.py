"""The staff's pages of fixed hours, and of the piece that portraits are copied from."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from students.enums import Scheduling
from teaching.models import LessonTime, PortraitSource, Register
from tests.factories import (
    CourseFactory,
    DocumentTypeFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    StudentFactory,
    make_time,
)

ADD = reverse("admin:teaching_lessontime_add")
LIST = reverse("admin:teaching_lessontime_changelist")


@pytest.fixture
def client(client, registrar):
    client.force_login(registrar)
    return client


@pytest.fixture
def enrolment(piano):
    return EnrolmentFactory(student=StudentFactory(family=GuardianFactory().family), course=piano)


def hour(**kwargs):
    today = timezone.localdate().isoformat()
    return {
        "weekday": 2,
        "starts_at": "17:00",
        "ends_at": "17:30",
        "room": "",
        "from_day": today,
    } | kwargs


def change(time):
    return reverse("admin:teaching_lessontime_change", args=[time.pk])


def errors(response):
    return response.context["adminform"].form.errors


def test_of_one_student_and_the_family_is_told(client, enrolment):
    client.post(ADD, hour(enrolment=enrolment.pk))

    time = LessonTime.objects.get()
    assert (time.enrolment, time.course) == (enrolment, enrolment.course)
    assert Mail.objects.count() == 1


def test_of_a_whole_course(client, teacher):
    cham = CourseFactory(scheduling=Scheduling.SCHOOL, teacher=teacher)

    client.post(ADD, hour(course=cham.pk))

    time = LessonTime.objects.get()
    assert (time.enrolment, time.course) == (None, cham)


@pytest.mark.parametrize("both", [True, False])
def test_one_of_both(client, enrolment, both):
    keys = {"enrolment": enrolment.pk, "course": enrolment.course_id} if both else {}

    response = client.post(ADD, hour(**keys))

    assert "Choisissez une inscription" in errors(response)["__all__"][0]
    assert not LessonTime.objects.exists()


def test_a_clash_stands_beside_its_field(client, enrolment, piano):
    make_time(piano, EnrolmentFactory(course=piano))

    response = client.post(ADD, hour(enrolment=enrolment.pk, starts_at="17:15"))

    assert "a déjà cours" in errors(response)["starts_at"][0]


def test_a_doubt_is_passed_over(client, enrolment, piano):
    make_time(piano, EnrolmentFactory(course=piano))
    response = client.post(ADD, hour(enrolment=enrolment.pk))
    assert "un cours à deux" in errors(response)["__all__"][0]

    client.post(ADD, hour(enrolment=enrolment.pk, even_so="on"))

    assert enrolment.lesson_times.exists()


def test_a_change_keeps_what_was_given(client, enrolment, piano):
    former = make_time(piano, enrolment)
    former.lessons.create(planned_on=timezone.localdate() - dt.timedelta(days=7))

    client.post(change(former), hour(starts_at="18:00", ends_at="18:30"))

    former.refresh_from_db()
    assert former.ends_on == timezone.localdate() - dt.timedelta(days=1)
    assert enrolment.lesson_times.get(ends_on=None).starts_at == dt.time(18)


def note_today(time, course):
    """The register of today's lesson was called."""
    Register.objects.create(
        lesson=time.lessons.create(planned_on=timezone.localdate()),
        course=course,
        held_on=timezone.localdate(),
        teacher=course.teacher,
        called_at=timezone.now(),
        called_by=course.teacher.user,
    )


def test_a_refusal_of_the_service_is_a_message(client, enrolment, piano):
    former = make_time(piano, enrolment)
    note_today(former, piano)

    response = client.post(change(former), hour(starts_at="18:00", ends_at="18:30"), follow=True)

    assert "déjà notée" in response.text
    assert LessonTime.objects.get() == former


def test_it_is_ended_from_the_list(client, enrolment, piano, teacher):
    mine = make_time(piano, enrolment, starts_on=timezone.localdate())
    cham = CourseFactory(scheduling=Scheduling.SCHOOL, teacher=teacher)
    everybody = make_time(cham, starts_on=timezone.localdate(), weekday=4)

    client.post(LIST, {"action": "end_now", "_selected_action": [mine.pk, everybody.pk]})

    assert not LessonTime.objects.exists()


def test_a_list_says_why_one_is_not_ended(client, enrolment, piano):
    time = make_time(piano, enrolment)
    note_today(time, piano)

    response = client.post(LIST, {"action": "end_now", "_selected_action": [time.pk]}, follow=True)

    assert "déjà notée" in response.text
    assert LessonTime.objects.get().ends_on is None


def test_no_course_nor_student_of_another_site(client, enrolment, piano):
    annexe = EstablishmentFactory(name="Annexe")
    piano.establishment = annexe
    piano.save()

    response = client.post(ADD, hour(enrolment=enrolment.pk))

    assert "enrolment" in errors(response)
    assert client.get(change(make_time(piano, enrolment))).status_code == 302


@pytest.mark.parametrize("count", [1, 4])
def test_queries(client, piano, count, django_assert_max_num_queries):
    for _ in range(count):
        make_time(piano, EnrolmentFactory(course=piano))

    with django_assert_max_num_queries(12):
        client.get(LIST)


class TestPortraitSource:
    URL = reverse("admin:teaching_portraitsource_add")

    def test_the_direction_chooses_among_images_of_the_student(self, client, director):
        photo, other = DocumentTypeFactory(photo=True), DocumentTypeFactory()
        client.force_login(director)

        assert "type" in errors(client.post(self.URL, {"type": other.pk}))
        client.post(self.URL, {"type": photo.pk})

        assert PortraitSource.objects.get().type == photo

    def test_the_secretariat_does_not(self, client, photo_type):
        assert client.get(self.URL).status_code == 403
