import pytest
from django.urls import reverse

from students.enums import EnrolmentStatus, Scheduling
from tests.factories import CourseFactory, EnrolmentFactory, TeacherFactory


@pytest.fixture
def course(teacher):
    return CourseFactory(scheduling=Scheduling.TEACHER, teacher=teacher)


def url(course):
    return reverse("teacher:course", args=[course.pk])


def test_address():
    assert reverse("teacher:course", args=[7]) == "/extranet/enseignant/cours/7/"


def test_shows_the_students_sorted_by_name(client, teacher, course):
    martin = EnrolmentFactory(course=course, student__last_name="Martin")
    eluard = EnrolmentFactory(
        course=course, student__last_name="Éluard", status=EnrolmentStatus.REQUESTED
    )
    EnrolmentFactory(course=course, status=EnrolmentStatus.RELEASED)
    EnrolmentFactory()
    client.force_login(teacher.user)

    response = client.get(url(course))

    assert [row.enrolment for row in response.context["list"].rows] == [eluard, martin]
    assert "Élèves&nbsp;: 2" in response.content.decode()


def test_empty_class(client, teacher, course):
    client.force_login(teacher.user)

    assert "Aucun élève inscrit pour le moment." in client.get(url(course)).content.decode()


def test_another_teacher_s_course_is_not_found(client, course):
    client.force_login(TeacherFactory().user)

    assert client.get(url(course)).status_code == 404


def test_a_course_taught_slot_by_slot_is_not_found(client, teacher):
    client.force_login(teacher.user)

    assert client.get(url(CourseFactory(teacher=teacher))).status_code == 404


def test_a_family_has_no_class(client, parent, course):
    client.force_login(parent)

    assert client.get(url(course)).status_code == 404


def test_anonymous_signs_in_first(client, course):
    assert client.get(url(course)).status_code == 302


def test_only_reads(client, teacher, course):
    client.force_login(teacher.user)

    assert client.post(url(course)).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, teacher, course, count, django_assert_num_queries):
    EnrolmentFactory.create_batch(count, course=course)
    client.force_login(teacher.user)

    # session, user, establishment, teacher, course, enrolments, changes, hours, portraits
    with django_assert_num_queries(9):
        client.get(url(course))
