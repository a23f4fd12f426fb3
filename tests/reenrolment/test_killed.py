"""A worker killed while it submits a dossier, on PostgreSQL: all of it is there, or nothing."""

import os
import signal
from contextlib import contextmanager
from itertools import count

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.enums import MailKind
from accounts.models import Mail
from documents import services as documents
from imuse.invariants import violations
from reenrolment.enums import Status
from students.models import Enrolment, Hold
from tests.documents.builders import make_pdf
from tests.factories import (
    CourseFactory,
    CustodyFactory,
    GuardianFactory,
    PieceRuleFactory,
    SlotFactory,
    StudentFactory,
)
from tests.reenrolment.conftest import make_case

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

KILLS = 50


@pytest.fixture
def make_ready(parent, stranger):
    """Makes a dossier of two households: a piece handed in, the last place of its slot held."""
    course, rule = CourseFactory(coming=True), PieceRuleFactory()
    family = parent.guardian.family
    GuardianFactory(family=family)
    documents.hand_in("a.pdf", make_pdf(), type=rule.document_type, family=family, actor=parent)

    def make():
        student = StudentFactory(family=family)
        CustodyFactory(student=student, family=stranger.guardian.family, rank=2)
        case = make_case(student, slot=SlotFactory(course=course))
        case.fill_in()
        return case

    return make


def test_fifty_times_before_it_has_committed(make_ready, parent):
    """Before each statement in turn, the COMMIT being the last; the next worker does it all."""
    commit = count_statements(make_ready().recap(parent))
    for kill in range(KILLS):
        case = make_ready()
        submit_and_be_killed(case.recap(parent), before=kill * commit // (KILLS - 1))

        assert case.reenrolment.status == Status.DRAFT
        assert not case.reenrolment.transitions.exists()
        assert not case.reenrolment.supplied_pieces.exists()
        assert not coming(case).exists()
        assert not acknowledgements(case)
        assert Hold.objects.get(student=case.student).place.slot == case.slot
        assert list(violations()) == []

        case.submit(parent)
        check_submitted_once(case)


def test_once_it_has_committed_and_before_it_answers(make_ready, parent):
    """The family does not know, and tries again."""
    case = make_ready()
    submit_and_be_killed(case.recap(parent), before=None)
    check_submitted_once(case)

    with pytest.raises(ValidationError) as caught:
        case.submit(parent)

    assert [error.code for error in caught.value.error_list] == ["bad_transition"]
    check_submitted_once(case)


def check_submitted_once(case):
    assert case.reenrolment.status == Status.SUBMITTED
    assert case.reenrolment.transitions.count() == 1
    assert case.reenrolment.supplied_pieces.count() == 1
    assert {enrolment.course for enrolment in coming(case)} == {case.slot.course, case.choir_course}
    assert coming(case).get(course=case.slot.course).slot == case.slot
    assert not Hold.objects.filter(student=case.student).exists()
    assert len(acknowledgements(case)) == len(set(acknowledgements(case))) == 3
    assert list(violations()) == []


def coming(case):
    year = case.campaign.school_year
    return Enrolment.objects.filter(student=case.student, course__school_year=year)


def acknowledgements(case):
    """Whom they are for."""
    move = f"{MailKind.ACKNOWLEDGEMENT}:{case.reenrolment.pk}:"
    return list(Mail.objects.filter(key__startswith=move).values_list("to", flat=True))


def submit_and_be_killed(submit, *, before):
    """In a process of its own, killed before this statement, or once it is done if None."""
    connection.close()  # or both processes would speak on it
    if worker := os.fork():
        _, status = os.waitpid(worker, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL
        return
    try:
        with each_statement(lambda number: number == before and kill_oneself()):
            submit()
        kill_oneself()
    finally:
        os._exit(1)  # neither killed nor let into the rest of the tests


def kill_oneself():
    os.kill(os.getpid(), signal.SIGKILL)


def count_statements(submit):
    """How many it sends before it commits."""
    numbers = []
    with each_statement(numbers.append):
        submit()
    return numbers[-1]


@contextmanager
def each_statement(tell):
    """Tells the number of each statement about to be sent, and of the COMMIT."""
    numbers, commit = count(), connection._commit

    def execute_told(execute, *args):
        tell(next(numbers))
        return execute(*args)

    def commit_told():
        tell(next(numbers))
        commit()

    connection._commit = commit_told
    try:
        with connection.execute_wrapper(execute_told):
            yield
    finally:
        del connection._commit
