"""The régie's pages: what they show, what they write, what they refuse beside the field."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.dates import day, moment
from accounts.enums import MailKind
from accounts.models import Mail
from billing import services
from billing.enums import PaymentMeans, PaymentNature
from billing.instruments import deposits
from billing.instruments.enums import DepositState
from billing.models import CashDay, Deposit, Invoice, Payment, PaymentReminder
from billing.regie.overdue import PAYING
from billing.services import reminders
from tests.billing.attempts import attempt_of
from tests.billing.due_dates import fall_due
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    InvoiceLineFactory,
    RentalFactory,
)


@pytest.fixture
def desk(client, accountant):
    """The régie, signed in."""
    client.force_login(accountant)
    return client


def page(name, *keys):
    return reverse(f"admin:billing_{name}", args=keys)


def typed(**kwargs):
    return {
        "amount": "38,00",
        "means": PaymentMeans.CHEQUE,
        "paid_on": timezone.localdate(),
        "reference": "CHQ 1",
        **kwargs,
    }


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def pay(invoice, actor, amount="38", reference="CHQ 0", **kwargs):
    facts = {"means": PaymentMeans.CHEQUE, "paid_on": timezone.localdate(), **kwargs}
    return services.record_payment(
        invoice,
        amount=Decimal(amount),
        reference=reference,
        actor=actor,
        overpaid=True,
        **facts,
    )


def elsewhere(actor, family=None):
    """An issued invoice of a site that is not the agent's."""
    annexe = EstablishmentFactory(name="Annexe")
    draft = InvoiceLineFactory(
        invoice__establishment=annexe, invoice__family=family or FamilyFactory()
    )
    return services.issue(draft.invoice, actor=actor)


# --- Recording for one invoice ----------------------------------------------------------------


def test_more_than_what_is_left_needs_its_tick(desk, make_issued):
    address = page("invoice_record_payment", make_issued().pk)

    refused = desk.post(address, typed(amount="40"))
    assert list(refused.context["form"].errors) == ["amount"]
    assert 'value="40"' in refused.text  # what was typed is kept

    desk.post(address, typed(amount="40", overpaid="on", note="Chèque rond"))
    assert Payment.objects.get().note == "Chèque rond"


def test_too_much_cash_is_refused_beside_the_means(desk, make_issued):
    invoice = make_issued(amounts=["500"])

    response = desk.post(
        page("invoice_record_payment", invoice.pk), typed(amount="400", means="cash")
    )

    assert "article 1680" in response.context["form"].errors["means"][0]


# --- Refund, carry over, bounce: shown, then confirmed -----------------------------------------


def test_a_refund_is_read_again_before_it_is_written(desk, make_issued, accountant):
    invoice = make_issued()
    pay(invoice, accountant, "48")
    address = page("invoice_refund", invoice.pk)
    assert address in desk.get(page("invoice_change", invoice.pk)).text

    shown = desk.post(address, typed(amount="10"))
    assert "10,00\u00a0€ rendus à" in shown.context["recap"]
    corrected = desk.post(address, typed(amount="10", corriger="oui"))
    assert (corrected.context["recap"], Payment.objects.count()) == ("", 1)

    response = desk.post(address, typed(amount="10", confirmer="oui"))
    assert said(response) == ["Remboursement de 10,00\u00a0€ enregistré."]
    assert Payment.objects.get(nature=PaymentNature.REFUNDED).amount == -10


def test_a_refund_that_is_refused_keeps_what_was_typed(desk, make_issued, accountant):
    invoice = make_issued()
    pay(invoice, accountant, "48")

    response = desk.post(page("invoice_refund", invoice.pk), typed(amount="11", confirmer="oui"))

    assert list(response.context["form"].errors) == ["amount"]
    assert 'value="11"' in response.text


def test_an_excess_is_carried_to_another_invoice(desk, make_issued, accountant, family):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, accountant, "48")
    address = page("invoice_carry_over", source.pk)

    data = {"target": target.pk, "amount": "10"}
    assert "10,00\u00a0€ passent" in desk.post(address, data).context["recap"]
    desk.post(address, data | {"confirmer": "oui"})

    assert Invoice.objects.with_amounts().get(pk=target.pk).left == 28


def test_an_excess_goes_to_no_other_household(desk, make_issued, accountant):
    source, other = make_issued(), make_issued()
    pay(source, accountant, "48")

    response = desk.post(
        page("invoice_carry_over", source.pk),
        {"target": other.pk, "amount": "10", "confirmer": "oui"},
    )

    assert response.context["form"].errors["target"] == [
        "Choisissez une facture du foyer, encore à payer."
    ]


def test_a_cheque_bounces_from_its_invoice(desk, make_issued, accountant):
    invoice = make_issued()
    address = page("payment_bounce", pay(invoice, accountant).pk)
    assert address in desk.get(page("invoice_change", invoice.pk)).text

    data = {"paid_on": timezone.localdate(), "reference": "REJET 1"}
    assert "rejetés le" in desk.post(address, data).context["recap"]
    desk.post(address, data | {"confirmer": "oui"})

    assert Invoice.objects.with_amounts().get(pk=invoice.pk).left == 38
    assert address not in desk.get(page("invoice_change", invoice.pk)).text


def test_a_cheque_for_two_invoices_bounces_whole_from_either(desk, make_issued, accountant, family):
    invoices = [make_issued(family=family) for _ in range(2)]
    deposit = services.record_deposit(
        {invoice: Decimal(38) for invoice in invoices},
        means=PaymentMeans.CHEQUE,
        paid_on=timezone.localdate(),
        reference="CHQ 2",
        actor=accountant,
    )
    address = page("payment_bounce", deposit.payments.last().pk)
    data = {"paid_on": timezone.localdate(), "reference": "REJET 1"}

    shown = desk.get(address).context["move"].intro
    assert f"CHQ 2 de 76,00\u00a0€, reçu le {day(timezone.localdate())}" in shown
    assert f"les factures {invoices[0]} (38,00\u00a0€) et {invoices[1]} (38,00\u00a0€)" in shown
    assert "sont à nouveau dues" in desk.post(address, data).context["recap"]
    response = desk.post(address, data | {"confirmer": "oui"})

    assert said(response) == ["Rejet de 76,00\u00a0€ enregistré."]
    lefts = Invoice.objects.with_amounts().values_list("left", flat=True)
    assert list(lefts) == [Decimal(38)] * 2
    again = desk.post(address, data | {"reference": "REJET 2", "confirmer": "oui"})
    assert again.context["form"].non_field_errors() == ["Ce paiement est déjà rejeté ou annulé."]


def test_what_was_typed_in_error_is_annulled_with_a_reason(desk, make_issued, accountant):
    invoice = make_issued()
    address = page("payment_bounce", pay(invoice, accountant, means=PaymentMeans.CASH).pk)
    data = {"paid_on": timezone.localdate(), "reference": "ANNUL 1", "confirmer": "oui"}

    refused = desk.post(address, data)
    assert refused.context["form"].errors["note"] == ["Ce champ est obligatoire."]
    assert refused.context["form"]["reference"].value() == "ANNUL 1"
    response = desk.post(address, data | {"note": "Saisi deux fois."})

    assert said(response) == ["Annulation de 38,00\u00a0€ enregistrée."]
    assert Invoice.objects.with_amounts().get(pk=invoice.pk).left == 38
    assert ">annulé" in "".join(desk.get(page("payment_journal"), data_of_today()).text.split())
    assert list(desk.get(page("invoice_to_settle")).context["bounced"]) == []  # no bank's


def data_of_today():
    return {"jour": timezone.localdate()}


def test_what_payfip_took_by_card_is_not_annulled_here(desk, make_issued):
    payment = services.record_online_payment(
        make_issued(),
        amount=Decimal(38),
        means=PaymentMeans.ONLINE,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )

    assert desk.get(page("payment_bounce", payment.pk)).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_day_shows_the_deposits_kept(
    desk, establishment, accountant, count, django_assert_max_num_queries
):
    today = timezone.localdate()
    for _ in range(count):
        rental = RentalFactory(
            instrument__establishment=establishment,
            deposit_state=DepositState.HELD,
            deposit_received_on=today,
        )
        deposits.keep(rental, on=today, amount=Decimal(50), reason="Archet.", actor=accountant)
    desk.get(page("payment_journal"), data_of_today())

    with django_assert_max_num_queries(19):
        response = desk.get(page("payment_journal"), data_of_today())

    assert [rental.deposit_kept for rental in response.context["kept"]] == [50] * count
    [shown] = response.context["journal"].days
    assert (shown.kept, shown.change, shown.closing) == (50 * count, 0, 0)
    assert "Archet." in response.text


def test_no_deposit_is_kept_on_a_closed_day(establishment, accountant):
    today = timezone.localdate()
    rental = RentalFactory(
        instrument__establishment=establishment,
        deposit_state=DepositState.HELD,
        deposit_received_on=today,
    )
    services.close_day(establishment, today, actor=accountant)

    with pytest.raises(ValidationError) as refusal:
        deposits.keep(rental, on=today, amount=Decimal(50), reason="x", actor=accountant)

    assert refusal.value.code == "day_closed"
    rental.refresh_from_db()
    assert rental.deposit_state == DepositState.HELD


# --- The counter ------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["martin", "MARTIN", "{reference}", "138", "100,00 €"])
def test_a_household_is_found(desk, make_issued, family, query):
    make_issued(family=family)
    invoice = make_issued(family=family, amounts=["100"])
    make_issued(family=FamilyFactory(name="Dupont"), amounts=["12"])

    response = desk.get(page("payment_counter"), {"q": query.format(reference=invoice)})

    [due] = response.context["found"]
    assert (due.family, due.left, len(due.to_pay)) == (family, 138, 2)


def test_nothing_of_another_site_is_found(desk, accountant, family):
    invoice = elsewhere(accountant, family)

    for query in ("martin", str(invoice), "38"):
        assert desk.get(page("payment_counter"), {"q": query}).context["found"] == []
    assert desk.get(page("payment_deposit", family.pk)).status_code == 404


def test_a_deposit_pays_the_oldest_first_and_prints_its_receipt(desk, make_issued, family):
    one, two = make_issued(family=family), make_issued(family=family, amounts=["100"])
    address = page("payment_deposit", family.pk)
    start = desk.get(address)
    assert start.context["form"]["amount"].value() == 138

    shared = desk.post(address, typed(amount="50", repartir="oui"))
    assert [field.value() for _, field in shared.context["shares"].rows] == [38, 12]
    assert not Payment.objects.exists()

    parts = {f"part-{one.pk}": "38", f"part-{two.pk}": "12"}
    response = desk.post(address, typed(amount="50", **parts), follow=True)

    made = Deposit.objects.get()
    assert response.redirect_chain == [(page("payment_receipt", made.pk), 302)]
    assert made.receipt in response.text
    assert [payment.amount for payment in made.payments.all()] == [38, 12]


def test_a_sum_is_shared_before_the_rest_is_typed(desk, make_issued, family):
    make_issued(family=family)

    response = desk.post(
        page("payment_deposit", family.pk),
        {"amount": "12,50", "means": "", "reference": "", "note": "Mai", "repartir": "oui"},
    )

    assert [field.value() for _, field in response.context["shares"].rows] == [Decimal("12.50")]
    assert response.context["form"].errors == {}
    assert 'value="12,50"' in response.text
    assert 'value="Mai"' in response.text  # what was typed is kept


def test_a_split_that_does_not_add_up_is_said(desk, make_issued, family):
    one = make_issued(family=family)

    response = desk.post(
        page("payment_deposit", family.pk), typed(amount="30", **{f"part-{one.pk}": "38"})
    )

    assert response.context["form"].errors["amount"] == [
        "La répartition fait 38,00\u00a0€, le montant 30,00\u00a0€\u00a0: corrigez l'un ou "
        "l'autre, ou répartissez à nouveau."
    ]
    assert not Payment.objects.exists()


@pytest.mark.parametrize("count", [1, 5])
def test_queries_of_the_counter_do_not_grow(
    desk, make_issued, count, django_assert_max_num_queries
):
    for number in range(count):
        family = FamilyFactory(name=f"Martin {number}")
        make_issued(family=family)
        make_issued(family=family)

    with django_assert_max_num_queries(9):
        desk.get(page("payment_counter"), {"q": "martin"})


# --- To settle, and the home page ---------------------------------------------------------------


def test_what_is_to_settle_is_listed_and_counted(desk, make_issued, accountant, family):
    over, due = make_issued(family=family), make_issued(family=family)
    pay(over, accountant, "48")
    cheque = pay(due, accountant, reference="CHQ 1")
    services.bounce(cheque, paid_on=timezone.localdate(), reference="REJET 1", actor=accountant)
    late = make_issued()
    fall_due(timezone.localdate() - dt.timedelta(days=2), late)

    response = desk.get(page("invoice_to_settle"))
    figures = {each.label: each.number for each in desk.get("/admin/").context["todo"]}

    assert [invoice.pk for invoice in response.context["overpaid"]] == [over.pk]
    assert page("invoice_carry_over", over.pk) in response.text
    assert [each.invoice for each in response.context["bounced"]] == [due]
    assert figures == {
        "facture en retard": 1,
        "trop-perçu à régler": 1,
        "rejet à recouvrer": 1,
    }


def test_a_bounce_that_was_paid_otherwise_is_settled(desk, make_issued, accountant):
    invoice = make_issued()
    cheque = pay(invoice, accountant)
    services.bounce(cheque, paid_on=timezone.localdate(), reference="REJET 1", actor=accountant)
    pay(invoice, accountant, reference="CHQ 1")

    assert list(desk.get(page("invoice_to_settle")).context["bounced"]) == []


# --- The journal ------------------------------------------------------------------------------


def test_the_journal_of_a_day(desk, make_issued, accountant):
    invoice = make_issued()
    pay(invoice, accountant, "20")
    today = timezone.localdate()

    response = desk.get(page("payment_journal"), {"jour": today})

    journal = response.context["journal"]
    assert (journal.totals.invoiced, journal.totals.received, journal.closing) == (38, -20, 18)
    assert str(invoice) in response.text
    assert "CHQ 0" in response.text


@pytest.mark.parametrize("data", [{}, {"mois": "2026-13"}, {"jour": "hier"}, {"mois": "0001-01"}])
def test_a_period_that_is_none_shows_a_page(desk, make_issued, data):
    make_issued()

    assert desk.get(page("payment_journal"), data).status_code == 200
    assert desk.get(page("payment_journal_export"), data).status_code == 200


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_the_journal_is_exported(desk, make_issued, accountant, format_):
    pay(make_issued(), accountant, "20")

    response = desk.get(page("payment_journal_export"), {"format": format_})

    assert f".{format_}" in response["Content-Disposition"]
    if format_ == "xlsx":
        rows = list(load_workbook(io.BytesIO(response.content)).active.values)
        assert (rows[-1][0].date(), rows[-1][-1]) == (timezone.localdate(), 18)
    else:
        assert response.content.decode("utf-8-sig").splitlines()[-1].endswith(";18,00")


def test_the_treasury_s_file_names_the_accounts_that_are_missing(desk, make_issued):
    make_issued()

    response = desk.get(page("payment_journal_export"), {"format": "tresor"})

    assert said(response) == [
        "Il manque un compte dans les réglages de la régie\u00a0: produit\u00a0: autre, "
        "redevables (ce que doivent les foyers)."
    ]


def test_a_day_is_closed_once_read(desk, make_issued, accountant):
    pay(make_issued(), accountant)
    today = timezone.localdate()

    shown = desk.get(page("payment_close_day"), {"jour": today})
    assert not CashDay.objects.filter(closed_at__isnull=False).exists()
    assert [line.received for line in shown.context["till"]] == [38]

    desk.post(page("payment_close_day"), {"jour": today})
    closed = CashDay.objects.get(closed_at__isnull=False)
    assert (closed.day, closed.closed_by) == (today, accountant)
    again = desk.post(page("payment_close_day"), {"jour": today})
    assert "est arrêtée" in said(again)[-1]


def test_what_payfip_tells_late_stands_beside_the_totals(
    desk, make_issued, accountant, establishment
):
    invoice, today = make_issued(), timezone.localdate()
    services.close_day(establishment, today, actor=accountant)
    services.record_online_payment(
        invoice,
        amount=Decimal(38),
        means=PaymentMeans.ONLINE,
        paid_on=today,
        reference="PAYFIP 1",
    )

    response = desk.get(page("payment_journal"), {"jour": today})

    assert response.context["late"] == [(PaymentMeans.ONLINE, 38)]


# --- Reminders --------------------------------------------------------------------------------


def test_a_reminder_is_chosen_read_and_sent(desk, make_issued, parent, family):
    late = make_issued(family=family)
    small = make_issued(amounts=["3.00"])
    fall_due(timezone.localdate() - dt.timedelta(days=10), late, small)

    listed = desk.get(page("invoice_reminders"))
    assert listed.context["chosen"] == {family.pk}
    assert [why for _, why in listed.context["others"]] == ["sous le seuil de relance"]
    chosen = {"foyers": str(family.pk)}
    message = desk.post(page("invoice_reminder_message"), chosen)
    assert "38,00\u00a0€ restent à payer" in message.context["example"]["body"]
    assert not Mail.objects.filter(kind=MailKind.PAYMENT_REMINDER).exists()  # only read

    now = {"word": "", "when": "maintenant", "envoyer": "oui"}
    sent = desk.post(page("invoice_reminder_message"), chosen | now)
    while reminders.remind_next():
        pass

    [(line, mails)] = desk.get(sent.url).context["lines"]
    assert (line.family, [each.mail.to for each in mails]) == (family, [parent.guardian.email])
    assert Mail.objects.get(kind=MailKind.PAYMENT_REMINDER).to == parent.guardian.email
    assert "relance amiable" in desk.get(page("invoice_change", late.pk)).text
    again = desk.post(page("invoice_reminder_message"), chosen | now)
    assert "qu'une fois par jour" in again.context["form"].non_field_errors()[0]


def test_a_reminder_is_scheduled_then_cancelled(desk, accountant, make_issued, parent, family):
    fall_due(timezone.localdate() - dt.timedelta(days=10), make_issued(family=family))
    at = timezone.localtime().replace(second=0, microsecond=0) + dt.timedelta(days=3)
    later = {"foyers": str(family.pk), "when": "plus-tard", "envoyer": "oui"}

    past = desk.post(page("invoice_reminder_message"), later | {"planned_for": "2020-01-01T08:00"})
    assert past.context["form"].errors["planned_for"] == ["Le moment choisi est passé."]
    typed = {"planned_for": f"{at:%Y-%m-%dT%H:%M}"}
    response = desk.post(page("invoice_reminder_message"), later | typed, follow=True)

    reminder = PaymentReminder.objects.get()
    assert (reminder.planned_for, reminder.state) == (at, "envoi prévu")
    assert said(response) == [f"1 foyer à relancer, pour le {moment(at)}."]
    assert reminders.remind_next() is None
    assert "Annuler l'envoi du" in desk.get(page("invoice_reminders")).text
    cancel = page("invoice_reminder_cancel", reminder.pk)
    assert said(desk.post(cancel, follow=True)) == [
        "La relance est annulée\u00a0: aucun message ne part."
    ]
    reminder.refresh_from_db()
    assert (reminder.cancelled_by, reminder.state) == (accountant, "envoi annulé")
    assert said(desk.post(cancel, follow=True)) == ["Cet envoi est déjà annulé."]


def test_who_pays_online_is_listed_apart_with_the_reason(desk, make_issued, parent, family):
    late = make_issued(family=family)
    fall_due(timezone.localdate() - dt.timedelta(days=10), late)
    attempt_of(late)

    response = desk.get(page("invoice_reminders"))

    assert [why for _, why in response.context["others"]] == [PAYING]
    assert response.context["chosen"] == set()
    asked = desk.post(page("invoice_reminder_message"), {"foyers": str(family.pk)})
    assert said(asked) == ["Cochez au moins un foyer à relancer."]


@pytest.mark.parametrize(
    ("data", "count"),
    [({"jours": "11"}, 0), ({"jours": "10"}, 1), ({"montant": "39"}, 0), ({"niveau": "2"}, 0)],
)
def test_late_households_are_filtered(desk, make_issued, parent, family, data, count):
    make_issued(family=family)
    fall_due(timezone.localdate() - dt.timedelta(days=10))

    response = desk.get(page("invoice_reminders"), data)

    assert response.context["page"].paginator.count == count


# --- Whose it is --------------------------------------------------------------------------------


def test_rows_of_another_site_are_not_found(desk, accountant):
    invoice = elsewhere(accountant)
    payment = pay(invoice, accountant)

    for name in ("record_payment", "refund", "carry_over"):
        assert desk.get(page(f"invoice_{name}", invoice.pk)).status_code == 404
    assert desk.get(page("payment_bounce", payment.pk)).status_code == 404
    assert desk.get(page("payment_receipt", payment.deposit_id)).status_code == 404


def test_a_credit_note_is_neither_paid_nor_refunded(desk, make_issued, accountant):
    lines = [{"label": "Erreur", "amount": Decimal(5)}]
    note = services.credit(make_issued(), lines=lines, reason="Erreur", actor=accountant)

    assert desk.get(page("invoice_refund", note.pk)).status_code == 404
    assert desk.get(page("invoice_record_payment", note.pk)).status_code == 404


def test_the_secretariat_sees_none_of_it(client, registrar, make_issued, accountant, family):
    payment = pay(make_issued(family=family), accountant)
    client.force_login(registrar)
    addresses = [
        *[page(name) for name in ("payment_counter", "payment_journal", "invoice_to_settle")],
        *[page(name) for name in ("invoice_reminders", "payment_journal_export")],
        *[page("payment_deposit", family.pk), page("payment_receipt", payment.deposit_id)],
        *[page("payment_bounce", payment.pk), page("payment_close_day")],
    ]

    assert {client.get(address).status_code for address in addresses} == {403}
    assert "à régler" not in client.get("/admin/").text
