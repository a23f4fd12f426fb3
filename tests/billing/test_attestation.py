"""« Attestation de paiement »: what was paid in a year and kept, child by child."""

import datetime as dt
import io
from decimal import Decimal

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from billing import services, views
from billing.attestations import shares_of
from billing.enums import PaymentMeans
from billing.models import Invoice, Payment
from tests.billing.pages import words
from tests.factories import (
    CustodyFactory,
    EstablishmentFactory,
    GuardianFactory,
    InvoiceFactory,
    InvoiceLineFactory,
    SchoolYearFactory,
    StudentFactory,
)
from tests.pdfs import texts_of

YEAR = timezone.localdate().year


def url(kind="annee-civile", year=YEAR, view="attestation"):
    return reverse(f"billing:{view}", args=[kind, year])


@pytest.fixture
def bill(family, accountant, establishment):
    """`bill((louise, "Danse", "100"), (None, "Frais", "20"))`: an issued invoice."""

    def bill(*lines, **kwargs):
        kwargs.setdefault("family", family)
        draft = InvoiceFactory(**{"establishment": establishment, **kwargs})
        for position, (student, label, amount) in enumerate(lines, start=1):
            InvoiceLineFactory(
                invoice=draft, student=student, label=label, amount=amount, position=position
            )
        return services.issue(draft, actor=accountant)

    return bill


@pytest.fixture
def pay(accountant):
    def pay(invoice, amount, means=PaymentMeans.CARD, paid_on=None):
        return services.record_payment(
            invoice,
            amount=Decimal(amount),
            means=means,
            paid_on=paid_on or timezone.localdate(),
            reference=f"ENC {Payment.objects.count() + 1}",
            actor=accountant,
            overpaid=True,
        )

    return pay


@pytest.fixture
def attest(client, parent):
    """The attestation of the page, None if it is not found."""

    def attest(*args):
        client.force_login(parent)
        response = client.get(url(*args))
        return response.context["attestation"] if response.status_code == 200 else None

    return attest


def rows(attestation):
    return [(row.who, row.activities, row.amount) for row in attestation.rows]


@pytest.fixture
def zoe(family):
    return StudentFactory(first_name="Zoé", family=family)


def test_address():
    assert url(year=2027) == "/extranet/facturation/attestations/annee-civile/2027/"
    assert url("annee-scolaire", 2026, "attestation_pdf") == (
        "/extranet/facturation/attestations/annee-scolaire/2026/pdf/"
    )


def test_who_which_child_what_and_how_much(client, parent, bill, pay, student, zoe):
    invoice = bill(
        (None, "Frais de dossier", "38"),
        (student, "Cursus musical", "246"),
        (zoe, "Danse", "174"),
        (zoe, "Réduction", "-17.40"),
    )
    pay(invoice, "440.60")
    client.force_login(parent)

    page = words(client.get(url()))

    assert "Attestation de paiement" in page
    assert f"Année civile {YEAR}" in page
    assert "Conservatoire 6 rue de la Musique 59200 Tourcoing" in page
    assert "Claire Martin 12 rue des Anges 59200 Tourcoing" in page
    assert (
        f"Conservatoire a reçu 440,60\u00a0€ du foyer de Claire Martin, entre le 1er\u00a0janvier"
        f" {YEAR} et le"
    ) in page
    assert (
        f"{student} Cursus musical 246,00\u00a0€ {zoe} Danse 156,60\u00a0€"
        " Foyer Frais de dossier 38,00\u00a0€ Total 440,60\u00a0€"
    ) in page


def test_the_same_child_in_two_invoices_is_one_row(attest, bill, pay, student):
    for label in ("Cursus musical", "Orchestre"):
        pay(bill((student, label, "100")), "100")

    assert rows(attest()) == [(str(student), ["Cursus musical", "Orchestre"], "200,00\u00a0€")]


def test_a_part_paid_is_shared_out_to_the_cent(attest, bill, pay, student, zoe):
    invoice = bill((student, "Danse", "100"), (zoe, "Danse", "100"), (None, "Frais", "100"))
    pay(invoice, "100")

    attestation = attest()

    assert [row.amount for row in attestation.rows] == [
        *["33,33\u00a0€", "33,33\u00a0€", "33,34\u00a0€"]
    ]
    assert attestation.total == "100,00\u00a0€"


def test_paid_in_many_times_each_has_his_lines_in_the_end(bill, pay, student, zoe):
    invoice = bill((student, "Danse", "33.33"), (zoe, "Danse", "66.68"), (None, "Frais", "0.02"))
    for amount in ["10.01", "0.01", "70", "20.01"]:
        pay(invoice, amount)

    totals = {}
    for share in shares_of(Invoice.objects.all()):
        totals[share.student] = totals.get(share.student, 0) + share.amount

    assert totals == {student: Decimal("33.33"), zoe: Decimal("66.68"), None: Decimal("0.02")}


def test_the_school_year_counts_what_is_for_it_and_the_calendar_year_what_came_in_it(
    attest, bill, pay, student
):
    former = SchoolYearFactory(offset=-1)
    pay(bill((student, "Danse", "100"), school_year=former), "100")
    pay(bill((student, "Danse", "50")), "50", paid_on=dt.date(YEAR - 1, 12, 31))

    assert attest("annee-scolaire", former.starts_on.year).total == "100,00\u00a0€"
    assert attest("annee-scolaire", former.starts_on.year + 1).total == "50,00\u00a0€"
    assert attest("annee-civile", YEAR).total == "100,00\u00a0€"
    assert attest("annee-civile", YEAR - 1).total == "50,00\u00a0€"


def test_the_sentence_of_a_school_year(attest, bill, pay, student):
    invoice = bill((student, "Danse", "50"))
    pay(invoice, "50")

    attestation = attest("annee-scolaire", invoice.school_year.starts_on.year)

    assert attestation.sentence == (
        "Conservatoire a reçu 50,00\u00a0€ du foyer de Claire Martin, pour les activités de"
        f" l'année scolaire {invoice.school_year}."
    )


def test_what_bounced_is_not_counted(attest, bill, pay, student, accountant):
    invoice = bill((student, "Danse", "50"))
    cheque = pay(invoice, "50", PaymentMeans.CHEQUE)
    assert attest().remarks[1].startswith("Les chèques et les prélèvements sont comptés sous")

    services.bounce(cheque, paid_on=timezone.localdate(), reference="R 1", actor=accountant)

    assert attest() is None


def test_what_was_refunded_is_not_counted(attest, bill, pay, student, accountant):
    invoice = bill((student, "Danse", "50"))
    pay(invoice, "50")
    lines = [{"label": "Danse", "student": student, "amount": Decimal(30)}]
    services.credit(invoice, lines=lines, reason="Arrêt", actor=accountant)
    services.refund(
        invoice,
        amount=Decimal(30),
        means=PaymentMeans.TRANSFER,
        paid_on=timezone.localdate(),
        reference="REMB 1",
        actor=accountant,
    )

    assert attest().total == "20,00\u00a0€"


def test_what_was_received_in_excess_is_not_counted(attest, bill, pay, student):
    pay(bill((student, "Danse", "50")), "60")

    assert attest().total == "50,00\u00a0€"


def test_what_was_carried_over_is_counted_once(attest, bill, pay, student, accountant):
    source, target = bill((student, "Danse", "50")), bill((student, "Chant", "30"))
    pay(source, "60")
    services.carry_over(source, target, amount=Decimal(10), actor=accountant)

    assert attest().total == "60,00\u00a0€"


def test_nothing_of_a_cancelled_invoice(attest, bill, pay, student, accountant):
    invoice = bill((student, "Danse", "50"))
    pay(invoice, "50")
    services.cancel(invoice, reason="Doublon", actor=accountant)

    assert attest() is None


def test_a_credit_note_of_one_child_leaves_the_other_s(attest, bill, pay, student, zoe, accountant):
    invoice = bill((student, "Danse", "50"), (zoe, "Danse", "50"))
    lines = [{"label": "Danse", "student": student, "amount": Decimal(50)}]
    services.credit(invoice, lines=lines, reason="Arrêt", actor=accountant)
    pay(invoice, "50")

    assert rows(attest()) == [(str(zoe), ["Danse"], "50,00\u00a0€")]


def test_neither_another_establishment_nor_another_household(attest, bill, pay, student, stranger):
    pay(bill((student, "Danse", "50")), "50")
    pay(bill((student, "Danse", "50"), establishment=EstablishmentFactory(name="Annexe")), "50")
    pay(bill((None, "Danse", "50"), family=stranger.guardian.family), "50")

    assert attest().total == "50,00\u00a0€"


def test_each_household_of_a_child_has_its_own(client, bill, pay, parent, family):
    other = GuardianFactory(last_name="Durand")
    child = StudentFactory(family=family)
    CustodyFactory(student=child, family=other.family, rank=2)
    pay(bill((child, "Danse", "50")), "50")
    pay(bill((child, "Danse", "70"), family=other.family), "70")

    for user, total in [(parent, "50,00\u00a0€"), (other.user, "70,00\u00a0€")]:
        client.force_login(user)
        assert client.get(url()).context["attestation"].total == total


@pytest.mark.parametrize("view", ["attestation", "attestation_pdf"])
@pytest.mark.parametrize(
    ("kind", "year"),
    [("annee-civile", YEAR - 5), ("annee-lunaire", YEAR), ("annee-civile", 10**40)],
)
def test_nothing_in_that_period_is_not_found(client, parent, bill, pay, student, view, kind, year):
    pay(bill((student, "Danse", "50")), "50")
    client.force_login(parent)

    assert client.get(url(kind, year, view)).status_code == 404


@pytest.mark.parametrize("view", ["attestation", "attestation_pdf"])
def test_only_reads(client, parent, view):
    client.force_login(parent)

    assert client.post(url(view=view)).status_code == 405


def test_the_pdf_says_what_the_page_says(client, parent, bill, pay, student, zoe):
    pay(bill((student, "Danse – cycle 2", "50"), (zoe, "#eval(1) *x* $y$", "20")), "70")
    client.force_login(parent)

    page, response = client.get(url()), client.get(url(view="attestation_pdf"))

    (text,) = texts_of(response.content)
    one = page.context["attestation"]
    said = [one.title, *one.sender, *one.recipient, one.sentence, one.total, *one.remarks]
    said += [one.date, *one.signature, one.period[1:]]
    said += [part for row in one.rows for part in (row.who, *row.activities, row.amount)]
    assert [part for part in said if "".join(part.split()) not in text] == []


def test_the_pdf_is_an_accessible_file(client, parent, bill, pay, student):
    pay(bill((student, "Danse", "50")), "50")
    client.force_login(parent)

    response = client.get(url(view="attestation_pdf"))

    name = f"attestation-annee-civile-{YEAR}.pdf"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Cache-Control"] == "no-store"
    with pikepdf.open(io.BytesIO(response.content)) as document:
        assert document.Root.MarkInfo.Marked
        assert str(document.docinfo.Title) == "Attestation de paiement"
        assert b"<pdfuaid:part>1</pdfuaid:part>" in document.Root.Metadata.read_bytes()


def test_a_pdf_that_fails_leads_back_to_the_page(client, parent, bill, pay, student, monkeypatch):
    def fail(attestation):
        raise ValidationError("Le PDF n'a pas pu être fait.", code="pdf")

    monkeypatch.setattr(views, "print_attestation", fail)
    pay(bill((student, "Danse", "50")), "50")
    client.force_login(parent)

    response = client.get(url(view="attestation_pdf"), follow=True)

    assert response.redirect_chain == [(url(), 302)]
    assert "pas pu être fait." in response.text


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, bill, pay, family, count, django_assert_num_queries):
    for _ in range(count):
        pay(bill((StudentFactory(family=family), "Danse", "50"), (None, "Frais", "9")), "59")
    client.force_login(parent)

    # Session, user, establishment, invoices, lines, students, payments, guardians.
    with django_assert_num_queries(8):
        client.get(url())
