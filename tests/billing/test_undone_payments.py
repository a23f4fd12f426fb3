"""Refunds, bounces, what is carried over: a payment is never corrected, another row undoes it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.enums import PaymentMeans, PaymentNature, Settlement
from billing.models import Invoice, Payment
from imuse.invariants import violations
from tests.factories import InvoiceFactory, InvoiceLineFactory, UserFactory
from tests.races import run_together


def left(invoice):
    row = Invoice.objects.with_amounts().get(pk=invoice.pk)
    return row.left, row.settlement


def pay(invoice, actor, amount="38.00", reference="CHQ 1", **kwargs):
    facts = {"means": PaymentMeans.CHEQUE, "paid_on": timezone.localdate(), **kwargs}
    return services.record_payment(
        invoice, amount=Decimal(amount), reference=reference, actor=actor, **facts
    )


def refund(invoice, actor, amount, reference="REMB 1", **kwargs):
    facts = {"means": PaymentMeans.TRANSFER, "paid_on": timezone.localdate(), **kwargs}
    return services.refund(
        invoice, amount=Decimal(amount), reference=reference, actor=actor, **facts
    )


def bounce(payment, actor, reference="REJET 1", **kwargs):
    facts = {"paid_on": timezone.localdate(), **kwargs}
    [undone] = services.bounce(payment, reference=reference, actor=actor, **facts)
    return undone


def code_of(action, *args, **kwargs):
    try:
        action(*args, **kwargs)
    except ValidationError as error:
        return getattr(error, "code", None)
    return "done"


# --- Too much ---------------------------------------------------------------------------------


def test_more_than_what_is_left_when_it_is_meant(make_issued, accountant):
    invoice = make_issued()

    pay(invoice, accountant, "40.00", overpaid=True)

    assert left(invoice) == (Decimal(-2), Settlement.OVERPAID)


def test_what_payfip_received_is_never_refused_for_being_too_much(make_issued, accountant):
    invoice = make_issued()
    pay(invoice, accountant)

    payment = services.record_online_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.ONLINE,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    assert payment.recorded_by is None
    assert left(invoice) == (Decimal(-38), Settlement.OVERPAID)


def test_the_counter_says_who_recorded(make_issued):
    with pytest.raises(IntegrityError):
        Payment.objects.create(
            invoice=make_issued(),
            amount=Decimal(1),
            means=PaymentMeans.CASH,
            paid_on=timezone.localdate(),
            reference="?",
        )


# --- Given back -------------------------------------------------------------------------------


def test_a_refund_gives_back_what_was_in_excess(make_issued, accountant):
    invoice = make_issued()
    pay(invoice, accountant, "40.00", overpaid=True)

    given = refund(invoice, accountant, "2.00")

    assert (given.nature, given.amount) == (PaymentNature.REFUNDED, Decimal(-2))
    assert left(invoice) == (Decimal(0), Settlement.PAID)


@pytest.mark.parametrize(
    ("amount", "code"), [("2.01", "not_in_excess"), ("0", "not_positive"), ("-1", "not_positive")]
)
def test_a_refund_is_no_more_than_the_excess(make_issued, accountant, amount, code):
    invoice = make_issued()
    pay(invoice, accountant, "40.00", overpaid=True)

    assert code_of(refund, invoice, accountant, amount) == code


def test_nothing_to_refund_of_an_invoice_that_is_due(make_issued, accountant):
    with pytest.raises(ValidationError) as refusal:
        refund(make_issued(), accountant, "1.00")

    assert refusal.value.messages == [
        "1,00\u00a0€ dépasse ce qui a été reçu en trop\u00a0: 0,00\u00a0€."
    ]


# --- Sent back by the bank --------------------------------------------------------------------


def test_a_bounced_cheque_is_due_again(make_issued, accountant):
    invoice = make_issued()
    payment = pay(invoice, accountant)

    undone = bounce(payment, accountant)

    assert (undone.reverses, undone.amount) == (payment, Decimal(-38))
    assert left(invoice) == (Decimal(38), Settlement.DUE)


def test_a_direct_debit_bounces(make_issued, accountant):
    invoice = make_issued()
    payment = services.record_online_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.DEBIT,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    bounce(payment, accountant)

    assert left(invoice) == (Decimal(38), Settlement.DUE)


@pytest.mark.parametrize(
    ("means", "facts", "code"),
    [
        (PaymentMeans.CARD, {}, "no_reason"),
        (PaymentMeans.CASH, {"note": " "}, "no_reason"),
        (PaymentMeans.CHEQUE, {"paid_on": dt.date(2000, 1, 1)}, "bounced_before"),
        (PaymentMeans.CHEQUE, {"paid_on": dt.date(9999, 1, 1)}, "paid_in_future"),
        (PaymentMeans.CHEQUE, {"reference": "CHQ 1"}, "payment_recorded"),
    ],
)
def test_a_bounce_refused(make_issued, accountant, means, facts, code):
    invoice = make_issued()
    payment = pay(invoice, accountant, means=means)

    assert code_of(bounce, payment, accountant, **facts) == code
    assert left(invoice) == (Decimal(0), Settlement.PAID)


@pytest.mark.parametrize("means", [PaymentMeans.CASH, PaymentMeans.TRANSFER, PaymentMeans.CARD])
def test_what_was_typed_in_error_is_annulled_with_its_reason(make_issued, accountant, means):
    invoice = make_issued()
    payment = pay(invoice, accountant, means=means)

    undone = bounce(payment, accountant, note="Saisi pour un autre foyer.")

    assert (undone.amount, undone.means, undone.is_annulment) == (Decimal(-38), means, True)
    assert left(invoice) == (Decimal(38), Settlement.DUE)


def test_what_payfip_received_by_card_is_not_annulled_here(make_issued, accountant):
    payment = services.record_online_payment(
        make_issued(),
        amount=Decimal(38),
        means=PaymentMeans.ONLINE,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    assert code_of(bounce, payment, accountant, note="Erreur.") == "cannot_bounce"


def _deposit(make_issued, family, actor, means=PaymentMeans.CHEQUE):
    invoices = [make_issued(family=family) for _ in range(3)]
    deposit = services.record_deposit(
        dict(zip(invoices, map(Decimal, (38, 38, 20)), strict=True)),
        means=means,
        paid_on=timezone.localdate(),
        reference="CHQ 3",
        actor=actor,
    )
    return invoices, deposit


@pytest.mark.parametrize(
    ("means", "note"), [(PaymentMeans.CHEQUE, ""), (PaymentMeans.CASH, "Deux fois saisi.")]
)
def test_a_deposit_for_several_invoices_is_undone_whole(
    make_issued, parent, family, accountant, means, note
):
    invoices, deposit = _deposit(make_issued, family, accountant, means)
    middle = deposit.payments.order_by("pk")[1]

    undone = services.bounce(
        middle, paid_on=timezone.localdate(), reference="REJET 1", actor=accountant, note=note
    )

    assert [(each.invoice, each.reference) for each in undone] == [
        (invoices[0], "REJET 1 (1/3)"),
        (invoices[1], "REJET 1 (2/3)"),
        (invoices[2], "REJET 1 (3/3)"),
    ]
    assert [left(invoice)[0] for invoice in invoices] == [Decimal(38)] * 3
    [mail] = Mail.objects.filter(kind=MailKind.PAYMENT_BOUNCED)  # one, for the whole
    assert "96,00\u00a0€" in mail.subject
    for invoice in invoices:
        assert f"Facture {invoice} : il reste 38,00\u00a0€ à payer" in mail.body
    assert not list(violations())


def test_a_part_undone_before_is_left_alone(make_issued, family, accountant):
    """As when each part was undone by itself."""
    invoices, deposit = _deposit(make_issued, family, accountant)
    first, *others = deposit.payments.order_by("pk")
    about = {"nature": PaymentNature.BOUNCED, "means": first.means, "paid_on": first.paid_on}
    Payment.objects.create(
        invoice=first.invoice,
        amount=-first.amount,
        reverses=first,
        reference="REJET 0",
        recorded_by=accountant,
        **about,
    )

    undone = services.bounce(first, paid_on=first.paid_on, reference="REJET 1", actor=accountant)

    assert [each.reverses for each in undone] == others
    assert [left(invoice)[0] for invoice in invoices] == [Decimal(38)] * 3


def test_a_refusal_for_one_part_undoes_none(make_issued, family, accountant):
    invoices, deposit = _deposit(make_issued, family, accountant)
    pay(make_issued(family=family), accountant, reference="REJET 1 (2/3)")

    refused = code_of(bounce, deposit.payments.first(), accountant)

    assert refused == "payment_recorded"
    assert [left(invoice)[0] for invoice in invoices] == [Decimal(0), Decimal(0), Decimal(18)]


def test_neither_a_refund_nor_a_bounce_bounces(make_issued, accountant):
    payment = pay(make_issued(), accountant)
    undone = bounce(payment, accountant)

    assert code_of(bounce, payment, accountant, reference="REJET 2") == "bounced"
    assert code_of(bounce, undone, accountant, reference="REJET 2") == "cannot_bounce"


# --- Carried over -----------------------------------------------------------------------------


def test_the_excess_of_one_pays_the_other(make_issued, accountant, family):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, accountant, "48.00", overpaid=True)

    given = services.carry_over(source, target, amount=Decimal(10), actor=accountant)

    assert given.counterpart.counterpart == given
    assert (left(source)[0], left(target)[0]) == (Decimal(0), Decimal(28))
    assert given.note == f"De {source}"


def test_carried_twice_in_parts(make_issued, accountant, family):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, accountant, "48.00", overpaid=True)

    for _ in range(2):
        services.carry_over(source, target, amount=Decimal(5), actor=accountant)

    assert (left(source)[0], left(target)[0]) == (Decimal(0), Decimal(28))


@pytest.mark.parametrize(
    ("amount", "code"), [("10.01", "not_in_excess"), ("0", "not_positive"), ("40", "not_in_excess")]
)
def test_no_more_than_the_excess_is_carried(make_issued, accountant, family, amount, code):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, accountant, "48.00", overpaid=True)

    refused = code_of(services.carry_over, source, target, amount=Decimal(amount), actor=accountant)

    assert refused == code


def test_no_more_than_the_target_has_left(make_issued, accountant, family):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, accountant, "100.00", overpaid=True)

    assert (
        code_of(services.carry_over, source, target, amount=Decimal(39), actor=accountant)
        == "too_much"
    )


def test_nothing_is_carried_to_another_household(make_issued, accountant, family):
    source, other = make_issued(family=family), make_issued()
    pay(source, accountant, "48.00", overpaid=True)

    def carry(to):
        return code_of(services.carry_over, source, to, amount=Decimal(1), actor=accountant)

    assert (carry(other), carry(source)) == ("another_household", "same_invoice")
    assert left(source)[0] == Decimal(-10)


# --- Everybody at once ------------------------------------------------------------------------


def _overpaid():
    accountant = UserFactory()
    source = InvoiceLineFactory(invoice=InvoiceFactory()).invoice
    target = InvoiceLineFactory(invoice=InvoiceFactory(family=source.family)).invoice
    target.establishment = source.establishment
    target.save()
    for invoice in (source, target):
        services.issue(invoice, actor=accountant)
    payment = pay(source, accountant, "48.00", overpaid=True)
    return accountant, source, target, payment


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_excess_goes_once():
    accountant, source, target, _ = _overpaid()

    def give(n):
        if n % 2:
            return code_of(refund, source, accountant, "10.00", reference=f"REMB {n}")
        return code_of(services.carry_over, source, target, amount=Decimal(10), actor=accountant)

    assert sorted(run_together(give, 20)) == ["done"] + ["not_in_excess"] * 19
    assert left(source)[0] == Decimal(0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_cheque_bounces_once():
    accountant, source, _, payment = _overpaid()

    codes = run_together(lambda n: code_of(bounce, payment, accountant, f"REJET {n}"), 20)

    assert sorted(codes) == ["bounced"] * 19 + ["done"]
    assert left(source)[0] == Decimal(38)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_cheque_for_two_invoices_bounces_once_from_either():
    accountant, source, target, _ = _overpaid()
    deposit = services.record_deposit(
        {target: Decimal(20), source: Decimal(5)},
        means=PaymentMeans.CHEQUE,
        paid_on=timezone.localdate(),
        reference="CHQ 2",
        actor=accountant,
        overpaid=True,
    )
    parts = list(deposit.payments.all())

    def undo(n):
        facts = {"paid_on": timezone.localdate(), "actor": accountant}
        return code_of(services.bounce, parts[n % 2], reference=f"REJET {n}", **facts)

    assert sorted(run_together(undo, 20)) == ["bounced"] * 19 + ["done"]
    assert (left(source)[0], left(target)[0]) == (Decimal(-10), Decimal(38))
