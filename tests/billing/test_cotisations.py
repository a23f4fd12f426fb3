import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from billing import services
from billing.enums import InvoiceKind
from tests.billing.due_dates import fall_due
from tests.billing.pages import words
from tests.factories import (
    CustodyFactory,
    EstablishmentFactory,
    FamilyFactory,
    GuardianFactory,
    InvoiceLineFactory,
    StudentFactory,
)

URL = "/extranet/facturation/cotisations/"


def test_address():
    assert reverse("billing:cotisations") == URL


def test_index_leads_to_the_first_tab(client, parent):
    client.force_login(parent)

    assert client.get(reverse("billing:index")).url == URL


def test_anonymous_signs_in_first(client):
    assert client.get(URL).status_code == 302


def test_only_reads(client, parent):
    client.force_login(parent)

    assert client.post(URL).status_code == 405


def test_shows_what_is_owed_and_why(client, parent, family, make_issued, accountant):
    invoice = make_issued(family=family)
    invoice.lines.update(explanation="Par foyer.")
    services.record_payment(
        invoice,
        amount=Decimal(10),
        means="cash",
        paid_on=timezone.localdate(),
        reference="Q 1",
        actor=accountant,
    )
    client.force_login(parent)

    page = words(client.get(URL))

    due_on = date_format(invoice.due_on, "j\u00a0F Y")
    assert "Reste à payer&nbsp;: 28,00\u00a0€" in page
    assert f"Facture {invoice.reference} à payer" in page
    assert f"Année scolaire {invoice.school_year}." in page
    assert f"À payer jusqu'au {due_on}." in page
    assert (
        "Frais de dossier Par foyer. 38,00\u00a0€ "
        "Total 38,00\u00a0€ Payé 10,00\u00a0€ Reste à payer 28,00\u00a0€"
    ) in page


@pytest.mark.parametrize(
    ("paid", "days", "state"), [(0, 1, "à payer"), (0, -1, "en retard"), (38, -1, "payée")]
)
def test_state_in_words(client, parent, family, make_issued, accountant, paid, days, state):
    invoice = make_issued(family=family)
    fall_due(timezone.localdate() + dt.timedelta(days=days))
    if paid:
        services.record_payment(
            invoice,
            amount=Decimal(paid),
            means="card",
            paid_on=timezone.localdate(),
            reference="1",
            actor=accountant,
        )
    client.force_login(parent)

    page = words(client.get(URL))

    assert f"Facture {invoice.reference} {state} Année" in page
    assert ("À payer jusqu'au" in page) == (not paid)


def test_nothing_yet(client, parent):
    client.force_login(parent)

    assert "Aucune facture pour le moment." in words(client.get(URL))


def test_neither_drafts_nor_locations_nor_other_establishments(
    client, parent, family, make_issued, accountant
):
    mine = make_issued(family=family)
    make_issued(family=family, kind=InvoiceKind.LOCATION)
    elsewhere = InvoiceLineFactory(
        invoice__family=family, invoice__establishment=EstablishmentFactory(name="Annexe")
    ).invoice
    services.issue(elsewhere, actor=accountant)
    InvoiceLineFactory(invoice__family=family)
    client.force_login(parent)

    assert client.get(URL).context["invoices"] == [mine]


def test_each_household_of_a_child_sees_its_own(client, parent, family, make_issued):
    other = GuardianFactory(family=FamilyFactory(name="Durand"))
    child = StudentFactory(family=family)
    CustodyFactory(student=child, family=other.family, rank=2)
    mine, theirs = make_issued(family=family), make_issued(family=other.family)

    for user, seen in [(parent, [mine]), (other.user, [theirs])]:
        client.force_login(user)
        assert client.get(URL).context["invoices"] == seen


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_issued, count, django_assert_num_queries):
    for _ in range(count):
        make_issued(amounts=["38", "12.50"], family=family)
    client.force_login(parent)

    with django_assert_num_queries(6):  # session, user, establishment, invoices, lines, instalments
        response = client.get(URL)

    assert len(response.context["invoices"]) == count
