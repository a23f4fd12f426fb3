import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from billing import services
from billing.enums import PaymentMeans, Settlement
from billing.models import Invoice, Payment
from tests.billing.due_dates import fall_due
from tests.factories import InvoiceLineFactory, UserFactory
from tests.races import run_together


def pay(invoice, actor, **kwargs):
    facts = {
        "amount": Decimal("10.00"),
        "means": PaymentMeans.CHEQUE,
        "paid_on": timezone.localdate(),
        "reference": "CHQ 1",
    }
    return services.record_payment(invoice, **(facts | kwargs), actor=actor)


def settlement_of(invoice):
    invoice = Invoice.objects.with_amounts().get(pk=invoice.pk)
    return invoice.paid, invoice.left, invoice.settlement


def test_payments_add_up(make_issued, accountant):
    invoice = make_issued()
    assert settlement_of(invoice) == (Decimal(0), Decimal(38), Settlement.DUE)

    payment = pay(invoice, accountant, reference=" CHQ 1 ")
    assert (payment.reference, payment.recorded_by) == ("CHQ 1", accountant)
    assert settlement_of(invoice) == (Decimal(10), Decimal(28), Settlement.DUE)

    pay(invoice, accountant, amount=Decimal(28), reference="CHQ 2")
    assert settlement_of(invoice) == (Decimal(38), Decimal(0), Settlement.PAID)


def test_equal_sums_of_cents_are_a_paid_invoice(make_issued, accountant):
    invoice = make_issued(amounts=["0.30"])
    pay(invoice, accountant, amount=Decimal("0.10"), reference="1")
    pay(invoice, accountant, amount=Decimal("0.20"), reference="2")

    assert settlement_of(invoice) == (Decimal("0.30"), Decimal(0), Settlement.PAID)


@pytest.mark.parametrize(
    ("days", "settlement"), [(1, Settlement.DUE), (0, Settlement.DUE), (-1, Settlement.OVERDUE)]
)
def test_overdue_from_the_day_after(make_issued, days, settlement):
    invoice = make_issued()
    due_on = timezone.localdate() + dt.timedelta(days=days)
    fall_due(due_on)

    assert settlement_of(invoice)[2] == settlement


def test_overdue_follows_the_date_in_paris(make_issued, monkeypatch):
    invoice = make_issued()
    fall_due(dt.date(2027, 6, 30))
    # Already the 1st of July in Paris.
    night = dt.datetime(2027, 6, 30, 22, 30, tzinfo=dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: night)

    assert settlement_of(invoice)[2] == Settlement.OVERDUE


@pytest.mark.django_db
def test_a_draft_is_neither_due_nor_paid():
    draft = InvoiceLineFactory().invoice

    assert settlement_of(draft) == (Decimal(0), Decimal(38), None)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"amount": Decimal("38.01")}, "too_much"),
        ({"paid_on": dt.date(9999, 12, 31)}, "paid_in_future"),
        ({"amount": Decimal("0.004")}, None),
        ({"amount": Decimal("-5")}, None),
        ({"means": "barter"}, "not_at_the_counter"),
        ({"means": PaymentMeans.ONLINE}, "not_at_the_counter"),
        ({"reference": " "}, None),
    ],
)
def test_refusals(make_issued, accountant, facts, code):
    with pytest.raises(ValidationError) as refusal:
        pay(make_issued(), accountant, **facts)

    assert getattr(refusal.value, "code", None) == code
    assert not Payment.objects.exists()


def test_too_much_says_what_is_left(make_issued, accountant):
    with pytest.raises(ValidationError) as refusal:
        pay(make_issued(), accountant, amount=Decimal(1234))

    assert refusal.value.messages == [
        "Ce paiement de 1\u202f234,00\u00a0€ dépasse ce qui reste à payer\u00a0: 38,00\u00a0€."
    ]


def test_a_draft_takes_no_payment(accountant):
    with pytest.raises(ValidationError) as refusal:
        pay(InvoiceLineFactory().invoice, accountant)

    assert refusal.value.code == "not_issued"


@pytest.mark.parametrize("same_invoice", [True, False])
def test_a_reference_is_recorded_once(make_issued, accountant, same_invoice):
    invoice = make_issued()
    pay(invoice, accountant)

    with pytest.raises(ValidationError) as refusal:
        pay(invoice if same_invoice else make_issued(), accountant)

    assert refusal.value.code == "payment_recorded"
    assert refusal.value.messages == [
        "Le paiement de référence «\u00a0CHQ 1\u00a0» est déjà enregistré."
    ]
    assert Payment.objects.count() == 1


def test_the_database_refuses_a_reference_twice(make_issued, accountant):
    payment = pay(make_issued(), accountant)
    payment.pk = None

    with pytest.raises(IntegrityError):
        payment.save(force_insert=True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_invoice", [True, False])
def test_everybody_records_one_payment_at_once(same_invoice):
    accountant = UserFactory()
    invoices = _issued(accountant, 1 if same_invoice else 20)

    results = run_together(
        lambda n: _code(lambda: pay(invoices[n % len(invoices)], accountant)), 20
    )

    assert sorted(results) == ["payment_recorded"] * 19 + ["recorded"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everybody_pays_what_is_left_at_once():
    accountant = UserFactory()
    [invoice] = _issued(accountant, 1)

    def settle(n):
        return _code(lambda: pay(invoice, accountant, amount=Decimal(38), reference=f"CHQ {n}"))

    assert sorted(run_together(settle, 20)) == ["recorded"] + ["too_much"] * 19


def _issued(actor, count):
    drafts = [InvoiceLineFactory().invoice for _ in range(count)]
    return [services.issue(draft, actor=actor) for draft in drafts]


def _code(call):
    try:
        call()
    except ValidationError as error:
        return error.code
    return "recorded"
