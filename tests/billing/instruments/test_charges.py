"""The rent is asked once, pro rata by begun month."""

import datetime as dt
from decimal import Decimal

import pytest

from billing import services
from billing.enums import InvoiceKind, LineKind, PaymentMeans
from billing.instruments import charges, rentals
from billing.instruments.enums import RentalEvent
from billing.instruments.prices import calendar_months, charged, due, proposed_price, rent_due
from billing.models import Invoice
from tests.billing.instruments.refusals import refusal_of
from tests.factories import InstrumentKindFactory, SchoolYearFactory


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "months"),
    [
        ("2026-09-01", "2026-09-30", 1),
        ("2026-09-30", "2026-10-01", 2),
        ("2026-09-15", "2027-06-30", 10),
        ("2026-09-01", "2027-08-31", 12),
        ("2027-02-28", "2027-02-28", 1),
    ],
)
def test_a_begun_month_counts(starts_on, ends_on, months):
    days = dt.date.fromisoformat(starts_on), dt.date.fromisoformat(ends_on)

    assert calendar_months(*days) == months


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "months", "due"),
    [
        ("2026-09-01", "2027-08-31", 10, "150.00"),  # never more than the year
        ("2026-09-15", "2027-06-30", 10, "150.00"),
        ("2027-01-12", "2027-06-30", 10, "90.00"),
        ("2027-01-12", "2027-01-12", 12, "12.50"),
        ("2027-01-12", "2027-02-12", 7, "42.86"),  # half up, to the cent
    ],
)
def test_the_rent_is_due_pro_rata(starts_on, ends_on, months, due):
    days = dt.date.fromisoformat(starts_on), dt.date.fromisoformat(ends_on)

    assert rent_due(Decimal(150), *days, months) == Decimal(due)


@pytest.fixture
def rental(make_rental):
    """From 12 January to the end of March of the school year under way: three months."""
    year = SchoolYearFactory()
    january = dt.date(year.ends_on.year, 1, 12)
    return make_rental(
        school_year=year, starts_on=january, ends_on=january.replace(month=3, day=31)
    )


def test_drafts_an_invoice_that_explains_itself(rental, accountant, today):
    invoice = charges.draft_invoice(rental, due_on=today, actor=accountant)

    assert (invoice.kind, invoice.family) == (InvoiceKind.LOCATION, rental.family)
    assert invoice.establishment == rental.instrument.establishment
    [line] = invoice.lines.all()
    number, year = rental.instrument.inventory_number, rental.starts_on.year
    assert line.label == f"Location, Violon 3/4 Stentor ({number})"
    assert line.explanation == (
        f"Du 12\u00a0janvier {year} au 31\u00a0mars {year}, 3 mois commencés\u00a0: 3/10 de"
        " 150,00\u00a0€ l'année = 45,00\u00a0€."
    )
    assert (line.amount, line.kind) == (Decimal("45.00"), LineKind.RENTAL)
    assert line.student == rental.student
    assert rental.moves.last().event == RentalEvent.INVOICED


def test_the_deposit_is_on_no_line(rental, accountant, today):
    invoice = charges.draft_invoice(rental, due_on=today, actor=accountant)

    assert sum(line.amount for line in invoice.lines.all()) == due(rental)
    assert not any("dépôt" in line.label.lower() for line in invoice.lines.all())


def test_asks_nothing_twice(rental, accountant, today):
    charges.draft_invoice(rental, due_on=today, actor=accountant)

    refusal = refusal_of(charges.draft_invoice, rental, due_on=today, actor=accountant)

    assert refusal == ("nothing_due", "Tout est déjà facturé\u00a0: 45,00\u00a0€.")


def test_a_draft_that_is_deleted_can_be_made_anew(rental, accountant, today):
    invoice = charges.draft_invoice(rental, due_on=today, actor=accountant)
    services.delete_draft(invoice, actor=accountant)

    charges.draft_invoice(rental, due_on=today, actor=accountant)

    assert Invoice.objects.count() == 1


def test_what_a_cancelled_invoice_asked_is_asked_anew(rental, accountant, today):
    invoice = charges.draft_invoice(rental, due_on=today, actor=accountant)
    services.cancel(services.issue(invoice, actor=accountant), reason="Nom", actor=accountant)

    [line] = charges.draft_invoice(rental, due_on=today, actor=accountant).lines.all()

    assert line.amount == Decimal("45.00")


def test_though_what_was_paid_of_it_is_not_given_back_yet(rental, accountant, today):
    invoice = services.issue(
        charges.draft_invoice(rental, due_on=today, actor=accountant), actor=accountant
    )
    services.record_payment(
        invoice,
        amount=Decimal(45),
        means=PaymentMeans.CARD,
        paid_on=today,
        reference="CB 1",
        actor=accountant,
    )
    services.cancel(invoice, reason="Nom", actor=accountant)

    assert charged(rental) == 0


def test_an_extension_asks_what_it_adds(rental, accountant, today):
    charges.draft_invoice(rental, due_on=today, actor=accountant)
    later = rental.ends_on.replace(month=6, day=30)
    rental = rentals.extend(rental, ends_on=later, actor=accountant)

    [line] = charges.draft_invoice(rental, due_on=today, actor=accountant).lines.all()

    assert line.amount == Decimal("45.00")
    assert line.explanation.endswith(" = 90,00\u00a0€, moins 45,00\u00a0€ déjà facturés.")


def test_a_free_or_cancelled_rental_asks_nothing(make_rental, rental, accountant, today):
    free = make_rental(rent=Decimal(0))

    assert refusal_of(charges.draft_invoice, free, due_on=today, actor=accountant) == (
        "nothing_due",
        "Cette location est gratuite\u00a0: il n'y a rien à facturer.",
    )
    rentals.cancel(rental, reason="x", actor=accountant)
    refusal = refusal_of(charges.draft_invoice, rental, due_on=today, actor=accountant)
    assert refusal[0] == "bad_transition"


def test_an_invoiced_rental_is_not_cancelled(rental, accountant, today):
    charges.draft_invoice(rental, due_on=today, actor=accountant)

    assert refusal_of(rentals.cancel, rental, reason="x", actor=accountant)[0] == "invoiced"


def test_proposes_nothing_that_no_grid_says(establishment):
    assert proposed_price(InstrumentKindFactory(), establishment, SchoolYearFactory()) is None
