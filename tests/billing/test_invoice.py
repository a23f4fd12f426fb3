from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from billing import services
from billing.enums import PaymentMeans
from tests.billing.pages import words
from tests.factories import CustodyFactory, GuardianFactory, InvoiceLineFactory, StudentFactory


def url(invoice):
    return reverse("billing:invoice", args=[invoice.pk])


def pay(invoice, actor, amount, number):
    services.record_payment(
        invoice,
        amount=Decimal(amount),
        means=PaymentMeans.CHEQUE,
        paid_on=timezone.localdate(),
        reference=f"CHQ {number}",
        actor=actor,
    )


def test_address():
    assert reverse("billing:invoice", args=[7]) == "/extranet/facturation/7/"


def test_shows_the_whole_invoice(client, parent, family, make_issued, accountant):
    invoice = make_issued(amounts=["1200", "34.50"], family=family)
    invoice.lines.update(explanation="Cycle 1, commune du conservatoire.")
    pay(invoice, accountant, 100, 1)
    client.force_login(parent)

    page = words(client.get(url(invoice)))

    assert f"Facture {invoice.reference}" in page
    assert "Conservatoire 6 rue de la Musique 59200 Tourcoing 03 20 00 00 00 scolarite@" in page
    assert "Claire Martin 12 rue des Anges 59200 Tourcoing" in page
    assert (
        "Frais de dossier Cycle 1, commune du conservatoire. 1\u202f200,00\u00a0€ "
        "Frais de dossier Cycle 1, commune du conservatoire. 34,50\u00a0€ "
        "Total 1\u202f234,50\u00a0€ Payé 100,00\u00a0€ Reste à payer 1\u202f134,50\u00a0€"
    ) in page
    assert "Paiement par chèque. Reçu" in page


def test_keeps_the_payer_as_he_was(client, parent, family, make_issued):
    invoice = make_issued(family=family)
    family.guardians.update(last_name="Durand")
    family.address = "1 place Neuve"
    family.save(update_fields=["address"])
    client.force_login(parent)

    page = words(client.get(url(invoice)))

    assert "Claire Martin 12 rue des Anges" in page
    assert "place Neuve" not in page


def test_no_payment_yet(client, parent, family, make_issued):
    client.force_login(parent)

    assert "Aucun paiement pour le moment." in words(client.get(url(make_issued(family=family))))


def test_of_another_household_is_not_found(client, stranger, family, make_issued):
    client.force_login(stranger)

    assert client.get(url(make_issued(family=family))).status_code == 404


def test_of_the_child_s_other_household_is_not_found(client, parent, family, make_issued):
    other = GuardianFactory()
    CustodyFactory(student=StudentFactory(family=family), family=other.family, rank=2)
    theirs = make_issued(family=other.family)
    client.force_login(parent)

    assert client.get(url(theirs)).status_code == 404


def test_draft_is_not_found(client, parent, family):
    draft = InvoiceLineFactory(invoice__family=family).invoice
    client.force_login(parent)

    assert client.get(url(draft)).status_code == 404


def test_staff_read_in_the_admin_only(client, accountant, make_issued):
    client.force_login(accountant)

    assert client.get(url(make_issued())).status_code == 404


def test_anonymous_signs_in_first(client, make_issued):
    assert client.get(url(make_issued())).status_code == 302


def test_only_reads(client, parent, family, make_issued):
    client.force_login(parent)

    assert client.post(url(make_issued(family=family))).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_issued, accountant, count, django_assert_num_queries):
    invoice = make_issued(amounts=["38"] * count, family=family)
    for number in range(count):
        pay(invoice, accountant, 1, number)
    client.force_login(parent)

    # Three, invoice, lines, instalments, payments, credit notes; online, attempts and account.
    with django_assert_num_queries(10):
        client.get(url(invoice))


def test_in_instalments(client, parent, family, make_issued):
    invoice = make_issued(amounts=["100"], family=family, parts=2)
    client.force_login(parent)

    page = words(client.get(url(invoice)))

    first, second = (day(part.due_on) for part in invoice.instalments.all())
    assert f"{first} 50,00\u00a0€ à venir {second} 50,00\u00a0€ à venir" in page


def test_how_to_pay_at_the_counter_while_it_can(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    client.force_login(parent)

    assert (
        "Payer au guichet Conservatoire, 6 rue de la Musique, 59200 Tourcoing. Par carte bancaire,"
        f" chèque, espèces ou virement, avec la référence {invoice}."
    ) in words(client.get(url(invoice)))
    pay(invoice, accountant, 38, 1)
    assert "Payer au guichet" not in words(client.get(url(invoice)))


def test_each_payment_leads_to_its_receipt(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    pay(invoice, accountant, 10, 1)
    client.force_login(parent)

    address = reverse("billing:receipt", args=[invoice.payments.get().pk])
    assert f'href="{address}"' in client.get(url(invoice)).text


def test_a_credit_note_says_why_and_of_what(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    note = services.cancel(invoice, reason="Facture en double", actor=accountant)
    client.force_login(parent)

    page, of_the_invoice = words(client.get(url(note))), client.get(url(invoice))

    assert f"Avoir {note}" in page
    assert f"Cet avoir diminue la facture {invoice}&nbsp;: il n'y a rien à payer." in page
    assert "Motif Facture en double" in page
    assert "Frais de dossier −38,00\u00a0€ Total −38,00\u00a0€" in page
    assert "Cette facture est annulée" in words(of_the_invoice)
    assert f'href="{url(note)}"' in of_the_invoice.text


def test_nil_asks_for_nothing(client, parent, family, make_issued):
    invoice = make_issued(amounts=["0"], family=family)
    client.force_login(parent)

    page = words(client.get(url(invoice)))

    assert "payée" in page
    assert "À payer jusqu'au" not in page
    assert "Payer au guichet" not in page


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_everything_at_once(
    client, parent, family, make_issued, accountant, count, django_assert_num_queries
):
    invoice = make_issued(amounts=["38"] * count, family=family, parts=3)
    for line in invoice.lines.all():
        line.student = StudentFactory(family=family)
        line.save(update_fields=["student"])
    lines = [{"label": "Remise", "amount": Decimal(1)}]
    for number in range(count):
        pay(invoice, accountant, 1, number)
        services.credit(invoice, lines=lines, reason="Erreur", actor=accountant)
    client.force_login(parent)

    # Three, invoice, lines, students, instalments, payments, credit notes; online, two.
    with django_assert_num_queries(11):
        client.get(url(invoice))
