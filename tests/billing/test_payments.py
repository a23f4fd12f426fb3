"""« Reçus et attestations »: all the movements, and the years of which something was paid."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from billing import services
from billing.enums import InvoiceKind, PaymentMeans
from tests.billing.pages import words
from tests.factories import EstablishmentFactory, InvoiceLineFactory

URL = "/extranet/facturation/paiements/"


@pytest.fixture
def pay(accountant):
    def pay(invoice, amount, number, means=PaymentMeans.CHEQUE):
        return services.record_payment(
            invoice,
            amount=Decimal(amount),
            means=means,
            paid_on=timezone.localdate(),
            reference=f"ENC {number}",
            actor=accountant,
            overpaid=True,
        )

    return pay


def test_address():
    assert reverse("billing:payments") == URL


def test_nothing_yet(client, parent):
    client.force_login(parent)

    page = words(client.get(URL))

    assert "Aucune&nbsp;: rien n'a encore été payé." in page
    assert "Aucun paiement pour le moment." in page


def test_both_kinds_the_latest_first_and_the_years(client, parent, family, make_issued, pay):
    first = pay(make_issued(family=family), 38, 1)
    second = pay(make_issued(family=family, kind=InvoiceKind.LOCATION), 12, 2)
    client.force_login(parent)

    response = client.get(URL)

    assert [each.payment for each in response.context["movements"]] == [second, first]
    year = timezone.localdate().year
    assert f"Année civile {year} 50,00\u00a0€" in words(response)
    assert reverse("billing:attestation", args=["annee-civile", year]) in response.text
    assert reverse("billing:receipt", args=[first.pk]) in response.text


def test_each_movement_in_plain_words(client, parent, family, make_issued, pay, accountant):
    invoice, other = make_issued(family=family), make_issued(family=family)
    cheque, today = pay(invoice, 38, 1), timezone.localdate()
    services.bounce(cheque, paid_on=today, reference="REJET", actor=accountant)
    pay(invoice, 58, 2, PaymentMeans.CASH)
    services.refund(
        invoice,
        amount=Decimal(5),
        means=PaymentMeans.TRANSFER,
        paid_on=today,
        reference="REMB",
        actor=accountant,
    )
    services.carry_over(invoice, other, amount=Decimal(15), actor=accountant)
    client.force_login(parent)

    found = client.get(URL).context["movements"]

    assert [(each.sentence, str(each.payment.amount)) for each in reversed(found)] == [
        (f"Paiement par chèque, rejeté par la banque le {day(today)}", "38.00"),
        (
            f"Chèque du {day(today)} rejeté par la banque\u00a0: cette somme est de nouveau à"
            " payer",
            "-38.00",
        ),
        ("Paiement en espèces", "58.00"),
        ("Remboursement par virement", "-5.00"),
        (f"Trop-perçu reporté sur la facture {other}", "-15.00"),
        (f"Trop-perçu de la facture {invoice}, reporté ici", "15.00"),
    ]
    assert [each.is_undone for each in reversed(found)] == [True, *[False] * 5]


def test_neither_another_household_nor_another_establishment(
    client, parent, stranger, family, make_issued, pay, accountant
):
    mine = pay(make_issued(family=family), 38, 1)
    pay(make_issued(family=stranger.guardian.family), 38, 2)
    elsewhere = InvoiceLineFactory(
        invoice__family=family, invoice__establishment=EstablishmentFactory(name="Annexe")
    ).invoice
    pay(services.issue(elsewhere, actor=accountant), 38, 3)
    client.force_login(parent)

    assert [each.payment for each in client.get(URL).context["movements"]] == [mine]


def test_a_teacher_sees_none(client, teacher, family, make_issued, pay):
    pay(make_issued(family=family), 38, 1)
    client.force_login(teacher.user)

    assert client.get(URL).context["movements"] == []


def test_only_reads(client, parent):
    client.force_login(parent)

    assert client.post(URL).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_issued, pay, count, django_assert_num_queries):
    for number in range(count):
        pay(make_issued(family=family), 38, number)
    client.force_login(parent)

    # Session, user, establishment, invoices, lines, payments, guardians, movements.
    with django_assert_num_queries(8):
        client.get(URL)
