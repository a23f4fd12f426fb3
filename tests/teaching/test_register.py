"""The page of a register: `teacher:register`, and the list that leads to it."""

import datetime as dt
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from students.enums import Scheduling
from students.models import Course
from teaching.enums import LessonState, Presence
from teaching.lessons import find
from teaching.models import Absence, AbsenceNotice, Lesson, LessonTime, RegisterEntry
from teaching.register import services
from teaching.register.marks import Mark
from tests.factories import (
    CourseFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    TeacherFactory,
)
from tests.queries import count_queries
from tests.teaching.register_cases import ABSENT, HERE, LATE, Case, make_home, well_begun

JSON = {"Accept": "application/json"}


@pytest.fixture
def case(teacher):
    return Case(teacher)


@pytest.fixture
def signed_in(client, teacher):
    client.force_login(teacher.user)
    return client


class TestPage:
    def test_everybody_is_present_until_one_says_otherwise(self, signed_in, case):
        page = signed_in.get(case.url)

        kinds = [mark["kind"].value() for mark in page.context["form"].lines]
        assert kinds == [Presence.PRESENT] * 3
        assert page.text.count("checked") == 3

    def test_it_is_recorded_and_shown(self, signed_in, case):
        response = signed_in.post(case.url, case.post(HERE, ABSENT, LATE), follow=True)

        assert case.kinds() == {"Louise 1": "absent", "Louise 2": "late"}
        assert "1\u00a0présent, 1\u00a0absent, 1\u00a0en retard" in response.text
        assert "Appel fait\u00a0: vous" in response.text.replace("&nbsp;", "\u00a0")

    def test_who_is_absent_from_the_body_keeps_what_is_known(self, signed_in, case):
        """A student who came into the class after the page was opened."""
        case.call(HERE, HERE, ABSENT)

        signed_in.post(case.url, case.post(ABSENT, HERE))

        assert case.kinds() == {"Louise 0": "absent", "Louise 2": "absent"}

    def test_an_individual_lesson(self, signed_in, teacher):
        course = CourseFactory(teacher=teacher, scheduling=Scheduling.TEACHER, name="Piano")
        enrolment = EnrolmentFactory(course=course)
        EnrolmentFactory(course=course)  # at another hour
        today = timezone.localdate()
        time = LessonTime.objects.create(
            course=course,
            enrolment=enrolment,
            weekday=today.isoweekday(),
            starts_at=dt.time(17),
            ends_at=dt.time(17, 30),
        )
        url = reverse("teacher:register", args=[find(time, today).key])

        assert [m.line.enrolment for m in signed_in.get(url).context["form"].lines] == [enrolment]
        data = {"version": 0, "key": str(uuid.uuid4()), f"e{enrolment.pk}-kind": "absent"}
        assert signed_in.post(url, data).status_code == 302
        assert Absence.objects.get().enrolment == enrolment

    def test_a_cancelled_lesson_says_so_and_takes_nothing(self, signed_in, case):
        url, body = case.url, case.post(ABSENT, HERE, HERE)
        Lesson.objects.create(slot=case.slot, planned_on=case.today, state=LessonState.CANCELLED)

        page, answer = signed_in.get(url), signed_in.post(url, body)

        assert "séance est annulée" in page.text
        assert "Valider" not in page.text
        assert answer.status_code == 422
        assert case.kinds() == {}

    def test_minutes_that_are_none_are_refused_beside_the_name(self, signed_in, case):
        body = case.post(HERE, Mark(Presence.LATE, 999), ABSENT)

        page = signed_in.post(case.url, body)

        assert page.status_code == 422
        assert "240 minutes au plus" in page.text
        assert f'href="#id_e{case.enrolments[1].pk}-minutes"' in page.text
        kinds = [mark["kind"].value() for mark in page.context["form"].lines]
        assert kinds == ["present", "late", "absent"]  # nothing typed is lost
        assert case.kinds() == {}

    def test_of_an_announcement_the_reason_is_not_read(self, signed_in, case):
        student = case.enrolments[0].student
        parent = make_home(student)
        AbsenceNotice.objects.create(
            student=student,
            family=parent.guardian.family,
            first_on=case.today,
            last_on=case.today,
            reason="Zyhôpital",
            created_at=timezone.now(),
            created_by=parent,
        )

        page = signed_in.get(case.url)

        assert "Absence annoncée par la famille" in page.text
        assert "Zyhôpital" not in page.text
        kinds = [mark["kind"].value() for mark in page.context["form"].lines]
        assert kinds == ["excused", "present", "present"]

    @pytest.mark.parametrize("students", [2, 12])
    def test_the_same_number_of_queries_whatever_the_class(self, signed_in, teacher, students):
        case = Case(teacher, students=students)
        case.call(*[ABSENT] * students)

        assert count_queries(signed_in, case.url) == 11


class TestConflict:
    def test_both_are_shown_and_what_was_typed_is_kept(self, signed_in, case):
        """A colleague replaced one tap meanwhile; I had touched one, he another, both a third."""
        other = TeacherFactory(first_name="Paul", last_name="Petit").user
        body = case.post(ABSENT, HERE, ABSENT, version=0)
        case.call(HERE, LATE, Mark(Presence.LATE, 5), by=other)

        page = signed_in.post(case.url, body)

        assert page.status_code == 409
        assert "Paul Petit" in page.text
        lines = page.context["form"].lines
        assert [mark["kind"].value() for mark in lines] == ["absent", "late", "absent"]
        assert [mark.theirs for mark in lines] == [
            "présent",
            "en retard",
            "en retard de 5\u00a0minutes",
        ]
        assert case.kinds() == {"Louise 1": "late", "Louise 2": "late"}
        assert page.context["form"].sending["version"].value() == 1

    def test_somebody_else_was_the_first_while_this_one_was_being_read(
        self, signed_in, case, monkeypatch
    ):
        """The lesson had no row yet when this request read it."""
        other, body, call = TeacherFactory().user, case.post(ABSENT), services.call

        def after_the_other(*args, **kwargs):
            monkeypatch.setattr(services, "call", call)
            case.call(HERE, LATE, by=other)
            return call(*args, **kwargs)

        monkeypatch.setattr(services, "call", after_the_other)

        page = signed_in.post(case.url, body)

        assert page.status_code == 409
        assert [mark.theirs for mark in page.context["form"].lines] == ["présent", "", ""]

    def test_validated_again_it_is_recorded(self, signed_in, case):
        other = TeacherFactory().user
        body = case.post(ABSENT, HERE, HERE, version=0)
        case.call(HERE, LATE, HERE, by=other)
        form = signed_in.post(case.url, body).context["form"]

        again = {
            mark[name].html_name: mark[name].value() or ""
            for mark in form.lines
            for name in ("kind", "minutes", "note", "was")
        }
        again |= {name: form.sending[name].value() for name in ("version", "key")}
        assert signed_in.post(case.url, again).status_code == 302
        assert case.kinds() == {"Louise 0": "absent", "Louise 1": "late"}


class TestScript:
    """What static/js/register.js relies on."""

    def test_recorded(self, signed_in, case):
        answer = signed_in.post(case.url, case.post(ABSENT, HERE, HERE), headers=JSON)

        assert answer.json() == {"url": case.url, "version": 1}

    def test_the_same_sending_again(self, signed_in, case):
        body = case.post(ABSENT, HERE, HERE)

        answers = [signed_in.post(case.url, body, headers=JSON) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200] * 3
        assert RegisterEntry.objects.count() == 1

    def test_refused(self, signed_in, case):
        case.call(HERE, LATE, HERE)

        stale = signed_in.post(case.url, case.post(ABSENT, HERE, HERE, version=0), headers=JSON)
        wrong = signed_in.post(case.url, {"version": "x", "key": "x"}, headers=JSON)

        assert (stale.status_code, wrong.status_code) == (409, 422)


class TestWho:
    def test_another_teacher_s_is_not_found(self, client, case):
        client.force_login(TeacherFactory().user)

        assert client.get(case.url).status_code == 404
        assert client.post(case.url, case.post(ABSENT)).status_code == 404
        assert case.kinds() == {}

    def test_the_substitute_calls_it_and_so_may_the_usual_teacher(self, client, case, teacher):
        substitute = TeacherFactory()
        Lesson.objects.create(slot=case.slot, planned_on=case.today, substitute=substitute)

        for who in (substitute, teacher):
            client.force_login(who.user)
            assert client.get(case.url).status_code == 200
        client.post(case.url, case.post(ABSENT, HERE, HERE))
        assert Absence.objects.get().register.teacher == substitute

    def test_a_site_that_left_the_account_is_not_found(self, client, case, teacher):
        teacher.user.establishments.set([EstablishmentFactory(name="Danse")])
        client.force_login(teacher.user)

        assert client.get(case.url).status_code == 404

    @pytest.mark.parametrize(
        "key", ["c1", "x1-2026-10-12", "c1-2026-02-31", "c99999999999999999999-2026-10-12", "c-"]
    )
    def test_a_key_of_nothing_is_not_found(self, signed_in, key):
        assert signed_in.get(reverse("teacher:register", args=[key])).status_code == 404

    def test_a_day_without_that_lesson_is_not_found(self, signed_in, case):
        tomorrow = case.today + dt.timedelta(days=1)
        key = f"c{case.slot.pk}-{tomorrow}"

        assert signed_in.get(reverse("teacher:register", args=[key])).status_code == 404


class TestIndex:
    URL = "/extranet/enseignant/appels/"

    def test_today_s_and_those_forgotten(self, signed_in, teacher):
        case = Case(teacher, year=well_begun())
        last_week = case.today - dt.timedelta(days=7)

        page = signed_in.get(self.URL)

        assert [(lesson.key, due) for lesson, due in page.context["today"]] == [
            (case.lesson.key, True)
        ]
        forgotten = [lesson.planned_on for lesson in page.context["forgotten"]]
        assert forgotten == [last_week - dt.timedelta(days=7), last_week]

    def test_a_register_called_is_no_longer_due(self, signed_in, case):
        case.call()

        [(_, is_due)] = signed_in.get(self.URL).context["today"]

        assert not is_due

    def test_a_class_without_students_asks_for_none(self, signed_in, teacher):
        Case(teacher, students=0)

        assert signed_in.get(self.URL).context["today"] == []

    @pytest.mark.parametrize("classes", [1, 4])
    def test_the_same_number_of_queries_whatever_the_classes(self, signed_in, teacher, classes):
        for number in range(classes):
            Case(teacher, name=f"Cours {number}").call()

        assert Course.objects.count() == classes
        assert count_queries(signed_in, self.URL) == 10
