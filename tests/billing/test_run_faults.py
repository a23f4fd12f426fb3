"""A run whose workers are real processes, killed at random statements, on PostgreSQL."""

import os
import random

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.urls import reverse

from accounts.enums import MailKind
from accounts.models import Mail
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice
from billing.runs import planning
from billing.runs.drafting import clear_next, draft_next
from billing.runs.issuing import issue_next, issue_some
from imuse.invariants import violations
from tests.billing.run_cases import Grid, enrol, make_run
from tests.factories import GuardianFactory, SchoolYearFactory, UserFactory
from tests.races import Browser, no_deadlock, run_together
from tests.reenrolment.test_killed import each_statement, kill_oneself

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS, HOUSEHOLDS = 20, 12


@pytest.fixture(autouse=True)
def grid(monkeypatch):
    return Grid(monkeypatch)


@pytest.fixture
def chance():
    return random.Random(6)


@pytest.fixture
def small_batches(monkeypatch):
    """So that several workers have something to draft."""
    monkeypatch.setattr("billing.runs.drafting.AT_ONCE", 3)


def enrolled(count):
    for _ in range(count):
        enrol(GuardianFactory(user=None, email="payeur@example.org").family)


def work(step, kills):
    """A process for each of `kills`: it works until nothing is left, or is killed before this
    statement. Gives how many were killed; one that fails makes the test fail.
    """
    connection.close()  # or they would all speak on it
    workers = [_fork(step, kill) for kill in kills]
    statuses = [os.waitpid(worker, 0)[1] for worker in workers]
    killed = [os.WIFSIGNALED(status) for status in statuses]
    for status, was_killed in zip(statuses, killed, strict=True):
        assert was_killed or os.WEXITSTATUS(status) == 0
    return sum(killed)


def _fork(step, kill):
    if worker := os.fork():
        return worker
    code = 1
    try:
        with each_statement(lambda number: number == kill and kill_oneself()):
            while step():
                pass
        code = 0
    finally:
        os._exit(code)


def numbers():
    issued = Invoice.objects.filter(status=InvoiceStatus.ISSUED)
    return sorted(issued.values_list("number", flat=True))


def put_away():
    """What was billed is of another year: the next round bills the same households anew."""
    Invoice.objects.update(school_year=SchoolYearFactory(offset=-9))


def check_drafted_once(run):
    run.refresh_from_db()
    assert run.state == RunState.TO_CHECK
    assert run.invoices.count() == run.households.count() == HOUSEHOLDS
    assert set(run.households.values_list("outcome", flat=True)) == {RunOutcome.DRAFTED}
    assert all(invoice.lines.count() == 1 for invoice in run.invoices.all())


def check_issued_once(run, before):
    run.refresh_from_db()
    assert run.state == RunState.ISSUED
    assert numbers() == list(range(1, before + HOUSEHOLDS + 1))
    assert set(run.households.values_list("outcome", flat=True)) == {RunOutcome.ISSUED}
    keys = Mail.objects.filter(kind=MailKind.INVOICE).values_list("key", flat=True)
    told = sorted(int(key.split(":")[1]) for key in keys)
    issued = Invoice.objects.filter(status=InvoiceStatus.ISSUED)
    assert told == sorted(issued.values_list("pk", flat=True))  # one responsable each
    assert list(violations()) == []


def test_twenty_runs_whose_workers_are_killed_anywhere(chance, small_batches):
    """Two at a time on the same run, while it drafts, then while it issues; others take over."""
    actor, killed = UserFactory(), 0
    enrolled(HOUSEHOLDS)
    for number in range(ROUNDS):
        run = make_run(actor, label=f"Tour {number}")
        killed += work(draft_next, [chance.randrange(120), chance.randrange(120)])
        work(draft_next, [None, None])
        check_drafted_once(run)

        before = len(numbers())
        planning.issue_all(run, actor=actor, expected=HOUSEHOLDS)
        killed += work(issue_some, [chance.randrange(160), chance.randrange(160)])
        assert numbers() == list(range(1, len(numbers()) + 1))
        work(issue_some, [None, None])
        issue_next()
        check_issued_once(run, before)
        put_away()
    assert killed > ROUNDS  # most of them were


def test_a_worker_killed_while_it_clears_an_abandoned_run(chance):
    actor = UserFactory()
    enrolled(HOUSEHOLDS)
    for _ in range(ROUNDS):
        run = make_run(actor)
        work(draft_next, [None])
        planning.issue_all(run, actor=actor, expected=HOUSEHOLDS)
        work(issue_next, [chance.randrange(1, 150)])
        issued = set(numbers())
        planning.stop(run, actor=actor)
        if planning.drafts_of(run).exists():
            planning.abandon(run, actor=actor)
        work(clear_next, [chance.randrange(15), chance.randrange(15)])
        work(clear_next, [None, None])

        assert not planning.drafts_of(run).exists()
        assert set(numbers()) == issued
        issue_next()
        put_away()


def test_two_agents_press_the_button_at_once():
    """One run under way, once: the other reads that it is done."""
    director = UserFactory(is_staff=True, is_superuser=True)
    enrolled(HOUSEHOLDS)
    browsers = [Browser(director), Browser(director)]
    for _ in range(ROUNDS):
        run = make_run(director)
        while draft_next():
            pass
        address = reverse("admin:billing_invoicerun_issue_all", args=[run.pk])

        def press(number, address=address):
            answer = browsers[number].post(address, {"expected": HOUSEHOLDS, "confirm": "on"})
            return answer.status_code

        with no_deadlock():
            assert run_together(press, 2) == [302, 302]
        told = LogEntry.objects.filter(object_id=run.pk, change_message__startswith="Émission")
        assert [
            entry.change_message for entry in told.filter(content_type__model="invoicerun")
        ] == [f"Émission de {HOUSEHOLDS} factures lancée."]
        run.refresh_from_db()
        assert (run.state, run.issued_by) == (RunState.ISSUING, director)
        before = len(numbers())
        while issue_some():
            pass
        assert len(numbers()) == before + HOUSEHOLDS
        put_away()
