"""The clauses of a contract: the establishment's on the day when the rental is begun."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.urls import reverse

from billing.instruments import rentals
from billing.instruments.contracts import contract_of
from billing.instruments.terms import PROPOSED, terms_of
from billing.models import Rental, RentalTerms
from tests.factories import (
    EstablishmentFactory,
    InstrumentFactory,
    RentalFactory,
    RentalTermsFactory,
    SchoolYearFactory,
)


@pytest.fixture
def reserve(family, student, accountant, today):
    """Begins a rental of another instrument."""
    year = SchoolYearFactory(starts_on=today - dt.timedelta(days=60))

    def begin(**kwargs):
        return rentals.reserve(
            InstrumentFactory(**kwargs),
            student=student,
            family=family,
            starts_on=today,
            ends_on=min(today + dt.timedelta(days=30), year.ends_on),
            rent=Decimal(150),
            months=10,
            deposit=Decimal(0),
            actor=accountant,
        )

    return begin


def clauses(rental):
    return contract_of(Rental.objects.for_contract().get(pk=rental.pk)).clauses


def test_the_first_rental_writes_what_is_proposed(reserve, establishment):
    rental = reserve(establishment=establishment)

    assert rental.terms == RentalTerms.objects.get(establishment=establishment, version="1")
    assert clauses(rental) == PROPOSED
    assert terms_of(establishment) == rental.terms  # written once


def test_a_new_version_is_the_next_rentals_alone(reserve, establishment):
    before = reserve(establishment=establishment)
    RentalTerms.objects.create(
        establishment=establishment, version="2", text="Une clause.\r\n \r\nUne\r\nautre.\n\n\n"
    )

    after = reserve(establishment=establishment)

    assert clauses(before) == PROPOSED
    assert clauses(after) == ["Une clause.", "Une autre."]


def test_each_establishment_has_its_own(reserve, establishment):
    RentalTermsFactory(establishment=EstablishmentFactory(name="Annexe"), text="D'ailleurs.")

    assert clauses(reserve(establishment=establishment)) == PROPOSED


def test_the_database_refuses_one_version_twice(establishment):
    RentalTermsFactory(establishment=establishment)

    with pytest.raises(IntegrityError):
        RentalTerms.objects.create(establishment=establishment, version="1", text="x")


def test_the_regie_writes_a_version_and_changes_none_that_serves(client, accountant, establishment):
    client.force_login(accountant)
    add = reverse("admin:billing_rentalterms_add")
    proposed = client.get(add).context["adminform"].form.initial["text"]
    assert proposed.split("\n\n") == PROPOSED
    client.post(add, {"establishment": establishment.pk, "version": "2027", "text": "Une clause."})
    terms = RentalTerms.objects.get()
    change = reverse("admin:billing_rentalterms_change", args=[terms.pk])
    typed = {"establishment": establishment.pk, "version": "2027"}

    assert client.get(add).context["adminform"].form.initial["text"] == "Une clause."
    assert client.post(change, typed | {"text": "Deux."}).status_code == 302
    RentalFactory(instrument__establishment=establishment, terms=terms)
    assert client.post(change, typed | {"text": "Trois."}).status_code == 403

    terms.refresh_from_db()
    assert terms.text == "Deux."
