"""An invoice and a credit note as files: tagged, whole, the household's own."""

import datetime as dt
from decimal import Decimal

import pytest
import typst
from django.urls import reverse
from django.utils import timezone

from billing import printing, services
from tests.factories import (
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    StudentFactory,
)
from tests.pdfs import texts_of

pytestmark = pytest.mark.django_db


def url(invoice):
    return reverse("billing:invoice_pdf", args=[invoice.pk])


@pytest.fixture
def invoice(family, parent, establishment, accountant):
    """60 lines, six instalments, names that are not ASCII."""
    GuardianFactory(family=family, first_name="Phương", last_name="Nguyễn-O'Brien")
    student = StudentFactory(family=family, first_name="Thị Hồng", last_name="Le Goff-d'Aux")
    draft = InvoiceFactory(establishment=establishment, family=family, parts=6)
    for number in range(60):
        InvoiceLineFactory(
            invoice=draft,
            student=student if number % 2 else None,
            label=f"Cours {number + 1} #strong[gras] *étoile* $x$",
            explanation="Tarif résident, QF 743.",
            amount="20.58",
        )
    return services.issue(draft, actor=accountant)


def test_everything_stands_on_it(invoice):
    pdf = printing.invoice_pdf(invoice)
    pages = texts_of(pdf)
    text = "".join(pages)

    assert len(pages) == 4
    for words in (
        f"Facture {invoice.reference}",
        "Nguyễn-O'Brien",
        "12 rue des Anges",
        "Thị Hồng Cours 60 #strong[gras] *étoile* $x$",
        "Tarif résident, QF 743.",
        "1\u202f234,80\u00a0€",
        "À payer en 6 fois",
        "205,80\u00a0€",
        "page 4 sur 4",
        "En ligne, jusqu'au",
    ):
        assert "".join(words.split()) in text, (words, pages)
    assert all("Libellé" in page for page in pages if "Tarifrésident" in page)


def test_it_is_tagged_for_whoever_does_not_see_it(invoice):
    pdf = printing.invoice_pdf(invoice)

    assert b"/StructTreeRoot" in pdf
    assert b"pdfuaid:part" in pdf
    assert b"/Lang" in pdf


def test_the_page_leads_to_the_file(client, parent, invoice):
    client.force_login(parent)
    assert url(invoice) in client.get(reverse("billing:invoice", args=[invoice.pk])).text

    response = client.get(url(invoice))

    assert response["Content-Type"] == "application/pdf"
    assert (
        response["Content-Disposition"] == f'attachment; filename="facture-{invoice.reference}.pdf"'
    )
    assert "no-store" in response["Cache-Control"]
    assert response.content.startswith(b"%PDF-")


def test_a_credit_note_says_what_and_why(client, parent, invoice, accountant):
    lines = [{"label": "Cours non assuré", "amount": Decimal("20.58")}]
    note = services.credit(invoice, lines=lines, reason="Professeur absent.", actor=accountant)
    client.force_login(parent)

    text = "".join(texts_of(printing.invoice_pdf(note)))
    assert f"Avoirsurlafacture{invoice.reference}" in text
    assert "Motif:Professeurabsent." in text
    assert "\u221220,58€" in text
    assert "Àpayer" not in text
    assert f'filename="avoir-{note.reference}.pdf"' in client.get(url(note))["Content-Disposition"]
    credited = "".join(texts_of(printing.invoice_pdf(invoice)))
    assert f"Avoir{note.reference}" in credited


def test_not_before_it_is_published_nor_to_another_household(
    client, parent, family, stranger, invoice, accountant
):
    day = timezone.localdate() + dt.timedelta(days=2)
    later = services.issue(
        InvoiceLineFactory(invoice__family=family, invoice__published_on=day).invoice,
        actor=accountant,
    )
    client.force_login(parent)
    draft = InvoiceLineFactory(invoice__family=family).invoice
    assert [client.get(url(each)).status_code for each in (later, draft)] == [404, 404]

    client.force_login(stranger)
    assert client.get(url(invoice)).status_code == 404


def test_the_regie_takes_the_same_file(client, accountant, invoice):
    client.force_login(accountant)
    page = reverse("admin:billing_invoice_pdf", args=[invoice.pk])
    assert page in client.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).text

    assert client.get(page).content.startswith(b"%PDF-")

    draft = InvoiceLineFactory().invoice
    elsewhere = services.issue(
        InvoiceLineFactory(
            invoice__establishment=EstablishmentFactory(name="Annexe"),
            invoice__family=FamilyFactory(),
        ).invoice,
        actor=accountant,
    )
    for other in (draft, elsewhere):
        assert client.get(reverse("admin:billing_invoice_pdf", args=[other.pk])).status_code == 404


def test_a_pdf_that_cannot_be_made_is_a_sentence(client, parent, invoice, monkeypatch):
    def fail(*args, **kwargs):
        raise typst.TypstError("no")

    monkeypatch.setattr(typst, "compile", fail)
    client.force_login(parent)

    response = client.get(url(invoice))

    assert (response.status_code, response.url) == (
        302,
        reverse("billing:invoice", args=[invoice.pk]),
    )
