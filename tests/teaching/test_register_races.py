"""Two devices at the same instant, on PostgreSQL: one register, nothing lost, told once."""

import time
import uuid
from threading import Event

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts.enums import MailKind
from accounts.models import Mail
from teaching.models import Absence, Register, RegisterEntry
from teaching.register import services
from teaching.timetable import services as timetable
from tests.factories import EstablishmentFactory, TeacherFactory
from tests.races import no_deadlock, run_together
from tests.teaching.register_cases import ABSENT, HERE, LATE, Case, make_home

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def case():
    EstablishmentFactory()
    case = Case(TeacherFactory())
    make_home(case.enrolments[0].student)
    return case


def sending(case, *marks, version, key=None):
    lesson, actor = case.lesson, case.teacher.user
    marks = dict(zip([each.pk for each in case.enrolments], marks, strict=False))

    def send():
        return services.call(lesson, marks, version=version, key=key or uuid.uuid4(), actor=actor)

    return send


def test_the_same_sending_from_everywhere_counts_once(case):
    key = uuid.uuid4()
    for version in range(20):
        key = uuid.uuid4()
        kind = ABSENT if version % 2 == 0 else HERE
        send = sending(case, kind, HERE, HERE, version=version, key=key)

        with no_deadlock():
            answers = run_together(lambda _, send=send: send(), 4)

        assert [answer.version for answer in answers] == [version + 1] * 4
    assert RegisterEntry.objects.count() == 20
    # Twenty changes before the delay is over: one mail, or none, is left to leave.
    assert Mail.objects.filter(kind=MailKind.ABSENCE, attempts=0).count() == 0
    assert Register.objects.count() == 1


def test_of_two_that_differ_one_is_recorded_and_the_other_hears_of_it(case):
    for version in range(20):
        # What differs from the round before, whichever won it.
        marks = (
            [(ABSENT, HERE), (HERE, LATE)] if version % 2 == 0 else [(LATE, HERE), (HERE, ABSENT)]
        )
        sends = [sending(case, *each, version=version) for each in marks]

        with no_deadlock():
            answers = run_together(lambda number, sends=sends: sends[number](), 2)

        refused = [answer for answer in answers if isinstance(answer, ValidationError)]
        assert [error.code for error in refused] == ["stale"]
        won = next(number for number in (0, 1) if answers[number] not in refused)
        kinds = {each.enrolment_id: each.kind for each in Absence.objects.live()}
        expected = zip([each.pk for each in case.enrolments], marks[won], strict=False)
        assert kinds == {pk: mark.kind for pk, mark in expected if mark != HERE}


class TestCancelledMeanwhile:
    """The register is called while the lesson is cancelled: whoever comes second knows."""

    def sendings(self, case, registrar, *, voids):
        lesson = case.lesson

        def cancel():
            return timetable.cancel([lesson], actor=registrar, voids=voids)

        return sending(case, ABSENT, HERE, HERE, version=0), cancel

    def test_called_first_cancelling_is_to_be_confirmed(self, case, registrar):
        call, cancel = self.sendings(case, registrar, voids=False)

        called, refused = one_then_the_other(call, cancel)

        assert (called.version, refused.code) == (1, "called")
        assert not case.lesson.is_cancelled
        assert case.kinds() == {"Louise 0": "absent"}

    def test_called_first_whoever_had_confirmed_voids_it(self, case, registrar):
        call, cancel = self.sendings(case, registrar, voids=True)

        called, [_change] = one_then_the_other(call, cancel)

        assert called.version == 1
        assert case.kinds() == {}
        assert Register.objects.get().void
        assert not Mail.objects.filter(kind=MailKind.ABSENCE, attempts=0).exists()

    @pytest.mark.parametrize("voids", [False, True])
    def test_cancelled_first_there_is_no_register(self, case, registrar, voids):
        call, cancel = self.sendings(case, registrar, voids=voids)

        [_change], refused = one_then_the_other(cancel, call)

        assert refused.code == "cancelled"
        assert not Register.objects.exists()
        assert not Mail.objects.filter(kind=MailKind.ABSENCE).exists()

    def test_at_the_same_instant_nobody_is_absent_from_a_cancelled_lesson(self, case, registrar):
        for _ in range(20):
            version = case.version
            lesson, marks = case.lesson, [ABSENT, HERE, HERE] if version % 2 == 0 else [HERE] * 3
            plays = [
                sending(case, *marks, version=version),
                lambda lesson=lesson: timetable.cancel([lesson], actor=registrar, voids=True),
            ]

            with no_deadlock():
                answers = run_together(lambda number, plays=plays: plays[number](), 2)

            assert case.lesson.is_cancelled
            assert case.kinds() == {}
            codes = [each.code for each in answers if isinstance(each, ValidationError)]
            assert codes in ([], ["cancelled"])
            timetable.restore([case.lesson], actor=registrar)


def one_then_the_other(first, second):
    """What each gives: the second is held by the first, which has not committed yet."""
    has_written = Event()

    def play(number):
        if number:
            assert has_written.wait(30)
            return second()
        with transaction.atomic():
            given = first()
            has_written.set()
            _wait_for_somebody_held()
        return given

    with no_deadlock():
        return run_together(play, 2)


def _wait_for_somebody_held():
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("The second one was not held.")
