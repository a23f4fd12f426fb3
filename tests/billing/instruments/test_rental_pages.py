"""What a household sees of the instruments that it rents; the student's other one sees nothing."""

import datetime as dt

import pytest
from django.urls import reverse

from billing.instruments import deposits, rentals
from billing.instruments.enums import Condition
from billing.models import Rental
from tests.billing.pages import words
from tests.factories import CustodyFactory, EstablishmentFactory, GuardianFactory, RentalFactory

LOCATIONS = "/extranet/facturation/locations/"


@pytest.fixture
def rental(make_rental, family, student):
    return make_rental(
        handed_over=True,
        deposit_held=True,
        family=family,
        student=student,
        instrument__serial_number="SN-4411",
        instrument__inventory_number="V-012",
        instrument__value="420",
    )


def test_addresses():
    assert reverse("billing:rental", args=[7]) == f"{LOCATIONS}7/"
    assert reverse("billing:rental_contract", args=[7]) == f"{LOCATIONS}7/contrat.pdf"


def test_the_list_says_what_until_when_and_the_deposit(client, parent, rental):
    client.force_login(parent)

    page = words(client.get(LOCATIONS))

    assert "Violon 3/4 Stentor en cours" in page
    assert "Numéro de série SN-4411 À rendre au plus tard le " in page
    assert "Dépôt de garantie 200,00\u00a0€, reçu" in page
    assert "Assurance MAIF, jusqu'au " in page
    assert f'href="{LOCATIONS}{rental.pk}/"' in client.get(LOCATIONS).text


def test_it_asks_for_the_insurance_before_and_again(client, parent, rental, make_rental, today):
    client.force_login(parent)
    assert "Votre assurance" not in words(client.get(LOCATIONS))

    Rental.objects.filter(pk=rental.pk).update(
        insured_until=today + dt.timedelta(days=10), ends_on=today + dt.timedelta(days=20)
    )
    assert "Votre assurance se termine le" in words(client.get(LOCATIONS))
    Rental.objects.filter(pk=rental.pk).update(insured_until=today - dt.timedelta(days=1))
    assert "Votre assurance est terminée depuis le" in words(client.get(LOCATIONS))

    make_rental(family=rental.family, insured=False)
    assert "obligatoire avant de prendre l'instrument" in words(client.get(LOCATIONS))


def test_it_says_that_the_instrument_is_late(client, parent, family, make_overdue):
    late = make_overdue(family=family)
    client.force_login(parent)

    shown = "Cet instrument devait être rendu le" in words(client.get(LOCATIONS))

    assert shown == late.is_overdue


def test_what_is_over_leaves_the_list_and_keeps_its_contract(
    client, parent, rental, accountant, today
):
    rentals.take_back(rental, on=today, condition=Condition.GOOD, actor=accountant)
    deposits.give_back(rental, on=today, actor=accountant)
    client.force_login(parent)

    assert client.get(LOCATIONS).context["rentals"] == []
    page = words(client.get(f"{LOCATIONS}{rental.pk}/"))
    assert "Dépôt de garantie 200,00\u00a0€, rendu le" in page
    assert "terminée" in page


def test_the_contract_says_what_was_agreed(client, parent, rental):
    client.force_login(parent)

    page = words(client.get(f"{LOCATIONS}{rental.pk}/"))

    assert page.startswith(f"Toutes les locations Contrat de location n°\u00a0{rental.pk}")
    assert "Claire Martin 12 rue des Anges 59200 Tourcoing" in page
    assert "Valeur à assurer 420,00\u00a0€" in page
    assert "année entière 150,00\u00a0€" in page
    assert f"Durée {rental.period}" in page
    assert "L&#x27;instrument est assuré par le foyer." in page


def test_the_pdf_is_tagged_and_private(client, parent, rental):
    client.force_login(parent)

    response = client.get(f"{LOCATIONS}{rental.pk}/contrat.pdf")

    assert response.content.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in response.content
    assert response["Content-Disposition"] == f'attachment; filename="contrat-{rental.pk}.pdf"'
    assert response["Cache-Control"] == "no-store"


def test_a_cancelled_one_is_not_found(client, parent, family, make_rental, accountant):
    rental = rentals.cancel(make_rental(family=family), reason="x", actor=accountant)
    client.force_login(parent)

    assert client.get(LOCATIONS).context["rentals"] == []
    assert client.get(f"{LOCATIONS}{rental.pk}/").status_code == 404


@pytest.mark.parametrize("who", ["stranger", "other household", "teacher"])
def test_of_others_nothing_is_found(client, request, rental, student, who):
    if who == "other household":
        other = GuardianFactory(first_name="Paul")
        CustodyFactory(student=student, family=other.family, rank=2)
        client.force_login(other.user)
    else:
        person = request.getfixturevalue(who)
        client.force_login(getattr(person, "user", person))

    assert client.get(f"{LOCATIONS}{rental.pk}/").status_code == 404
    assert client.get(f"{LOCATIONS}{rental.pk}/contrat.pdf").status_code == 404
    assert client.get(LOCATIONS).context["rentals"] == []


def test_the_list_is_that_of_the_site(client, parent, family):
    RentalFactory(family=family, instrument__establishment=EstablishmentFactory(name="Annexe"))
    client.force_login(parent)

    assert client.get(LOCATIONS).context["rentals"] == []


@pytest.mark.parametrize("count", [1, 3])
def test_queries(client, parent, family, make_rental, count, django_assert_num_queries):
    for _ in range(count):
        make_rental(handed_over=True, family=family)
    client.force_login(parent)

    with django_assert_num_queries(5):  # session, user, establishment, rentals, invoices
        client.get(LOCATIONS)
