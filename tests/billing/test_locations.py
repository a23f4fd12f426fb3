import pytest
from django.urls import reverse

from billing.enums import InvoiceKind
from tests.billing.pages import invoices_of, words

URL = "/extranet/facturation/locations/"


def test_address():
    assert reverse("billing:locations") == URL


def test_shows_the_rentals_only(client, parent, family, make_issued):
    rental = make_issued(family=family, kind=InvoiceKind.LOCATION)
    make_issued(family=family)
    client.force_login(parent)

    assert invoices_of(client.get(URL)) == [rental]


def test_nothing_yet(client, parent):
    client.force_login(parent)

    assert "Aucune facture pour le moment." in words(client.get(URL))


def test_of_another_household_nothing(client, stranger, family, make_issued):
    make_issued(family=family, kind=InvoiceKind.LOCATION)
    client.force_login(stranger)

    assert invoices_of(client.get(URL)) == []


def test_only_reads(client, parent):
    client.force_login(parent)

    assert client.post(URL).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_issued, count, django_assert_num_queries):
    for _ in range(count):
        make_issued(family=family, kind=InvoiceKind.LOCATION)
    client.force_login(parent)

    with django_assert_num_queries(
        7
    ):  # session, user, establishment, rentals, and three of invoices
        client.get(URL)
