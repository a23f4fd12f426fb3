import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from billing import services
from billing.enums import PaymentMeans, Settlement
from billing.models import Invoice
from tests.factories import InvoiceFactory, InvoiceLineFactory, UserFactory
from tests.races import run_together


def amounts(invoice):
    row = Invoice.objects.with_amounts().get(pk=invoice.pk)
    return row.total, row.credited, row.left, row.settlement


def credit(invoice, actor, amount="10.00", **kwargs):
    lines = [{"label": "Arrêt en janvier", "amount": Decimal(amount)}]
    return services.credit(invoice, **{"lines": lines, "reason": "Départ", **kwargs}, actor=actor)


def test_a_credit_note_takes_off_what_is_left(make_issued, accountant):
    invoice = make_issued()

    note = credit(invoice, accountant)

    assert amounts(invoice) == (Decimal(38), Decimal(10), Decimal(28), Settlement.DUE)
    assert amounts(note) == (Decimal(-10), Decimal(0), Decimal(0), Settlement.CREDIT_NOTE)
    assert (note.number, note.credits, note.payer_name) == (2, invoice, invoice.payer_name)
    assert not note.instalments.exists()


def test_the_invoice_itself_does_not_change(make_issued, accountant):
    invoice = make_issued()
    before = Invoice.objects.filter(pk=invoice.pk).values().get()

    credit(invoice, accountant)

    assert Invoice.objects.filter(pk=invoice.pk).values().get() == before
    assert [line.amount for line in invoice.lines.all()] == [Decimal(38)]


def test_cancelling_credits_line_by_line(make_issued, accountant):
    invoice = make_issued(amounts=["100.00", "-10.00"])

    note = services.cancel(invoice, reason="Doublon", actor=accountant)

    assert [line.amount for line in note.lines.all()] == [Decimal(-100), Decimal(10)]
    assert amounts(invoice) == (Decimal(90), Decimal(90), Decimal(0), Settlement.CANCELLED)


def test_cancelling_what_is_left_of_an_invoice(make_issued, accountant):
    invoice = make_issued()
    credit(invoice, accountant)

    note = services.cancel(invoice, reason="Départ", actor=accountant)

    assert [line.amount for line in note.lines.all()] == [Decimal(-28)]
    assert amounts(invoice)[3] == Settlement.CANCELLED


def test_what_was_paid_of_a_cancelled_invoice_is_in_excess(make_issued, accountant):
    invoice = make_issued()
    services.record_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference="CB 1",
        actor=accountant,
    )

    services.cancel(invoice, reason="Doublon", actor=accountant)

    assert amounts(invoice)[2:] == (Decimal(-38), Settlement.OVERPAID)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"amount": "38.01"}, "too_much_credited"),
        ({"amount": "0"}, "nothing_to_credit"),
        ({"amount": "-5"}, "nothing_to_credit"),
        ({"lines": []}, "nothing_to_credit"),
    ],
)
def test_refusals(make_issued, accountant, facts, code):
    invoice = make_issued()

    with pytest.raises(ValidationError) as refusal:
        credit(invoice, accountant, **facts)

    assert refusal.value.code == code
    assert Invoice.objects.get() == invoice


def test_a_credit_note_says_why(make_issued, accountant):
    with pytest.raises(ValidationError) as refusal:
        credit(make_issued(), accountant, reason=" ")

    assert refusal.value.message_dict == {"reason": ["Dites pourquoi."]}


def test_a_draft_is_not_credited(accountant, db):
    with pytest.raises(ValidationError) as refusal:
        credit(InvoiceLineFactory().invoice, accountant)

    assert refusal.value.code == "not_issued"


def test_a_credit_note_is_not_credited_nor_paid(make_issued, accountant):
    note = credit(make_issued(), accountant)

    with pytest.raises(ValidationError) as credited:
        credit(note, accountant)
    with pytest.raises(ValidationError) as paid:
        services.record_online_payment(
            note,
            amount=Decimal(10),
            means=PaymentMeans.ONLINE,
            paid_on=timezone.localdate(),
            reference="PAYFIP 1",
        )

    assert (credited.value.code, paid.value.code) == ("credit_note", "not_issued")


def test_the_database_wants_a_reason(make_issued, accountant):
    note = credit(make_issued(), accountant)

    with pytest.raises(IntegrityError):
        Invoice.objects.filter(pk=note.pk).update(reason="")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_everybody_cancels_at_once():
    accountant = UserFactory()
    draft = InvoiceLineFactory(invoice=InvoiceFactory()).invoice
    invoice = services.issue(draft, actor=accountant)

    def cancel(n):
        try:
            services.cancel(invoice, reason="Erreur", actor=accountant)
        except ValidationError as error:
            return error.code
        return "cancelled"

    assert sorted(run_together(cancel, 20)) == ["cancelled"] + ["nothing_to_credit"] * 19
    assert amounts(invoice)[3] == Settlement.CANCELLED


# --- The four dates and the instalments -------------------------------------------------------


def issue(accountant, amount="100.00", **kwargs):
    draft = InvoiceFactory(**kwargs)
    InvoiceLineFactory(invoice=draft, amount=Decimal(amount))
    return services.issue(draft, actor=accountant)


def test_the_dates_left_empty_are_set(accountant, db):
    today = timezone.localdate()

    invoice = issue(accountant, due_on=today + dt.timedelta(days=30))

    assert invoice.published_on == today
    assert invoice.online_until == invoice.counter_until == today + dt.timedelta(days=30)


def test_the_instalments_add_up(accountant, db):
    invoice = issue(accountant, due_on=dt.date(2099, 1, 31), parts=3)

    assert list(invoice.instalments.values_list("due_on", "amount")) == [
        (dt.date(2099, 1, 31), Decimal("33.34")),
        (dt.date(2099, 2, 28), Decimal("33.33")),
        (dt.date(2099, 3, 31), Decimal("33.33")),
    ]
    assert invoice.online_until == dt.date(2099, 3, 31)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"due_on": -1}, "due_date_past"),
        ({"due_on": 5, "published_on": 6}, "published_out_of_order"),
        ({"due_on": 5, "published_on": -1}, "published_out_of_order"),
        ({"due_on": 5, "online_until": 4}, "closed_before_due"),
        ({"due_on": 5, "counter_until": 4}, "closed_before_due"),
        ({"due_on": 5, "online_until": 6, "parts": 2}, "closed_before_due"),
    ],
)
def test_dates_out_of_order(accountant, db, dates, code):
    parts = {"parts": dates.pop("parts", 1)}
    days = {name: timezone.localdate() + dt.timedelta(days=day) for name, day in dates.items()}

    with pytest.raises(ValidationError) as refusal:
        issue(accountant, **days, **parts)

    assert refusal.value.code == code


def test_an_invoice_shows_from_its_day_on(parent, family, accountant):
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    invoice = issue(accountant, family=family, published_on=tomorrow)

    assert not Invoice.objects.visible_to(parent).exists()
    assert list(Invoice.objects.visible_to(parent, tomorrow)) == [invoice]


def test_overdue_by_instalments(accountant, db):
    invoice = issue(accountant, due_on=dt.date(2099, 1, 31), parts=2)
    february, march = dt.date(2099, 2, 1), dt.date(2099, 3, 1)

    def settlement(day):
        return Invoice.objects.with_amounts(day).get().settlement

    assert (settlement(dt.date(2099, 1, 31)), settlement(february)) == ("due", "overdue")
    services.record_payment(
        invoice,
        amount=Decimal(50),
        means=PaymentMeans.CARD,
        paid_on=timezone.localdate(),
        reference="CB 1",
        actor=accountant,
    )
    assert (settlement(february), settlement(march)) == ("due", "overdue")
