import pytest
from django.urls import reverse

from students.enums import EnrolmentStatus, Scheduling, Weekday
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)

URL = "/extranet/enseignant/classes/"


def shown(response):
    """The classes on the page: year, slots and courses."""
    return [(str(row["year"]), row["slots"], row["courses"]) for row in response.context["classes"]]


def enrol(slot, *statuses):
    for place, status in zip(slot.places.all(), statuses, strict=False):
        EnrolmentFactory(course=slot.course, place=place, status=status)


def test_address():
    assert reverse("teacher:classes") == URL


def test_anonymous_signs_in_first(client):
    assert client.get(URL).status_code == 302


def test_a_family_has_no_such_space(client, parent):
    client.force_login(parent)

    assert client.get(URL).status_code == 404


def test_only_reads(client, teacher):
    client.force_login(teacher.user)

    assert client.post(URL).status_code == 405


def test_own_classes_of_this_year_and_the_coming_one(client, teacher):
    this, coming = SchoolYearFactory(), SchoolYearFactory.coming()
    past = SchoolYearFactory(offset=-1)
    by_teacher = {"scheduling": Scheduling.TEACHER, "teacher": teacher}
    tuesday = SlotFactory(teacher=teacher, weekday=Weekday.TUESDAY)
    monday = SlotFactory(teacher=teacher)
    next_slot = SlotFactory(teacher=teacher, course__coming=True)
    piano = CourseFactory(name="Piano", **by_teacher)
    SlotFactory(teacher=teacher, course__school_year=past)
    SlotFactory(teacher=teacher, course__school_year=SchoolYearFactory(offset=2))
    SlotFactory(teacher=TeacherFactory())
    SlotFactory(teacher=None)
    CourseFactory(scheduling=Scheduling.TEACHER, teacher=TeacherFactory())
    SlotFactory(teacher=teacher, course__establishment=EstablishmentFactory(name="Annexe"))
    CourseFactory(teacher=teacher)  # taught slot by slot: its teacher says nothing
    client.force_login(teacher.user)

    response = client.get(URL)

    assert shown(response) == [
        (str(this), [monday, tuesday], [piano]),
        (str(coming), [next_slot], []),
    ]


def test_counts_the_students(client, teacher):
    slot = SlotFactory(teacher=teacher, places=5, room="Salle Fauré")
    enrol(slot, EnrolmentStatus.CONFIRMED, EnrolmentStatus.CONFIRMED, EnrolmentStatus.REQUESTED)
    EnrolmentFactory(course=slot.course, status=EnrolmentStatus.RELEASED)
    course = CourseFactory(scheduling=Scheduling.SCHOOL, teacher=teacher)
    EnrolmentFactory(course=course, status=EnrolmentStatus.REQUESTED)
    EnrolmentFactory(course=course, status=EnrolmentStatus.RELEASED)
    client.force_login(teacher.user)

    response = client.get(URL)

    [(_, [slot], [course])] = shown(response)
    assert (slot.confirmed, slot.requested, slot.places_left, slot.capacity) == (2, 1, 2, 5)
    assert (course.confirmed, course.requested) == (0, 1)
    assert "Salle Fauré" in response.content.decode()


def test_no_class(client, teacher):
    SchoolYearFactory()
    client.force_login(teacher.user)

    assert "Aucune classe ne vous est attribuée" in client.get(URL).content.decode()


def test_no_school_year(client, teacher):
    client.force_login(teacher.user)

    assert "Aucune année scolaire" in client.get(URL).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, teacher, count, django_assert_num_queries):
    for _ in range(count):
        enrol(SlotFactory(teacher=teacher, places=2), EnrolmentStatus.CONFIRMED)
        CourseFactory(scheduling=Scheduling.TEACHER, teacher=teacher)
        SlotFactory(teacher=teacher, course__coming=True)
    client.force_login(teacher.user)

    # session, user, teacher, establishment, years, slots, courses
    with django_assert_num_queries(7):
        client.get(URL)
