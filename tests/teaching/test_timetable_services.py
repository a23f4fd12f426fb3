"""Cancel, move, replace, restore a lesson: the row, the log, who is told, what is refused."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from students.enums import Weekday
from students.models import Slot
from teaching.enums import ClosureKind, LessonAct, LessonState
from teaching.lessons import find
from teaching.models import Closure, Lesson, LessonChange
from teaching.timetable import services
from teaching.timetable.services import Where
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    StudentFactory,
    TeacherFactory,
)
from tests.races import run_together
from tests.teaching.timetable_cases import (
    around_today,
    make_slot,
    make_time,
    next_lesson,
    next_monday,
)

TUESDAY = dt.timedelta(days=1)
FRIDAY = dt.timedelta(days=4)


@pytest.fixture
def slot(student, parent, teacher):
    return make_slot(student, teacher=teacher)


@pytest.fixture
def lesson(slot):
    return next_lesson(slot)


def mails():
    return [(mail.to, mail.subject) for mail in Mail.objects.order_by("pk")]


def to_friday(hour=14, room="Auditorium"):
    return Where(next_monday() + FRIDAY, dt.time(hour), dt.time(hour + 1), room)


class TestCancel:
    def test_the_lesson_does_not_take_place_and_the_log_says_who_and_why(
        self, slot, lesson, registrar
    ):
        [change] = services.cancel([lesson], actor=registrar, reason="Grève")

        found = find(slot, lesson.planned_on)
        assert found.is_cancelled
        assert found.reason == "Grève"
        assert (change.act, change.actor, change.reason) == (
            LessonAct.CANCELLED,
            registrar,
            "Grève",
        )
        assert "18\u00a0h\u00a030 à 19\u00a0h\u00a030, Salle Ravel, Cécile Vasseur" in change.before
        assert change.after.startswith("annulé (lundi")

    def test_only_that_one(self, slot, lesson, registrar):
        services.cancel([lesson], actor=registrar)

        assert not find(slot, lesson.planned_on + dt.timedelta(days=7)).is_cancelled

    def test_twice_is_refused_and_tells_once(self, lesson, registrar):
        services.cancel([lesson], actor=registrar)

        with pytest.raises(ValidationError) as refusal:
            services.cancel([lesson], actor=registrar)

        assert refusal.value.code == "already"
        assert LessonChange.objects.count() == 1
        assert Mail.objects.filter(to="martin.c@example.org").count() == 1

    def test_one_that_was_moved_leaves_where_it_went(self, slot, lesson, registrar):
        services.move(lesson, to_friday(), actor=registrar)

        services.cancel([find(slot, lesson.planned_on)], actor=registrar)

        row = Lesson.objects.get()
        assert (row.state, row.moved_on, row.room) == (LessonState.CANCELLED, None, "")


class TestMove:
    def test_it_takes_place_then_and_there(self, slot, lesson, registrar):
        services.move(lesson, to_friday(), actor=registrar)

        found = find(slot, lesson.planned_on)
        assert found.starts.date() == next_monday() + FRIDAY
        assert (found.starts.hour, found.room) == (14, "Auditorium")

    def test_a_cancelled_one_too(self, slot, lesson, registrar):
        services.cancel([lesson], actor=registrar)

        services.move(find(slot, lesson.planned_on), to_friday(), actor=registrar)

        assert find(slot, lesson.planned_on).is_moved

    def test_not_out_of_its_year(self, lesson, registrar):
        where = Where(around_today().ends_on + dt.timedelta(days=1), dt.time(14), dt.time(15))

        with pytest.raises(ValidationError) as refusal:
            services.move(lesson, where, actor=registrar)

        assert refusal.value.code == "out_of_year"

    def test_not_where_it_is(self, lesson, registrar):
        where = Where(lesson.planned_on, dt.time(18, 30), dt.time(19, 30), "Salle Ravel")

        with pytest.raises(ValidationError) as refusal:
            services.move(lesson, where, actor=registrar)

        assert refusal.value.code == "already"
        assert not LessonChange.objects.exists()

    def test_not_to_end_before_it_begins(self, lesson, registrar):
        where = Where(next_monday() + FRIDAY, dt.time(15), dt.time(14))

        with pytest.raises(ValidationError):
            services.move(lesson, where, actor=registrar)

        assert not LessonChange.objects.exists()


class TestConflicts:
    """At the hour where the lesson would go; refused unless an agent says why he passes over."""

    def conflict(self, kind, student, teacher):
        at = {"weekday": Weekday.FRIDAY, "starts_at": dt.time(14, 30), "ends_at": dt.time(15, 30)}
        if kind == "teacher":
            make_slot(teacher=teacher, course__establishment=_annexe(), **at)
        elif kind == "room":
            make_slot(**at | {"room": "auditorium"})
        elif kind == "student":
            make_time(student, establishment=_annexe(), **at)
        else:
            Closure.objects.create(
                kind=ClosureKind.CLOSED,
                name="Pont",
                first_on=next_monday() + FRIDAY,
                last_on=next_monday() + FRIDAY,
            )

    @pytest.mark.parametrize(
        ("kind", "label"),
        [
            ("teacher", "enseignant"),
            ("room", "salle"),
            ("student", "élève"),
            ("closed", "jour sans cours"),
        ],
    )
    def test_refused_then_forced_with_a_reason(
        self, slot, lesson, student, teacher, registrar, kind, label
    ):
        self.conflict(kind, student, teacher)

        with pytest.raises(ValidationError) as refusal:
            services.move(lesson, to_friday(), actor=registrar)
        assert refusal.value.error_list[0].code == "conflict"
        assert not LessonChange.objects.exists()
        assert not Mail.objects.exists()

        change = services.move(lesson, to_friday(), actor=registrar, despite="Répétition commune")
        assert change.despite == f"{label}\u00a0: Répétition commune"

    def test_a_room_of_another_site_is_another_room(self, lesson, registrar):
        make_slot(
            weekday=Weekday.FRIDAY,
            starts_at=dt.time(14),
            ends_at=dt.time(15),
            room="Auditorium",
            course__establishment=_annexe(),
        )

        services.move(lesson, to_friday(), actor=registrar)

    def test_one_that_ends_when_it_begins_is_none(self, lesson, student, registrar):
        make_time(
            student, weekday=Weekday.FRIDAY, starts_at=dt.time(13), ends_at=dt.time(14), room=""
        )

        services.move(lesson, to_friday(), actor=registrar)

    def test_a_cancelled_lesson_is_in_nobody_s_way(self, lesson, student, registrar):
        time = make_time(
            student, weekday=Weekday.FRIDAY, starts_at=dt.time(14), ends_at=dt.time(15)
        )
        services.cancel([next_lesson(time)], actor=registrar)

        services.move(lesson, to_friday(), actor=registrar)

    def test_a_reason_without_a_conflict_leaves_nothing(self, lesson, registrar):
        change = services.move(lesson, to_friday(), actor=registrar, despite="Au cas où")

        assert change.despite == ""

    def test_a_substitute_who_teaches_then_is_refused(self, lesson, registrar):
        busy = TeacherFactory(user=None, last_name="Durand")
        make_slot(teacher=busy, room="")

        with pytest.raises(ValidationError) as refusal:
            services.replace([lesson], substitute=busy, actor=registrar)

        assert refusal.value.error_list[0].code == "conflict"


class TestReplace:
    def test_another_gives_it(self, slot, lesson, registrar):
        substitute = TeacherFactory(user=None, first_name="Paul", last_name="Durand")

        services.replace([lesson], substitute=substitute, actor=registrar)

        found = find(slot, lesson.planned_on)
        assert (found.teacher, str(found.usual_teacher)) == (substitute, "Cécile Vasseur")

    def test_not_the_one_whose_lesson_it_is(self, lesson, teacher, registrar):
        with pytest.raises(ValidationError) as refusal:
            services.replace([lesson], substitute=teacher, actor=registrar)

        assert refusal.value.code == "usual"

    def test_a_moved_lesson_stays_where_it_is(self, slot, lesson, registrar):
        services.move(lesson, to_friday(), actor=registrar)
        substitute = TeacherFactory(user=None)

        services.replace([find(slot, lesson.planned_on)], substitute=substitute, actor=registrar)

        found = find(slot, lesson.planned_on)
        assert found.is_moved
        assert found.teacher == substitute

    def test_the_cancelled_ones_stay_cancelled(self, slot, lesson, registrar):
        services.cancel([lesson], actor=registrar)

        with pytest.raises(ValidationError) as refusal:
            services.replace([lesson], substitute=TeacherFactory(user=None), actor=registrar)

        assert refusal.value.code == "already"


class TestRestore:
    def test_it_takes_place_as_planned(self, slot, lesson, registrar):
        services.move(lesson, to_friday(), actor=registrar)
        services.replace(
            [find(slot, lesson.planned_on)], substitute=TeacherFactory(user=None), actor=registrar
        )

        services.restore([find(slot, lesson.planned_on)], actor=registrar)

        found = find(slot, lesson.planned_on)
        assert found.is_as_planned
        assert found.starts == lesson.starts
        assert [change.act for change in LessonChange.objects.order_by("pk")] == [
            LessonAct.MOVED,
            LessonAct.REPLACED,
            LessonAct.RESTORED,
        ]

    def test_not_one_that_is_as_planned(self, lesson, registrar):
        with pytest.raises(ValidationError) as refusal:
            services.restore([lesson], actor=registrar)

        assert refusal.value.code == "already"


class TestTold:
    """One mail for each responsable and act; both households, and whoever gives the lesson."""

    def test_each_responsable_of_both_households_and_the_teacher(
        self, lesson, student, family, registrar
    ):
        GuardianFactory(family=family, user=None, email="paul@example.org")
        other = GuardianFactory(user__username="benali.s")
        CustodyFactory(student=student, family=other.family, rank=2)
        GuardianFactory()  # of nobody in the class

        services.cancel([lesson], actor=registrar, reason="Grève")

        assert sorted(to for to, _ in mails()) == [
            "benali.s@example.org",
            "martin.c@example.org",
            "paul@example.org",
            "vasseur.c@example.org",
        ]
        mail = Mail.objects.get(to="martin.c@example.org")
        assert mail.kind == MailKind.LESSON_CHANGED
        assert mail.subject.startswith("Formation musicale A, lundi")
        assert "Louise – Formation musicale A du lundi" in mail.body
        assert "n'a pas lieu" in mail.body
        assert "Motif : Grève" in mail.body

    def test_brothers_and_sisters_of_one_class_are_one_line(
        self, parent, student, family, registrar
    ):
        hugo = StudentFactory(first_name="Hugo", family=family)
        slot = make_slot(student, hugo)

        services.cancel([next_lesson(slot)], actor=registrar)

        [mail] = Mail.objects.filter(to="martin.c@example.org")
        assert "Hugo et Louise –" in mail.body or "Louise et Hugo –" in mail.body

    def test_a_whole_absence_is_one_mail(self, slot, student, teacher, registrar):
        piano = make_time(student, teacher)
        lessons = [next_lesson(slot), next_lesson(piano)]

        services.cancel(lessons, actor=registrar)

        [mail] = Mail.objects.filter(to="martin.c@example.org")
        assert mail.subject == "2 séances changent"
        assert "Piano" in mail.body
        assert "Formation musicale" in mail.body
        assert LessonChange.objects.count() == 2

    def test_as_many_queries_whatever_the_number_of_families(self, slot, registrar):
        def count(lesson):
            with CaptureQueriesContext(connection) as queries:
                services.cancel([lesson], actor=registrar)
            return len(queries)

        one_household = count(next_lesson(slot))
        for place in slot.places.filter(enrolment=None):
            student = StudentFactory()
            CustodyFactory(student=student, family=GuardianFactory().family)
            EnrolmentFactory(student=student, course=slot.course, place=place)
        after = find(slot, next_monday() + dt.timedelta(days=7))

        assert count(after) == one_household
        assert Mail.objects.count() == 2 + 6  # one, then five households; the teacher

    def test_the_substitute_and_the_one_before_him(self, lesson, registrar):
        first = TeacherFactory(user__username="durand.p", last_name="Durand")
        second = TeacherFactory(user__username="petit.a", last_name="Petit")
        services.replace([lesson], substitute=first, actor=registrar)
        Mail.objects.all().delete()

        services.replace([lesson], substitute=second, actor=registrar)

        told = {to for to, _ in mails()}
        assert told == {
            *["durand.p@example.org", "petit.a@example.org"],
            *["vasseur.c@example.org", "martin.c@example.org"],
        }

    def test_a_teacher_is_not_told_what_he_did(self, lesson, teacher):
        services.cancel([lesson], actor=teacher.user)

        assert [to for to, _ in mails()] == ["martin.c@example.org"]

    def test_restored_they_are_told_too(self, lesson, registrar):
        services.cancel([lesson], actor=registrar)
        Mail.objects.all().delete()

        services.restore([lesson], actor=registrar)

        assert "a lieu comme prévu" in Mail.objects.get(to="martin.c@example.org").body

    def test_nobody_is_told_of_what_is_past(self, slot, registrar):
        past = find(slot, next_monday() - dt.timedelta(days=14))

        services.cancel([past], actor=registrar)

        assert LessonChange.objects.count() == 1
        assert not Mail.objects.exists()

    def test_nothing_is_told_when_the_act_fails(self, lesson, registrar, monkeypatch):
        monkeypatch.setattr(services.emails, "tell", _fail)

        with pytest.raises(RuntimeError):
            services.cancel([lesson], actor=registrar)

        assert not Lesson.objects.exists()
        assert not LessonChange.objects.exists()

    def test_not_one_who_has_left_the_class(self, slot, lesson, registrar):
        slot.course.enrolments.update(ends_on=timezone.localdate() - dt.timedelta(days=1))

        services.cancel([lesson], actor=registrar)

        assert [to for to, _ in mails()] == ["vasseur.c@example.org"]


def _fail(*args, **kwargs):
    raise RuntimeError


def _annexe():
    return EstablishmentFactory(name="Annexe")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_room_is_not_given_to_two_lessons_at_the_same_instant(registrar):
    for _ in range(20):
        Mail.objects.all().delete()
        LessonChange.objects.all().delete()
        Lesson.objects.all().delete()
        slots = [make_slot(room=f"Salle {n}") for n in range(2)]
        lessons = [next_lesson(slot) for slot in slots]

        def move(number, lessons=lessons):
            return services.move(lessons[number], to_friday(), actor=registrar)

        results = run_together(move, 2)

        assert sorted(type(result).__name__ for result in results) == [
            "LessonChange",
            "ValidationError",
        ]
        Slot.objects.all().update(room="")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_cancel_once_and_tell_once(registrar, student, parent):
    slot = make_slot(student)
    for week in range(20):
        lesson = find(slot, next_monday() + dt.timedelta(days=7 * week))

        results = run_together(lambda _, one=lesson: services.cancel([one], actor=registrar), 4)

        assert sum(isinstance(result, list) for result in results) == 1
    assert LessonChange.objects.count() == Mail.objects.count() == 20
