"""Two devices at the same instant, on PostgreSQL: one register, nothing lost, told once."""

import uuid

import pytest
from django.core.exceptions import ValidationError

from accounts.enums import MailKind
from accounts.models import Mail
from teaching.models import Absence, Register, RegisterEntry
from teaching.register import services
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
