"""« Ma semaine »: the lessons of a week, and what is left to do."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import EnrolmentStatus, Scheduling
from teaching.enums import LessonState
from teaching.home import views
from teaching.home.todo import Source, ToDo
from teaching.models import Lesson
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    SlotFactory,
    TeacherFactory,
    make_time,
)

URL = "/extranet/enseignant/"


@pytest.fixture
def client(client, teacher):
    client.force_login(teacher.user)
    return client


@pytest.fixture
def monday():
    today = timezone.localdate()
    return today - dt.timedelta(days=today.weekday())


def entries(response):
    days = [response.context["today"], *response.context["days"]]
    return [entry for day in days if day for entry in day.entries]


def shown(response):
    return [entry.lesson.hour for entry in entries(response)]


def test_address():
    assert reverse("teacher:index") == URL


def test_today_stands_first(client, teacher):
    today = timezone.localdate()
    slots = [SlotFactory(teacher=teacher, weekday=day) for day in range(1, 8)]

    response = client.get(URL)

    assert response.context["today"].date == today
    assert [entry.lesson.hour for entry in response.context["today"].entries] == [
        slots[today.weekday()]
    ]
    assert len(response.context["days"]) == 6
    assert "Aujourd'hui, " in response.text


def test_no_lesson_today_is_said(client, teacher):
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    SlotFactory(teacher=teacher, weekday=tomorrow.isoweekday())

    assert "Pas de cours aujourd'hui." in client.get(URL).text


def test_individual_lessons_name_their_student(client, teacher, piano):
    enrolment = EnrolmentFactory(course=piano, student__first_name="Louise")
    make_time(piano, enrolment)

    response = client.get(URL)

    assert [entry.name for entry in entries(response)] == ["Piano – Louise Martin"]
    assert reverse("teacher:course", args=[piano.pk]) in response.text


def test_the_week_before_and_the_next_one(client, teacher, monday):
    SlotFactory(teacher=teacher)

    response = client.get(URL, {"semaine": monday + dt.timedelta(days=9)})

    [entry] = entries(response)
    assert entry.lesson.planned_on == monday + dt.timedelta(days=7)
    assert f"?semaine={monday}" in response.text
    assert f"?semaine={monday + dt.timedelta(days=14)}" in response.text
    assert "Cette semaine" in response.text


@pytest.mark.parametrize("week", ["", "hier", "9999-12-31", "0001-01-01", "2026-13-01"])
def test_what_is_no_week_is_this_one(client, week):
    assert client.get(URL, {"semaine": week}).context["is_this_week"]


def test_of_all_the_sites_of_the_account(client, teacher):
    annexe = EstablishmentFactory(name="Annexe")
    here = SlotFactory(teacher=teacher)
    there = SlotFactory(teacher=teacher, course__establishment=annexe, starts_at=dt.time(17))
    SlotFactory(teacher=TeacherFactory())

    assert shown(client.get(URL)) == [here]
    teacher.user.establishments.add(annexe)
    response = client.get(URL)
    assert shown(response) == [there, here]
    assert "Annexe ·" in " ".join(response.text.split())


def test_a_lesson_that_he_gives_for_another_has_no_class_list(client, teacher, monday):
    other = SlotFactory(teacher=TeacherFactory(first_name="Nicolas", last_name="Delattre"))
    Lesson.objects.create(slot=other, planned_on=monday, substitute=teacher)

    response = client.get(URL)

    assert "vous remplacez Nicolas Delattre" in response.text
    assert reverse("teacher:slot", args=[other.pk]) not in response.text


def test_where_he_is_replaced_it_says_by_whom(client, teacher, monday):
    slot = SlotFactory(teacher=teacher)
    other = TeacherFactory(first_name="Nicolas", last_name="Delattre")
    Lesson.objects.create(slot=slot, planned_on=monday, substitute=other)

    assert "remplacé par Nicolas Delattre" in client.get(URL).text


def test_a_cancelled_one_says_so_and_why(client, teacher, monday):
    slot = SlotFactory(teacher=teacher)
    Lesson.objects.create(
        slot=slot, planned_on=monday, state=LessonState.CANCELLED, reason="Jury d'examen."
    )

    response = client.get(URL)

    assert "annulé" in response.text
    assert "Jury d&#x27;examen." in response.text


class Register(Source):
    """As another capability would say it."""

    def __init__(self):
        self.asked = []

    def due(self, teacher, lessons, now):
        self.asked.append([lesson.key for lesson in lessons])
        return {lesson.key: [ToDo("Faire l'appel", "/appel/", is_late=True)] for lesson in lessons}

    def others(self, teacher, sites, now):
        return [ToDo("Une évaluation à rendre", "/evaluation/")]


def test_what_other_capabilities_have_to_say(client, teacher, monkeypatch):
    register = Register()
    monkeypatch.setattr(views, "SOURCES", [register])
    for hour in (15, 17):
        slot = SlotFactory(teacher=teacher, starts_at=dt.time(hour))
        EnrolmentFactory(course=slot.course, place=slot.places.get())
    SlotFactory(teacher=teacher, starts_at=dt.time(18))  # nobody is expected: nothing to do

    response = client.get(URL)

    assert response.text.count('href="/appel/"') == 2
    assert "Une évaluation à rendre" in response.text
    assert len(register.asked) == 1
    assert len(register.asked[0]) == 3


class TestHoursToFix:
    def others(self, response):
        return [each.label for each in response.context["others"]]

    def test_students_without_an_hour(self, client, piano):
        make_time(piano, EnrolmentFactory(course=piano))
        EnrolmentFactory.create_batch(2, course=piano)
        EnrolmentFactory(course=piano, status=EnrolmentStatus.REQUESTED)
        ended = EnrolmentFactory(course=piano)
        make_time(piano, ended, ends_on=timezone.localdate() - dt.timedelta(days=1))
        EnrolmentFactory(course=piano, ends_on=timezone.localdate() - dt.timedelta(days=1))

        response = client.get(URL)

        assert self.others(response) == ["Piano\u00a0: 3 élèves sans horaire"]
        assert reverse("teacher:course", args=[piano.pk]) in response.text

    def test_one_is_singular_and_none_is_nothing(self, client, piano):
        enrolment = EnrolmentFactory(course=piano)
        assert self.others(client.get(URL)) == ["Piano\u00a0: 1 élève sans horaire"]

        make_time(piano, enrolment)

        assert self.others(client.get(URL)) == []

    def test_not_those_of_others_of_another_site_or_of_the_coming_year(self, client, teacher):
        individual = {"scheduling": Scheduling.TEACHER}
        annexe = EstablishmentFactory(name="Annexe")
        for course in [
            CourseFactory(teacher=TeacherFactory(), **individual),
            CourseFactory(teacher=teacher, establishment=annexe, **individual),
            CourseFactory(teacher=teacher, coming=True, **individual),
            CourseFactory(teacher=teacher, scheduling=Scheduling.SCHOOL),
        ]:
            EnrolmentFactory(course=course)

        assert self.others(client.get(URL)) == []


def test_a_family_has_no_such_space(client, parent):
    client.force_login(parent)

    assert client.get(URL).status_code == 404


def test_only_reads(client):
    assert client.post(URL).status_code == 405


@pytest.mark.parametrize("count", [1, 40])
def test_queries(client, teacher, piano, count, django_assert_num_queries):
    """Of a teacher of 200 students as of one of five."""
    for number in range(count):
        slot = SlotFactory(teacher=teacher, weekday=number % 6 + 1, places=4)
        for place in slot.places.all():
            EnrolmentFactory(course=slot.course, place=place)
        make_time(piano, EnrolmentFactory(course=piano))

    # session, user, establishments, teacher, slots, hours, lessons,
    # closures, attendees of slots and of courses, hours to fix,
    # periods to evaluate, concerts
    with django_assert_num_queries(14):
        response = client.get(URL)

    assert len(entries(response)) == 2 * count
    assert len(response.content) < 12_000 + 2 * count * 1_000
