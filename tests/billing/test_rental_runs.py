"""« Facturation groupée » of rentals: by their contracts, less what was asked already."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from billing import services
from billing.enums import Billed, InvoiceKind, LineKind, RunOutcome, RunState
from billing.instruments import charges, prices, rentals
from billing.instruments.enums import Condition, RentalEvent
from billing.models import Invoice, InvoiceRun, RentalCharge, RentalMove
from billing.runs import planning
from billing.runs.drafting import clear_next, draft_next
from billing.runs.issuing import issue_next
from tests.billing.run_cases import enrol, make_run, prepare
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    InstrumentFactory,
    RentalFactory,
    SchoolYearFactory,
    StudentFactory,
    UserFactory,
)
from tests.races import no_deadlock, run_together

pytestmark = pytest.mark.django_db


def rent(actor, family=None, *, handed_over=True, **kwargs):
    """A rental of the household, whose instrument has been handed over."""
    kwargs |= {"family": family} if family else {}
    rental = RentalFactory(insured=True, **kwargs)
    if handed_over:
        rentals.hand_over(rental, on=rental.starts_on, condition=Condition.GOOD, actor=actor)
        rental.refresh_from_db()
    return rental


def plan(actor, **kwargs) -> InvoiceRun:
    return make_run(actor, kind=InvoiceKind.LOCATION, **kwargs)


def drafted(actor, **kwargs) -> InvoiceRun:
    return prepare(actor, kind=InvoiceKind.LOCATION, **kwargs)


def issue_all(run, actor):
    planning.issue_all(run, actor=actor, expected=planning.drafts_of(run).count())
    while issue_next():
        pass
    issue_next()


def outcomes(run):
    return dict(run.households.values_list("family", "outcome"))


class TestWhichRentals:
    def test_those_handed_over_and_the_reserved_if_asked(self, family, accountant):
        rent(accountant, family)
        reserved = rent(accountant, handed_over=False)
        enrol()  # a household that rents nothing

        assert outcomes(plan(accountant)) == {family.pk: RunOutcome.TO_DO}
        InvoiceRun.objects.update(state=RunState.ABANDONED)
        run = plan(accountant, billed=Billed.LIVE)
        assert set(outcomes(run)) == {family.pk, reserved.family_id}

    def test_a_cancelled_one_another_site_or_year_is_not_concerned(self, accountant):
        cancelled = rent(accountant, handed_over=False)
        rentals.cancel(cancelled, reason="Erreur.", actor=accountant)
        rent(accountant, instrument=InstrumentFactory(establishment=EstablishmentFactory(name="B")))
        before = SchoolYearFactory(offset=-1)
        rent(accountant, handed_over=False, school_year=before, starts_on=before.starts_on)

        with pytest.raises(ValidationError) as refusal:
            plan(accountant, billed=Billed.LIVE)
        assert (refusal.value.code, refusal.value.messages) == (
            "nobody",
            ["Aucune location de cette année n'est à facturer ici."],
        )

    def test_no_grid_is_needed_and_none_is_kept(self, accountant):
        rent(accountant)

        run = drafted(accountant)

        assert (run.grid, run.households.get().grid) == (None, None)

    def test_beside_the_year_s_fees(self, accountant, monkeypatch):
        """One under way for each kind."""
        rent(accountant)
        plan(accountant)

        with pytest.raises(ValidationError) as refusal:
            plan(accountant)
        assert "déjà en cours" in refusal.value.messages[0]


class TestDrafts:
    def test_one_invoice_of_a_line_for_each_rental_without_the_deposit(self, family, accountant):
        rented = [rent(accountant, family, rent=rent_) for rent_ in ("150.00", "80.00")]

        run = drafted(accountant, parts=2)

        invoice = run.invoices.get()
        assert (invoice.kind, invoice.parts, invoice.due_on) == ("location", 2, run.due_on)
        assert [
            (line.kind, line.student, line.amount, line.rental_charge.rental)
            for line in invoice.lines.all()
        ] == [(LineKind.RENTAL, each.student, prices.due(each), each) for each in rented]
        row = run.households.get()
        assert (row.outcome, row.total, row.billed) == (
            RunOutcome.DRAFTED,
            sum(map(prices.due, rented)),
            0,
        )
        moves = RentalMove.objects.filter(event=RentalEvent.INVOICED)
        assert [move.actor for move in moves] == [accountant] * 2

    def test_pro_rata_by_begun_month(self, family, accountant):
        year = SchoolYearFactory()
        starts_on = year.starts_on
        rental = rent(
            accountant,
            family,
            handed_over=False,
            starts_on=starts_on,
            ends_on=starts_on + dt.timedelta(days=40),
        )

        line = drafted(accountant, billed=Billed.LIVE).invoices.get().lines.get()

        assert line.amount == Decimal("30.00") == prices.due(rental)  # September and October of ten
        assert "2/10 de 150,00" in line.explanation

    def test_what_a_draft_by_hand_asks_is_not_asked_again(self, family, accountant):
        charges.draft_invoice(
            rent(accountant, family),
            due_on=timezone.localdate() + dt.timedelta(days=9),
            actor=accountant,
        )

        run = drafted(accountant)

        assert outcomes(run) == {family.pk: RunOutcome.SAME}
        assert Invoice.objects.count() == 1

    def test_a_free_rental_is_nothing_to_bill(self, family, accountant):
        rent(accountant, family, rent="0.00")

        assert outcomes(drafted(accountant)) == {family.pk: RunOutcome.NOTHING}

    def test_only_what_an_extension_adds_in_a_second_run(self, family, accountant):
        year = SchoolYearFactory()
        rental = rent(
            accountant,
            family,
            handed_over=False,
            starts_on=year.starts_on,
            ends_on=year.starts_on + dt.timedelta(days=200),
        )
        first = drafted(accountant, billed=Billed.LIVE)
        issue_all(first, accountant)
        before = prices.due(rental)
        assert outcomes(drafted(accountant, billed=Billed.LIVE)) == {family.pk: RunOutcome.SAME}
        planning.abandon(InvoiceRun.objects.first(), actor=accountant)

        rentals.extend(rental, ends_on=year.ends_on, actor=accountant)
        run = drafted(accountant, billed=Billed.LIVE)

        line = run.invoices.get().lines.get()
        assert (before, line.amount) == (Decimal("105.00"), Decimal("45.00"))
        assert "déjà facturés" in line.explanation
        row = run.households.get()
        assert (row.total, row.billed) == (Decimal("150.00"), before)

    def test_cancelled_it_is_billed_anew(self, family, accountant):
        rent(accountant, family)
        run = drafted(accountant)
        issue_all(run, accountant)
        services.cancel(run.invoices.get(), reason="Erreur.", actor=accountant)

        assert outcomes(drafted(accountant)) == {family.pk: RunOutcome.DRAFTED}

    def test_the_year_before_is_noted(self, family, accountant):
        rent(accountant, family)
        run = drafted(accountant)
        issue_all(run, accountant)
        Invoice.objects.update(school_year=SchoolYearFactory(offset=-1))

        row = drafted(accountant, billed=Billed.LIVE).households.get()

        assert row.last_year == run.invoices.get().lines.get().amount

    def test_abandoned_the_rental_is_free_to_be_invoiced(self, accountant):
        rental = rent(accountant)
        planning.abandon(drafted(accountant), actor=accountant)
        while clear_next():
            pass

        assert not RentalCharge.objects.exists()
        charges.draft_invoice(rental, due_on=timezone.localdate(), actor=accountant)

    @pytest.mark.parametrize("count", [1, 12])
    def test_the_same_queries_whatever_the_number(
        self, accountant, count, django_assert_num_queries
    ):
        for _ in range(count):
            rent(accountant)
        plan(accountant)

        with django_assert_num_queries(20):
            assert draft_next() == count


class TestPages:
    def test_prepared_from_the_form_and_read(self, client, family, accountant, establishment):
        rental = rent(accountant, family)
        client.force_login(accountant)

        client.post(
            reverse("admin:billing_invoicerun_add"),
            {
                "establishment": establishment.pk,
                "school_year": rental.school_year_id,
                "kind": "location",
                "label": "",
                "billed": "confirmed",
                "parts": 1,
                "due_on": timezone.localdate() + dt.timedelta(days=30),
            },
        )
        run = InvoiceRun.objects.get()
        assert (run.label, run.kind) == ("Locations", "location")
        draft_next()

        page = client.get(reverse("admin:billing_invoicerun_change", args=[run.pk])).text
        assert "instruments remis" in page
        assert "Location d&#x27;instrument" in page or "Location d'instrument" in page

    def test_the_family_reads_it_among_its_rentals(self, client, family, parent, accountant):
        rent(accountant, family)
        run = drafted(accountant)
        issue_all(run, accountant)
        client.force_login(parent)

        assert run.invoices.get().reference in client.get(reverse("billing:locations")).text


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_the_queue_and_an_agent_invoice_one_rental_once(self):
        actor, day = UserFactory(), timezone.localdate() + dt.timedelta(days=30)
        for _ in range(10):
            family = FamilyFactory()
            theirs = [rent(actor, family, student=StudentFactory(family=family)) for _ in range(3)]
            plan(actor)

            def work(number, theirs=theirs):
                if number < 2:
                    draft_next()
                    return None
                try:
                    charges.draft_invoice(theirs[number - 2], due_on=day, actor=actor)
                except ValidationError as error:
                    return None if error.code == "nothing_due" else error

            with no_deadlock():
                assert run_together(work, 5) == [None] * 5
            for rental in theirs:
                assert prices.charged(rental) == prices.due(rental)
                assert rental.charges.count() == 1
            InvoiceRun.objects.update(state=RunState.ABANDONED)
