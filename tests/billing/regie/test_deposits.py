"""One sum handed over for several invoices, its numbered receipt, what the régie may take."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from billing import services
from billing.enums import PaymentMeans
from billing.models import Deposit, Invoice, Payment, ReceiptSeries, RegieSettings
from billing.regie.dues import split
from tests.factories import EstablishmentFactory, InvoiceLineFactory, UserFactory
from tests.races import no_deadlock, run_together


def deposit(parts, actor, **kwargs):
    facts = {
        "means": PaymentMeans.CHEQUE,
        "paid_on": timezone.localdate(),
        "reference": "CHQ 1",
        **kwargs,
    }
    return services.record_deposit(parts, **facts, actor=actor)


def left(*invoices):
    found = {row.pk: row.left for row in Invoice.objects.with_amounts()}
    return [found[invoice.pk] for invoice in invoices]


def code_of(action, *args, **kwargs):
    try:
        action(*args, **kwargs)
    except ValidationError as error:
        return getattr(error, "code", None)
    return "done"


def test_one_cheque_pays_several_invoices(make_issued, accountant, family):
    one, two = make_issued(family=family), make_issued(family=family, amounts=["100"])

    made = deposit(
        {two: Decimal(60), one: Decimal(38)}, accountant, reference=" CHQ 1 ", note="Mai"
    )

    assert (made.amount, made.reference, made.payer_name) == (98, "CHQ 1", one.payer_name)
    assert [(p.invoice, p.amount, p.reference, p.note) for p in made.payments.all()] == [
        (one, 38, "CHQ 1 (1/2)", "Mai"),
        (two, 60, "CHQ 1 (2/2)", "Mai"),
    ]
    assert left(one, two) == [0, 40]


def test_receipts_are_numbered_without_gap(make_issued, accountant):
    year = timezone.localdate().year
    first = deposit({make_issued(): Decimal(1)}, accountant)
    assert code_of(deposit, {make_issued(): Decimal(1)}, accountant) == "payment_recorded"
    second = deposit({make_issued(): Decimal(1)}, accountant, reference="CHQ 2")

    assert [each.receipt for each in (first, second)] == [f"Q{year}-00001", f"Q{year}-00002"]


def test_a_payment_at_the_counter_has_its_receipt(make_issued, accountant):
    payment = services.record_payment(
        make_issued(),
        amount=Decimal(38),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference="CB 1",
        actor=accountant,
    )

    assert (payment.deposit.amount, payment.reference) == (38, "CB 1")


@pytest.mark.parametrize(
    ("amount", "facts", "code"),
    [
        ("38.01", {}, "too_much"),
        ("38", {"paid_on": dt.date(9999, 1, 1)}, "paid_in_future"),
        ("38", {"means": PaymentMeans.ONLINE}, "not_at_the_counter"),
        ("38", {"reference": " "}, None),
        ("-1", {}, None),
    ],
)
def test_refusals(make_issued, accountant, amount, facts, code):
    one, two = make_issued(), make_issued(amounts=["500"])
    two.family = one.family
    two.save(update_fields=["family"])

    assert code_of(deposit, {one: Decimal(amount), two: Decimal(1)}, accountant, **facts) == code
    assert not Deposit.objects.exists()
    assert not Payment.objects.exists()
    assert not ReceiptSeries.objects.exclude(last_number=0).exists()


def test_a_deposit_is_one_household_s(make_issued, accountant):
    parts = {make_issued(): Decimal(1), make_issued(): Decimal(1)}

    assert code_of(deposit, parts, accountant) == "another_household"
    assert code_of(deposit, {}, accountant) == "no_invoice"


@pytest.mark.parametrize(("amount", "code"), [("300", "done"), ("300.01", "cash_limit")])
def test_cash_is_limited_by_the_law(make_issued, accountant, amount, code):
    invoice = make_issued(amounts=["500"])

    assert code_of(deposit, {invoice: Decimal(amount)}, accountant, means="cash") == code


def test_the_limit_of_cash_holds_for_the_whole_sum(make_issued, accountant, family):
    parts = {make_issued(family=family, amounts=["200"]): Decimal(200) for _ in range(2)}

    with pytest.raises(ValidationError) as refusal:
        deposit(parts, accountant, means=PaymentMeans.CASH)

    assert refusal.value.messages == [
        "La régie n'accepte pas plus de 300,00\u00a0€ en espèces (article 1680 du code général des "
        "impôts, réglage de la régie)."
    ]


def test_the_limit_of_cash_is_a_setting_of_the_establishment(
    make_issued, accountant, establishment
):
    RegieSettings.objects.create(establishment=establishment, cash_limit=Decimal(50))
    invoice = make_issued(amounts=["500"])

    assert code_of(deposit, {invoice: Decimal(51)}, accountant, means="cash") == "cash_limit"
    assert code_of(deposit, {invoice: Decimal(51)}, accountant, means="cheque") == "done"


@pytest.mark.parametrize(
    ("amount", "parts"),
    [("10", [10]), ("38", [38]), ("50", [38, 12]), ("138", [38, 100]), ("150", [38, 112])],
)
def test_the_oldest_is_paid_first(make_issued, amount, parts):
    invoices = [make_issued(), make_issued(amounts=["100"])]
    rows = [Invoice.objects.with_amounts().get(pk=invoice.pk) for invoice in invoices]

    assert list(split(Decimal(amount), rows).values()) == parts


def test_two_establishments_carry_over_invoices_of_one_number(make_issued, accountant, family):
    """Both have an invoice n° 1: what is carried bears another reference."""
    annexe = EstablishmentFactory(name="Annexe")
    for site in (annexe, None):
        where = {"establishment": site} if site else {}
        pair = [issued(accountant, family, **where) for _ in range(2)]
        services.record_payment(
            pair[0],
            amount=Decimal(48),
            means=PaymentMeans.CARD,
            paid_on=timezone.localdate(),
            reference=f"CB {site}",
            actor=accountant,
            overpaid=True,
        )
        services.carry_over(*pair, amount=Decimal(10), actor=accountant)

    assert Payment.objects.filter(means=PaymentMeans.CARRIED).count() == 4


def issued(actor, family=None, **about):
    line = InvoiceLineFactory(
        **({"invoice__family": family} if family else {}),
        **{f"invoice__{name}": value for name, value in about.items()},
    )
    return services.issue(line.invoice, actor=actor)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everybody_takes_money_at_once():
    actor = UserFactory()
    invoices = [issued(actor) for _ in range(20)]

    with no_deadlock():
        codes = run_together(
            lambda n: code_of(deposit, {invoices[n]: Decimal(1)}, actor, reference=f"CHQ {n}"), 20
        )

    assert codes == ["done"] * 20
    assert sorted(Deposit.objects.values_list("number", flat=True)) == list(range(1, 21))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_reference_is_taken_once_however_it_is_shared():
    actor = UserFactory()
    first = issued(actor)
    pair = [first, issued(actor, first.family)]

    def take(n):
        return code_of(deposit, {invoice: Decimal(1) for invoice in pair[: 1 + n % 2]}, actor)

    with no_deadlock():
        codes = run_together(take, 20)

    assert sorted(codes) == ["done"] + ["payment_recorded"] * 19
    assert Deposit.objects.get().number == 1
