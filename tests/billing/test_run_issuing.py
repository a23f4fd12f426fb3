"""A run issued by the queue: one invoice at a time, each once, the mails with it."""

import datetime as dt
import threading
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.enums import InvoiceStatus, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, InvoiceSeries
from billing.runs import planning
from billing.runs.drafting import clear_next, draft_next
from billing.runs.issuing import issue_next
from tests.billing.run_cases import Grid, enrol, make_run, prepare
from tests.factories import FamilyFactory, GuardianFactory, InvoiceLineFactory, UserFactory
from tests.races import no_deadlock, run_together
from tests.reenrolment.test_killed import count_statements, submit_and_be_killed


@pytest.fixture(autouse=True)
def grid(monkeypatch):
    return Grid(monkeypatch)


def issue_all(run, actor):
    return planning.issue_all(run, actor=actor, expected=planning.drafts_of(run).count())


def launched(actor, *, households, **kwargs) -> InvoiceRun:
    for _ in range(households):
        enrol(GuardianFactory(user=None, email="payeur@example.org").family)
    return issue_all(prepare(actor, **kwargs), actor)


def work_off():
    while issue_next():
        pass
    issue_next()


def numbers():
    issued = Invoice.objects.filter(status=InvoiceStatus.ISSUED)
    return sorted(issued.values_list("number", flat=True))


@pytest.mark.django_db
class TestIssuing:
    def test_one_at_a_time_in_the_order_of_the_names_then_it_is_over(self, accountant):
        for name in ("Zola", "Arnaud", "Émond"):
            enrol(FamilyFactory(name=name))
        run = issue_all(prepare(accountant), accountant)

        issued = [issue_next(), issue_next(), issue_next()]

        assert [str(invoice.family) for invoice in issued] == ["Arnaud", "Émond", "Zola"]
        assert numbers() == [1, 2, 3]
        run.refresh_from_db()
        assert run.state == RunState.ISSUING
        assert issue_next() is None
        run.refresh_from_db()
        assert (run.state, run.issued_by) == (RunState.ISSUED, accountant)
        assert set(run.households.values_list("outcome", flat=True)) == {RunOutcome.ISSUED}

    def test_nothing_under_way_is_one_query(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert issue_next() is None
        with django_assert_num_queries(1):
            assert draft_next() == 0
        with django_assert_num_queries(1):
            assert clear_next() == 0

    def test_a_refusal_is_noted_and_does_not_stop_the_others(self, family, accountant):
        enrol(family)
        enrol()
        run = prepare(accountant)
        services.save_draft(
            draft := run.invoices.get(family=family), actor=accountant
        )  # as the régie does, by hand, with a date that is past when its turn comes
        Invoice.objects.filter(pk=draft.pk).update(due_on=dt.date(2020, 1, 1))
        issue_all(run, accountant)

        work_off()

        run.refresh_from_db()
        assert (run.state, numbers()) == (RunState.ISSUED, [1])
        refused = run.households.get(outcome=RunOutcome.REFUSED)
        assert (refused.family, refused.sentence) == (
            family,
            "La date limite de paiement est déjà passée.",
        )
        assert InvoiceSeries.objects.get().last_number == 1

    @pytest.mark.parametrize(("days", "issued"), [(1, 2), (20, 2), (31, 1)])
    def test_past_midnight_it_goes_on_visible_from_the_day_of_its_number(
        self, accountant, days, issued
    ):
        """Until the due date, past which a family would be late at once."""
        today = timezone.localdate()
        run = launched(accountant, households=2, published_on=today)
        issue_next()
        later = timezone.now() + dt.timedelta(days=days)
        with mock.patch("django.utils.timezone.now", return_value=later):
            work_off()

        dates = Invoice.objects.filter(run=run, status=InvoiceStatus.ISSUED).order_by("pk")
        assert (
            list(dates.values_list("issued_on", "published_on"))
            == [
                (today, today),
                (today + dt.timedelta(days=days), today + dt.timedelta(days=days)),
            ][:issued]
        )
        assert set(dates.values_list("due_on", flat=True)) == {run.due_on}
        assert run.households.filter(outcome=RunOutcome.REFUSED).count() == 2 - issued

    def test_visible_before_it_was_launched_is_refused(self, accountant):
        """By hand, or since an agent changed the draft."""
        run = launched(accountant, households=1)
        yesterday = timezone.localdate() - dt.timedelta(days=1)
        run.invoices.update(published_on=yesterday)

        work_off()

        assert run.households.get().outcome == RunOutcome.REFUSED

    def test_what_was_refused_is_tried_anew(self, family, accountant):
        self.test_a_refusal_is_noted_and_does_not_stop_the_others(family, accountant)
        run = InvoiceRun.objects.get()
        planning.redate(
            run, actor=accountant, **{name: getattr(run, name) for name in planning.DATES}
        )

        issue_all(run, accountant)
        work_off()

        run.refresh_from_db()
        assert (run.state, numbers()) == (RunState.ISSUED, [1, 2])
        assert set(run.households.values_list("outcome", "sentence")) == {(RunOutcome.ISSUED, "")}

    def test_a_fault_is_a_refusal_too(self, accountant):
        launched(accountant, households=2)
        real = services.issue
        with mock.patch.object(
            services, "issue", side_effect=[KeyError("x"), mock.DEFAULT], wraps=real
        ):
            work_off()

        assert numbers() == [1]
        sentences = InvoiceRun.objects.get().households.values_list("sentence", flat=True)
        assert sorted(sentences) == ["", "Émission impossible (KeyError)."]

    def test_a_database_away_leaves_it_to_do(self, accountant):
        launched(accountant, households=1)
        with (
            mock.patch.object(services, "issue", side_effect=OperationalError("away")),
            pytest.raises(OperationalError),
        ):
            issue_next()

        work_off()
        assert numbers() == [1]

    def test_stopped_then_taken_up_again(self, accountant):
        run = launched(accountant, households=3)
        issue_next()

        run = planning.stop(run, actor=accountant)
        assert issue_next() is None
        assert numbers() == [1]

        issue_all(run, accountant)
        work_off()
        assert numbers() == [1, 2, 3]

    @pytest.mark.parametrize("by_hand", [services.delete_draft, services.issue])
    def test_stopped_and_nothing_left_it_is_over_and_another_may_begin(self, accountant, by_hand):
        run = launched(accountant, households=2)
        issue_next()
        planning.stop(run, actor=accountant)
        issue_next()
        run.refresh_from_db()
        assert run.state == RunState.PAUSED

        by_hand(planning.drafts_of(run).get(), actor=accountant)
        issue_next()

        run.refresh_from_db()
        assert (run.state, run.ended_at is None) == (RunState.ISSUED, False)
        make_run(accountant)

    def test_a_draft_issued_by_hand_is_of_the_run(self, accountant):
        enrol()
        run = prepare(accountant)

        services.issue(run.invoices.get(), actor=accountant)

        assert run.households.get().outcome == RunOutcome.ISSUED

    def test_more_or_fewer_than_announced_is_refused(self, accountant):
        enrol()
        run = prepare(accountant)

        with pytest.raises(ValidationError) as refusal:
            planning.issue_all(run, actor=accountant, expected=2)
        assert refusal.value.code == "changed"

    def test_nothing_to_issue_is_refused(self, grid, family, accountant):
        enrol(family)
        grid.prices[family.pk] = "Pas de tarif."

        with pytest.raises(ValidationError) as refusal:
            issue_all(prepare(accountant), accountant)
        assert refusal.value.code == "nothing"

    def test_dates_that_would_refuse_all_of_them_are_said_before(self, accountant):
        enrol()
        run = prepare(accountant)
        InvoiceRun.objects.update(due_on=timezone.localdate() - dt.timedelta(days=1))

        with pytest.raises(ValidationError) as refusal:
            issue_all(run, accountant)
        assert refusal.value.code == "due_date_past"

    @pytest.mark.parametrize(
        ("move", "state"),
        [
            ("stop", RunState.TO_CHECK),
            ("abandon", RunState.ISSUING),
            ("issue", RunState.PREPARING),
            ("issue", RunState.ABANDONED),
        ],
    )
    def test_what_the_state_forbids(self, accountant, move, state):
        enrol()
        run = prepare(accountant)
        launched = {"issued_at": timezone.now(), "issued_by": accountant}
        InvoiceRun.objects.update(state=state, **(launched if state == RunState.ISSUING else {}))

        act = issue_all if move == "issue" else getattr(planning, move)

        with pytest.raises(ValidationError) as refusal:
            act(run, actor=accountant)
        assert refusal.value.code == "bad_transition"


@pytest.mark.django_db
class TestMail:
    def test_each_responsable_with_an_address_once(self, family, accountant, settings):
        settings.SITE_URL = "https://extranet.example"
        first = GuardianFactory(family=family, first_name="Claire", email="claire@example.org")
        second = GuardianFactory(family=family, user=None, email="paul@example.org")
        GuardianFactory(family=family, user=None, email="")
        GuardianFactory(user=None, email="autre@example.org")
        draft = InvoiceLineFactory(invoice__family=family, invoice__parts=2).invoice

        invoice = services.issue(draft, actor=accountant)

        written = Mail.objects.order_by("pk")
        assert [(mail.kind, mail.key, mail.to) for mail in written] == [
            (MailKind.INVOICE, f"invoice:{invoice.pk}:{guardian.pk}", guardian.email)
            for guardian in sorted((first, second), key=lambda g: (g.sort_name, g.pk))
        ]
        mail = written[0]
        assert f"https://extranet.example/extranet/facturation/{invoice.pk}/" in mail.body
        assert "2 fois" in mail.body
        assert mail.subject == f"Facture {invoice.reference} de Conservatoire : 38,00\u00a0€"

    def test_it_leaves_on_the_day_of_publication(self, family, accountant):
        GuardianFactory(family=family, user=None, email="claire@example.org")
        day = timezone.localdate() + dt.timedelta(days=3)
        draft = InvoiceLineFactory(invoice__family=family, invoice__published_on=day).invoice

        services.issue(draft, actor=accountant)

        due_at = Mail.objects.get().due_at
        assert timezone.localtime(due_at).replace(tzinfo=None) == dt.datetime.combine(
            day, dt.time(8)
        )
        assert mails.take(timezone.now()) is None

    def test_a_refused_issue_writes_none(self, family, accountant):
        GuardianFactory(family=family, user=None, email="claire@example.org")
        draft = InvoiceLineFactory(invoice__family=family, amount="-1.00").invoice

        with pytest.raises(ValidationError):
            services.issue(draft, actor=accountant)

        assert not Mail.objects.exists()

    def test_cancelled_before_it_leaves(self, family, accountant):
        GuardianFactory(family=family, user=None, email="claire@example.org")
        day = timezone.localdate() + dt.timedelta(days=3)
        draft = InvoiceLineFactory(invoice__family=family, invoice__published_on=day).invoice
        invoice = services.issue(draft, actor=accountant)

        services.cancel(invoice, reason="Erreur.", actor=accountant)

        assert not mails.waiting().exists()
        assert Mail.objects.get().last_error == "Facture annulée avant son envoi."

    def test_one_that_has_left_stays_as_it_is(self, family, accountant):
        GuardianFactory(family=family, user=None, email="claire@example.org")
        invoice = services.issue(
            InvoiceLineFactory(invoice__family=family).invoice, actor=accountant
        )
        mails.send_due()

        services.cancel(invoice, reason="Erreur.", actor=accountant)

        assert Mail.objects.get().sent_at


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_two_hundred_by_eight_workers_are_consecutive(self):
        actor = UserFactory()
        run = launched(actor, households=200)

        def work(_):
            count = 0
            while issue_next():
                count += 1
            return count

        with no_deadlock():
            counts = run_together(work, 8)

        work_off()
        assert (sum(counts), numbers()) == (200, list(range(1, 201)))
        assert min(counts) > 0  # they did work together
        assert Mail.objects.filter(kind=MailKind.INVOICE).count() == 200
        run.refresh_from_db()
        assert run.state == RunState.ISSUED

    def test_two_agents_prepare_one_run_of_a_year(self):
        actor = UserFactory()
        enrol()

        def work(_):
            try:
                return make_run(actor).pk
            except ValidationError as error:
                return error.messages[0]

        for _ in range(10):  # a race that is lost only at times
            answers = run_together(work, 2)

            assert sum(isinstance(answer, int) for answer in answers) == 1
            assert any("déjà en cours" in str(answer) for answer in answers)
            InvoiceRun.objects.update(state=RunState.ABANDONED)

    def test_two_workers_draft_each_household_once(self):
        actor = UserFactory()
        for _ in range(90):
            enrol()
        run = make_run(actor)

        def work(_):
            while draft_next():
                pass

        with no_deadlock():
            assert run_together(work, 4) == [None] * 4

        draft_next()
        run.refresh_from_db()
        assert (run.state, run.invoices.count()) == (RunState.TO_CHECK, 90)

    def test_the_queue_and_an_agent_issue_the_same_drafts(self):
        actor = UserFactory()
        run = launched(actor, households=20)
        drafts = list(planning.drafts_of(run).order_by("pk"))

        def work(number):
            if number:
                return work_off()
            codes = set()
            for draft in drafts:
                try:
                    services.issue(draft, actor=actor)
                except ValidationError as error:
                    codes.add(error.code)
            return codes - {"already_issued"} or None

        with no_deadlock():
            assert run_together(work, 3) == [None] * 3
        assert numbers() == list(range(1, 21))

    def test_stopped_while_two_workers_issue(self):
        actor = UserFactory()
        run = launched(actor, households=40)
        begun = threading.Event()

        def work(number):
            if number:
                while issue_next():
                    begun.set()
            else:
                begun.wait(30)
                planning.stop(run, actor=actor)

        assert run_together(work, 3) == [None] * 3
        issued = numbers()
        assert issued == list(range(1, len(issued) + 1))
        assert len(issued) < 40

        run.refresh_from_db()
        issue_all(run, actor)
        work_off()
        assert numbers() == list(range(1, 41))

    def test_killed_before_each_statement_the_next_worker_issues_it_once(self):
        actor = UserFactory()
        launched(actor, households=2)
        issue_next()  # which also makes the counter of the year
        commit = count_statements(issue_next)
        InvoiceRun.objects.update(state=RunState.ABANDONED, issued_at=None, issued_by=None)
        while clear_next():
            pass
        run = launched(actor, households=commit + 1)
        before = numbers()

        for kill in range(commit + 1):
            submit_and_be_killed(issue_next, before=kill)
            connection.ensure_connection()
            assert numbers() == before
            assert not Mail.objects.filter(
                key__startswith=f"{MailKind.INVOICE}:{planning.drafts_of(run).first().pk}:"
            ).exists()

        submit_and_be_killed(issue_next, before=None)  # committed, and not yet answered
        work_off()
        issued = numbers()
        assert issued == list(range(1, len(issued) + 1))
        run.refresh_from_db()
        assert (run.state, planning.drafts_of(run).count()) == (RunState.ISSUED, 0)
        assert run.invoices.count() == run.households.filter(outcome=RunOutcome.ISSUED).count()
        assert Mail.objects.filter(kind=MailKind.INVOICE).count() == len(issued)

    def test_killed_while_it_drafts_the_next_worker_drafts_it_once(self):
        actor = UserFactory()
        for _ in range(3):
            enrol()
        run = make_run(actor)
        for kill in range(0, 30, 2):
            submit_and_be_killed(draft_next, before=kill)
            connection.ensure_connection()
            assert run.invoices.count() in (0, 3)

        while draft_next():
            pass
        run.refresh_from_db()
        assert (run.state, run.invoices.count()) == (RunState.TO_CHECK, 3)
