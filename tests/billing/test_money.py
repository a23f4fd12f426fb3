from decimal import Decimal

import pytest

from billing.models import Invoice
from billing.money import euros, round_cents


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("2.345", "2.35"), ("-2.345", "-2.35"), ("2.344", "2.34"), ("0.005", "0.01"), ("38", "38.00")],
)
def test_round_cents_is_half_up(amount, rounded):
    assert str(round_cents(Decimal(amount))) == rounded


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1234.5", "1\u202f234,50\u00a0€"),
        ("0", "0,00\u00a0€"),
        ("-12", "\u221212,00\u00a0€"),
        ("1000000", "1\u202f000\u202f000,00\u00a0€"),
    ],
)
def test_euros_writes_french_amounts(amount, written):
    assert euros(Decimal(amount)) == written


def test_sums_are_exact_to_the_cent(make_issued):
    invoice = make_issued(amounts=["0.10", "0.20"])

    amounts = Invoice.objects.with_amounts().get(pk=invoice.pk)

    assert [str(amounts.total), str(amounts.paid), str(amounts.left)] == ["0.30", "0.00", "0.30"]
