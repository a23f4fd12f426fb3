"""« cours » and « historique »: this year's enrolments, then the former years'."""

from html import unescape

import pytest

from students import services
from students.enums import Cycle, EnrolmentStatus, Scheduling
from students.models import SchoolYear
from tests.factories import (
    CourseFactory,
    DisciplineFactory,
    EnrolmentFactory,
    SchoolYearFactory,
    SlotFactory,
    TeacherFactory,
)
from tests.queries import FAMILY_PAGE, count_queries


@pytest.fixture
def signed_in(client, parent):
    client.force_login(parent)
    return client


def url_of(student, tab="cours"):
    return f"/extranet/eleves/{student.pk}/{tab}/"


def cells(response):
    """The text of each row's cells."""
    rows = response.text.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    return [
        [
            " ".join(_text(cell).split())
            for cell in row.replace("</th>", "</td>").split("</td>")[:-1]
        ]
        for row in rows
    ]


def _text(html):
    return unescape("".join(part.rsplit(">", 1)[-1] + " " for part in html.split("<")))


def enrolled(student, count=1, **kwargs):
    return [EnrolmentFactory(student=student, **kwargs) for _ in range(count)]


class TestCourses:
    def test_tells_day_hours_room_and_teacher_of_the_slot(self, signed_in, student, teacher):
        course = CourseFactory(name="Chorale", discipline=DisciplineFactory(name="Chant choral"))
        slot = SlotFactory(course=course, room="Salle Ravel", teacher=teacher)
        services.claim(student, slot, cycle=Cycle.FIRST, cycle_year=2)

        response = signed_in.get(url_of(student))

        assert cells(response) == [
            [
                "Chorale A demandée",
                "Chant choral",
                "Cycle 1, 2e année",
                "– sans horaires aménagés",
                "lundi, 18 h 30 à 19 h 30",
                "Salle Ravel",
                "Cécile Vasseur",
            ]
        ]

    @pytest.mark.parametrize(
        ("scheduling", "school_hours", "when"),
        [
            (Scheduling.SCHOOL, "oui , horaires aménagés", "sur le temps scolaire (CHAM)"),
            (Scheduling.TEACHER, "– sans horaires aménagés", "fixé par l'enseignant"),
            (Scheduling.ADMINISTRATION, "– sans horaires aménagés", "–"),
        ],
    )
    def test_a_course_without_slot_says_why(
        self, signed_in, student, scheduling, school_hours, when
    ):
        course = CourseFactory(
            name="Piano", scheduling=scheduling, teacher=TeacherFactory(first_name="Seán")
        )
        EnrolmentFactory(student=student, course=course)

        response = signed_in.get(url_of(student))

        assert cells(response) == [
            [
                "Piano",
                "Formation musicale",
                "Cycle 1, 2e année",
                school_hours,
                when,
                "–",
                "Seán Vasseur",
            ]
        ]

    def test_only_this_year_s_live_ones(self, signed_in, student):
        (mine,) = enrolled(student)
        enrolled(student, status=EnrolmentStatus.RELEASED)
        enrolled(student, course__coming=True)
        enrolled(student, course__school_year=SchoolYearFactory(offset=-1))
        EnrolmentFactory()  # another student's

        assert list(signed_in.get(url_of(student)).context["enrolments"]) == [mine]

    def test_none(self, signed_in, student):
        SchoolYearFactory()

        text = signed_in.get(url_of(student)).text

        assert f"{student} ne suit aucun cours cette année." in text

    def test_between_two_years(self, signed_in, student):
        assert SchoolYear.objects.current() is None

        assert "ne suit aucun cours" in signed_in.get(url_of(student)).text

    def test_the_number_of_queries_does_not_follow_the_rows(self, signed_in, student):
        enrolled(student)
        one = count_queries(signed_in, url_of(student))
        enrolled(student, 2, course__teacher=TeacherFactory())

        assert count_queries(signed_in, url_of(student)) == one <= FAMILY_PAGE


class TestHistory:
    def test_former_years_the_latest_first(self, signed_in, student):
        before = [
            enrolled(student, course__school_year=SchoolYearFactory(offset=offset))[0]
            for offset in (-3, -1, -2)
        ]
        enrolled(student)
        enrolled(student, course__coming=True)
        for status in (EnrolmentStatus.RELEASED, EnrolmentStatus.REQUESTED):
            enrolled(student, status=status, course__school_year=before[0].course.school_year)

        response = signed_in.get(url_of(student, "historique"))

        assert list(response.context["enrolments"]) == [before[1], before[2], before[0]]
        headings = [part.split("<")[0] for part in response.text.split('<h3 class="h5">')[1:]]
        assert headings == [str(before[n].course.school_year) for n in (1, 2, 0)]

    def test_none(self, signed_in, student):
        text = signed_in.get(url_of(student, "historique")).text

        assert "Aucun cours les années passées." in text

    def test_the_number_of_queries_does_not_follow_the_rows(self, signed_in, student):
        url = url_of(student, "historique")
        enrolled(student, course__school_year=SchoolYearFactory(offset=-1))
        one = count_queries(signed_in, url)
        enrolled(student, 2, course__school_year=SchoolYearFactory(offset=-2))

        assert count_queries(signed_in, url) == one <= FAMILY_PAGE


@pytest.mark.parametrize("tab", ["cours", "historique", "repertoire"])
def test_the_student_of_others_does_not_exist(client, stranger, student, tab):
    client.force_login(stranger)

    assert client.get(url_of(student, tab)).status_code == 404


@pytest.mark.parametrize("tab", ["cours", "historique", "repertoire"])
def test_nothing_is_posted_there(signed_in, student, tab):
    assert signed_in.post(url_of(student, tab)).status_code == 405
