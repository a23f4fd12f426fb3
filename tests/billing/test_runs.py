"""A run of invoices: planned, drafted by the queue, compared with what was billed already."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.utils import timezone

from billing import services
from billing.enums import Billed, InvoiceStatus, LineKind, RunOutcome, RunState
from billing.models import Invoice, InvoiceRun, RunHousehold
from billing.pricing.bills import Bill
from billing.runs import planning
from billing.runs.drafting import AT_ONCE, clear_next, draft_next
from families import absorbing
from students.enums import EnrolmentStatus
from students.models import Enrolment
from tests.billing.run_cases import Grid, enrol, make_run, prepare, tuition
from tests.factories import (
    CustodyFactory,
    EstablishmentFactory,
    FamilyFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    SchoolYearFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def grid(monkeypatch):
    return Grid(monkeypatch)


def outcomes(run):
    return dict(run.households.values_list("family", "outcome"))


def issue_drafts(run, actor):
    for invoice in planning.drafts_of(run):
        services.issue(invoice, actor=actor)
    InvoiceRun.objects.filter(pk=run.pk).update(
        state=RunState.ISSUED, issued_at=timezone.now(), issued_by=actor, ended_at=timezone.now()
    )


class TestPlan:
    def test_it_concerns_the_households_of_the_confirmed_enrolments(self, family, accountant):
        mine = enrol(family)
        other = FamilyFactory()
        CustodyFactory(student=mine, family=other, rank=2)
        enrol(status=EnrolmentStatus.REQUESTED)
        enrol(status=EnrolmentStatus.RELEASED)
        FamilyFactory()

        run = make_run(accountant)

        assert outcomes(run) == {family.pk: RunOutcome.TO_DO, other.pk: RunOutcome.TO_DO}
        assert (run.state, run.created_by) == (RunState.PREPARING, accountant)

    def test_requested_ones_too_if_asked(self, family, accountant):
        enrol(family, status=EnrolmentStatus.REQUESTED)

        assert make_run(accountant, billed=Billed.LIVE).households.count() == 1

    def test_another_site_or_year_is_not_concerned(self, family, accountant):
        enrol(family)
        for other in (
            {"establishment": EstablishmentFactory(name="Annexe")},
            {"school_year": SchoolYearFactory(offset=1)},
        ):
            with pytest.raises(ValidationError) as refusal:
                make_run(accountant, **other)
            assert refusal.value.code == "nobody"

    def test_one_at_a_time_for_a_year(self, family, accountant):
        enrol(family)
        run = make_run(accountant)

        with pytest.raises(ValidationError) as refusal:
            make_run(accountant)
        assert "déjà en cours" in refusal.value.messages[0]

        planning.abandon(run, actor=accountant)
        make_run(accountant)

    @pytest.mark.parametrize(
        ("days", "code"),
        [
            ({"due_on": -1}, "due_date_past"),
            ({"due_on": 10, "published_on": 11}, "published_out_of_order"),
            ({"due_on": 10, "online_until": 9}, "closed_before_due"),
            ({"due_on": 10, "counter_until": 20, "parts": 2}, "closed_before_due"),
        ],
    )
    def test_dates_that_would_refuse_every_invoice_are_refused(
        self, family, accountant, days, code
    ):
        enrol(family)
        today = timezone.localdate()
        dates = {
            name: days[name] if name == "parts" else today + dt.timedelta(days=days[name])
            for name in days
        }

        with pytest.raises(ValidationError) as refusal:
            make_run(accountant, **dates)

        assert refusal.value.code == code
        assert not InvoiceRun.objects.exists()


class TestDrafting:
    def test_a_draft_has_the_lines_and_dates_of_the_run(self, grid, family, accountant):
        student = enrol(family)
        grid.prices[family.pk] = Bill((tuition(student, "90.50", at_top_rate=True),))
        day = timezone.localdate() + dt.timedelta(days=10)

        run = prepare(accountant, parts=3, published_on=day)

        invoice = Invoice.objects.get()
        assert (invoice.run, invoice.family, invoice.status) == (run, family, InvoiceStatus.DRAFT)
        assert (invoice.due_on, invoice.parts, invoice.published_on) == (run.due_on, 3, day)
        line = invoice.lines.get()
        assert (line.kind, line.student, line.label, line.explanation, line.amount) == (
            LineKind.TUITION,
            student,
            "Cursus",
            "Tarif résident.",
            Decimal("90.50"),
        )
        household = run.households.get()
        assert (household.outcome, household.total, household.at_top_rate) == (
            RunOutcome.DRAFTED,
            Decimal("90.50"),
            True,
        )
        assert run.state == RunState.TO_CHECK

    def test_one_batch_at_each_call(self, grid, accountant):
        for _ in range(AT_ONCE + 1):
            enrol()
        run = make_run(accountant)

        assert [draft_next(), draft_next(), draft_next()] == [AT_ONCE, 1, 0]
        assert [len(families) for families in grid.calls] == [AT_ONCE, 1]
        run.refresh_from_db()
        assert (run.state, run.invoices.count()) == (RunState.TO_CHECK, AT_ONCE + 1)

    def test_who_cannot_be_priced_is_told_why_and_the_others_are_drafted(
        self, grid, family, accountant
    ):
        for home in (family, broken := FamilyFactory(), other := FamilyFactory()):
            enrol(home)
        grid.prices[family.pk] = "« Harpe » n'a pas de tarif."
        grid.prices[broken.pk] = KeyError("x")

        run = prepare(accountant)

        assert dict(run.households.values_list("family", "sentence")) == {
            family.pk: "« Harpe » n'a pas de tarif.",
            broken.pk: "Calcul impossible (KeyError).",
            other.pk: "",
        }
        assert [invoice.family for invoice in run.invoices.all()] == [other]
        assert run.state == RunState.TO_CHECK

    def test_a_database_away_leaves_the_batch_to_do(self, grid, family, accountant):
        enrol(family)
        run = make_run(accountant)
        grid.prices[family.pk] = OperationalError("away")

        with pytest.raises(OperationalError):
            draft_next()
        assert outcomes(run) == {family.pk: RunOutcome.TO_DO}

        del grid.prices[family.pk]
        assert draft_next() == 1

    def test_a_draft_made_by_hand_is_not_doubled(self, family, accountant):
        enrol(family)
        InvoiceLineFactory(invoice__family=family, kind=LineKind.TUITION)

        run = prepare(accountant)

        [household] = run.households.all()
        assert household.outcome == RunOutcome.PROBLEM
        assert household.sentence.startswith("Un brouillon de cette année existe déjà")
        assert Invoice.objects.count() == 1

    def test_those_of_an_abandoned_run_are_no_matter(self, family, accountant):
        """The queue deletes them, maybe after it has begun the next run."""
        enrol(family)
        planning.abandon(prepare(accountant), actor=accountant)

        assert outcomes(prepare(accountant)) == {family.pk: RunOutcome.DRAFTED}

    def test_another_draft_of_the_year_that_no_grid_prices_is_no_matter(self, family, accountant):
        enrol(family)
        InvoiceLineFactory(invoice__family=family, label="Partition abîmée")

        assert outcomes(prepare(accountant)) == {family.pk: RunOutcome.DRAFTED}

    def test_nothing_to_bill(self, grid, family, accountant):
        enrol(family)
        grid.prices[family.pk] = Bill(())

        assert outcomes(prepare(accountant)) == {family.pk: RunOutcome.NOTHING}

    def test_abandoned_while_it_is_prepared(self, accountant):
        for _ in range(AT_ONCE + 1):
            enrol()
        run = make_run(accountant)
        draft_next()

        planning.abandon(run, actor=accountant)

        assert draft_next() == 0
        assert (clear_next(), clear_next()) == (AT_ONCE, 0)
        assert not Invoice.objects.exists()


class TestSecondRun:
    """Only what has changed since the first."""

    @pytest.fixture
    def student(self, family):
        return enrol(family)

    @pytest.fixture
    def first(self, grid, student, accountant):
        run = prepare(accountant)
        issue_drafts(run, accountant)
        return run

    def test_who_is_billed_already_is_not_billed_again(self, first, family, accountant):
        enrol(newcomer := FamilyFactory())

        run = prepare(accountant)

        assert outcomes(run) == {
            family.pk: RunOutcome.SAME,
            newcomer.pk: RunOutcome.DRAFTED,
        }
        assert [invoice.family for invoice in run.invoices.all()] == [newcomer]

    def test_a_lesson_more_is_a_draft_of_it_alone(self, grid, first, student, family, accountant):
        grid.prices[family.pk] = Bill(
            (tuition(student, "100.00"), tuition(student, "40.00", label="Chœur"))
        )

        run = prepare(accountant)

        [invoice] = run.invoices.all()
        assert list(invoice.lines.values_list("label", "amount")) == [("Chœur", Decimal("40.00"))]
        household = run.households.get()
        assert (household.total, household.billed) == (Decimal("140.00"), Decimal("100.00"))

    def test_a_dearer_lesson_is_a_draft_of_the_difference(
        self, grid, first, student, family, accountant
    ):
        grid.prices[family.pk] = "130.00"

        line = prepare(accountant).invoices.get().lines.get()

        assert (line.label, line.amount) == ("Cursus", Decimal("30.00"))
        assert line.explanation == "Tarif résident. Déjà facturé\u00a0: 100,00\u00a0€."
        run = InvoiceRun.objects.latest("pk")
        issue_drafts(run, accountant)
        assert outcomes(prepare(accountant)) == {family.pk: RunOutcome.SAME}

    def test_one_lesson_for_another_is_both_lines(self, grid, first, student, family, accountant):
        grid.prices[family.pk] = Bill((tuition(student, "140.00", label="Danse"),))

        lines = prepare(accountant).invoices.get().lines

        assert list(lines.values_list("label", "amount")) == [
            ("Danse", Decimal("140.00")),
            ("Cursus", Decimal("-100.00")),
        ]

    @pytest.mark.parametrize("left", ["less", "gone"])
    def test_too_much_billed_is_listed_and_makes_no_draft(
        self, grid, first, student, family, accountant, left
    ):
        if left == "gone":
            Enrolment.objects.update(status=EnrolmentStatus.RELEASED)
            grid.prices[family.pk] = Bill(())
        else:
            grid.prices[family.pk] = "60.00"

        run = prepare(accountant)

        household = run.households.get()
        assert household.outcome == RunOutcome.LESS
        assert (household.billed, household.total) == (
            Decimal("100.00"),
            Decimal("60.00" if left == "less" else "0.00"),
        )
        assert not run.invoices.exists()

    def test_a_cancelled_invoice_is_billed_anew(self, first, family, accountant):
        services.cancel(first.invoices.get(), reason="Erreur.", actor=accountant)

        run = prepare(accountant)

        assert sum(line.amount for line in run.invoices.get().lines.all()) == 100

    def test_a_goodwill_credit_is_not_billed_again(self, first, family, accountant):
        lines = [{"label": "Geste commercial", "amount": Decimal(10)}]
        services.credit(first.invoices.get(), lines=lines, reason="Geste.", actor=accountant)

        assert outcomes(prepare(accountant)) == {family.pk: RunOutcome.SAME}

    def test_the_year_before_is_noted(self, grid, first, family, accountant):
        Invoice.objects.update(school_year=SchoolYearFactory(offset=-1))

        household = prepare(accountant).households.get()

        assert (household.last_year, household.billed) == (Decimal("100.00"), 0)
        assert household.outcome == RunOutcome.DRAFTED


class TestDraftsOfARun:
    def test_one_that_is_deleted_is_out_of_the_run(self, family, accountant):
        enrol(family)
        run = prepare(accountant)

        services.delete_draft(run.invoices.get(), actor=accountant)

        assert outcomes(run) == {family.pk: RunOutcome.REMOVED}

    def test_one_invoice_for_a_household(self, family, accountant):
        enrol(family)
        run = prepare(accountant)

        with pytest.raises(ValidationError) as refusal:
            services.save_draft(
                InvoiceFactory.build(
                    family=family,
                    run=run,
                    establishment=run.establishment,
                    school_year=run.school_year,
                ),
                actor=accountant,
            )
        assert "déjà sa facture" in refusal.value.messages[0]

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("family", FamilyFactory),
            ("school_year", lambda: SchoolYearFactory(offset=1)),
            ("establishment", lambda: EstablishmentFactory(name="Annexe")),
        ],
    )
    def test_it_stays_to_its_household_and_year(self, family, accountant, name, other):
        enrol(family)
        invoice = prepare(accountant).invoices.get()
        setattr(invoice, name, other())

        with pytest.raises(ValidationError) as refusal:
            services.save_draft(invoice, actor=accountant)
        assert refusal.value.code == "of_a_run"

    def test_other_dates_are_those_of_all_drafts(self, family, accountant):
        enrol(family)
        run = prepare(accountant)
        due = timezone.localdate() + dt.timedelta(days=60)
        dates = dict.fromkeys(["published_on", "online_until", "counter_until"])

        planning.redate(run, actor=accountant, due_on=due, parts=2, **dates)

        assert run.invoices.values_list("due_on", "parts").get() == (due, 2)

    def test_no_dates_are_changed_while_something_is_under_way(self, family, accountant):
        enrol(family)
        run = make_run(accountant)

        with pytest.raises(ValidationError) as refusal:
            planning.redate(run, actor=accountant)
        assert refusal.value.code == "bad_transition"


def test_the_database_refuses_a_household_twice(family, accountant):
    enrol(family)
    run = make_run(accountant)

    with pytest.raises(Exception, match=r"(?i)unique"):
        RunHousehold.objects.create(run=run, family=family)


class TestDoubles:
    """Two households that turn out to be one."""

    def merge(self, kept, absorbed, actor):
        seen = absorbing.compare(kept, absorbed).fingerprint
        absorbing.absorb_family(kept=kept.pk, absorbed=absorbed.pk, actor=actor, seen=seen)

    def test_both_in_one_run(self, accountant, director):
        kept, double = FamilyFactory(), FamilyFactory()
        enrol(kept)
        enrol(double)
        run = prepare(accountant)

        self.merge(kept, double, director)

        assert run.households.get().family == kept
        assert run.invoices.get().family == kept
        assert Invoice.objects.get(run=None).family == kept  # a draft by itself, to check

    def test_the_double_alone(self, accountant, director):
        kept, double = FamilyFactory(), FamilyFactory()
        enrol(double)
        run = prepare(accountant)

        self.merge(kept, double, director)

        assert (run.households.get().family, run.invoices.get().family) == (kept, kept)
