"""Receipts: the page and its PDF say the same, of each kind of movement."""

import datetime as dt
import io
from decimal import Decimal

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.dates import day
from billing import services, views
from billing.enums import PaymentMeans
from billing.models import Payment
from tests.billing.pages import words
from tests.factories import CustodyFactory, GuardianFactory, StudentFactory
from tests.pdfs import texts_of

TODAY = "{today}"


def url(payment, view="receipt"):
    return reverse(f"billing:{view}", args=[payment.pk])


@pytest.fixture
def pay(accountant):
    def pay(invoice, amount="38.00", means=PaymentMeans.CARD, **kwargs):
        return services.record_payment(
            invoice,
            amount=Decimal(amount),
            means=means,
            paid_on=timezone.localdate(),
            reference=kwargs.pop("reference", f"ENC {Payment.objects.count() + 1}"),
            actor=accountant,
            overpaid=True,
        )

    return pay


def told(response):
    """What stands under the two addresses, today's date left out."""
    return words(response).replace(day(timezone.localdate()), "{today}")


def test_address():
    assert reverse("billing:receipt", args=[7]) == "/extranet/facturation/paiements/7/"
    assert reverse("billing:receipt_pdf", args=[7]) == "/extranet/facturation/paiements/7/pdf/"


@pytest.mark.parametrize(
    ("means", "by", "remark"),
    [
        ("card", "par carte bancaire", ""),
        ("cash", "en espèces", ""),
        ("transfer", "par virement", ""),
        (
            "cheque",
            "par chèque",
            "Ce chèque est reçu sous réserve de son encaissement par la banque. ",
        ),
    ],
)
def test_says_what_was_received(client, parent, family, make_issued, pay, means, by, remark):
    payment = pay(make_issued(family=family), means=PaymentMeans(means), reference="CHQ 123")
    client.force_login(parent)

    page = told(client.get(url(payment)))

    reference = payment.invoice.reference
    assert "Reçu de paiement" in page
    assert "Claire Martin 12 rue des Anges 59200 Tourcoing" in page
    assert (
        f"Nous avons reçu 38,00\u00a0€ {by} le {TODAY}, pour la facture {reference}. {remark}"
        f"Montant 38,00\u00a0€ Moyen {PaymentMeans(means).label} Date {TODAY} Référence CHQ 123"
        f" Facture {reference} du {TODAY}"
    ) in page


def test_by_payfip_too(client, parent, family, make_issued):
    payment = services.record_online_payment(
        make_issued(family=family),
        amount=Decimal(38),
        means=PaymentMeans.DEBIT,
        paid_on=timezone.localdate(),
        reference="PAYFIP 1",
    )
    client.force_login(parent)

    page = told(client.get(url(payment)))

    assert "par prélèvement, en ligne" in page
    assert "Ce prélèvement est reçu sous réserve de son encaissement" in page


def test_a_cheque_that_bounced(client, parent, family, make_issued, pay, accountant):
    cheque = pay(make_issued(family=family), means=PaymentMeans.CHEQUE)
    [bounce] = services.bounce(
        cheque, paid_on=timezone.localdate(), reference="REJET 1", actor=accountant
    )
    client.force_login(parent)

    of_the_cheque, of_the_bounce = told(client.get(url(cheque))), told(client.get(url(bounce)))

    assert f"La banque a rejeté ce chèque le {TODAY}\u00a0: ce reçu ne vaut plus paiement." in (
        of_the_cheque
    )
    assert "sous réserve" not in of_the_cheque
    assert "Paiement rejeté" in of_the_bounce
    assert (
        f"Le {TODAY}, la banque a rejeté le chèque de 38,00\u00a0€ reçu le {TODAY} pour la facture"
        f" {cheque.invoice.reference}\u00a0: cette somme est de nouveau à payer."
    ) in of_the_bounce


def test_a_refund(client, parent, family, make_issued, pay, accountant):
    invoice = make_issued(family=family)
    pay(invoice, "48.00")
    refund = services.refund(
        invoice,
        amount=Decimal(10),
        means=PaymentMeans.TRANSFER,
        paid_on=timezone.localdate(),
        reference="REMB 1",
        actor=accountant,
    )
    client.force_login(parent)

    page = told(client.get(url(refund)))

    assert "Remboursement Télécharger" in page
    assert (
        f"Nous avons remboursé 10,00\u00a0€ par virement le {TODAY}\u00a0: cette somme avait été"
        f" reçue en trop pour la facture {invoice.reference}."
    ) in page
    assert "Montant 10,00\u00a0€" in page


def test_what_is_carried_over_is_told_alike_from_either_invoice(
    client, parent, family, make_issued, pay, accountant
):
    source, target = make_issued(family=family), make_issued(family=family)
    pay(source, "48.00")
    given = services.carry_over(source, target, amount=Decimal(10), actor=accountant)
    client.force_login(parent)

    for payment in (given, given.counterpart):
        assert (
            f"Le {TODAY}, 10,00\u00a0€ reçus en trop pour la facture {source} ont été reportés sur"
            f" la facture {target}."
        ) in told(client.get(url(payment)))


def test_the_pdf_says_what_the_page_says(client, parent, family, make_issued, pay):
    payment = pay(make_issued(family=family), means=PaymentMeans.CHEQUE)
    client.force_login(parent)

    page, response = client.get(url(payment)), client.get(url(payment, "receipt_pdf"))

    (text,) = texts_of(response.content)
    receipt = page.context["receipt"]
    said = [receipt.title, *receipt.sender, *receipt.recipient, receipt.sentence, receipt.date]
    said += [part for fact in receipt.facts for part in fact] + receipt.remarks
    assert [part for part in said if "".join(part.split()) not in text] == []


def test_the_pdf_is_an_accessible_file_that_is_kept_nowhere(
    client, parent, family, make_issued, pay
):
    payment = pay(make_issued(family=family))
    client.force_login(parent)

    response = client.get(url(payment, "receipt_pdf"))

    name = f"recu-{payment.invoice.reference}-{payment.pk}.pdf"
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Cache-Control"] == "no-store"
    assert "sandbox" in response["Content-Security-Policy"]
    with pikepdf.open(io.BytesIO(response.content)) as document:
        assert str(document.Root.Lang) == "fr-FR"
        assert str(document.docinfo.Title) == "Reçu de paiement"
        assert b"<pdfuaid:part>1</pdfuaid:part>" in document.Root.Metadata.read_bytes()


def test_a_pdf_that_fails_leads_back_to_the_page(
    client, parent, family, make_issued, pay, monkeypatch
):
    def fail(receipt):
        raise ValidationError("Le PDF n'a pas pu être fait.", code="pdf")

    monkeypatch.setattr(views, "print_receipt", fail)
    payment = pay(make_issued(family=family))
    client.force_login(parent)

    response = client.get(url(payment, "receipt_pdf"), follow=True)

    assert response.redirect_chain == [(url(payment), 302)]
    assert "pas pu être fait." in response.text


@pytest.mark.parametrize("view", ["receipt", "receipt_pdf"])
class TestNotFound:
    def test_of_another_household(self, client, stranger, family, make_issued, pay, view):
        client.force_login(stranger)

        assert client.get(url(pay(make_issued(family=family)), view)).status_code == 404

    def test_of_the_child_s_other_household(self, client, parent, family, make_issued, pay, view):
        other = GuardianFactory()
        CustodyFactory(student=StudentFactory(family=family), family=other.family, rank=2)
        theirs = pay(make_issued(family=other.family))
        client.force_login(parent)

        assert client.get(url(theirs, view)).status_code == 404

    def test_of_an_invoice_to_be_published(self, client, parent, family, make_issued, pay, view):
        tomorrow = timezone.localdate() + dt.timedelta(days=1)
        payment = pay(make_issued(family=family, published_on=tomorrow))
        client.force_login(parent)

        assert client.get(url(payment, view)).status_code == 404

    def test_of_nobody(self, client, parent, view):
        client.force_login(parent)

        assert client.get(reverse(f"billing:{view}", args=[999])).status_code == 404

    def test_only_reads(self, client, parent, family, make_issued, pay, view):
        client.force_login(parent)

        assert client.post(url(pay(make_issued(family=family)), view)).status_code == 405


def test_queries(client, parent, family, make_issued, pay, django_assert_num_queries):
    payment = pay(make_issued(family=family))
    client.force_login(parent)

    with django_assert_num_queries(4):  # session, user, establishment, payment
        client.get(url(payment))
