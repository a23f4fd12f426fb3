from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

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
    assert "chèque 100,00\u00a0€" in page


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

    # those three, invoice, lines, instalments, payments; what is paid online, and through whom
    with django_assert_num_queries(9):
        client.get(url(invoice))
