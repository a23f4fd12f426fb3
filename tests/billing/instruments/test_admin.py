"""The pages of the park and of the rentals, as the régie uses them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.enums import InvoiceKind
from billing.instruments import park
from billing.instruments.enums import Availability, RentalState
from billing.models import Instrument, Invoice, Rental
from tests.factories import (
    CustodyFactory,
    EnrolmentFactory,
    EstablishmentFactory,
    FamilyFactory,
    InstrumentFactory,
    InstrumentKindFactory,
    RentalFactory,
    SchoolYearFactory,
    StudentFactory,
)

PARK = reverse("admin:billing_instrument_changelist")
COUNTS = ["TOTAL", "INITIAL"]
RENTALS = reverse("admin:billing_rental_changelist")


@pytest.fixture(autouse=True)
def _signed_in(client, accountant):
    client.force_login(accountant)


def words(response):
    return " ".join(response.text.split())


def step(rental, word):
    return reverse("admin:billing_rental_step", args=[rental.pk, word])


def instrument_step(instrument, word):
    return reverse("admin:billing_instrument_step", args=[instrument.pk, word])


def page(row):
    return reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


def offered(client, row):
    """The words of the steps that its page offers."""
    return [word for word, _ in client.get(page(row)).context["steps"]]


class TestPark:
    @pytest.mark.parametrize("count", [1, 3])
    def test_its_queries_do_not_grow_with_the_rows(self, client, make_rental, count, count_queries):
        for _ in range(count):
            make_rental(handed_over=True)

        made = count_queries(lambda: client.get(PARK))

        assert made == 10

    def test_says_who_has_what(self, client, make_rental):
        rental = make_rental(handed_over=True)

        shown = words(client.get(PARK))

        assert '<span class="badge text-bg-secondary">Loué</span>' in shown
        assert f'<a href="{page(rental)}">{rental.student}</a>, jusqu\'au' in shown

    @pytest.mark.parametrize("asked", Availability.values)
    def test_filters_by_where_it_is(self, client, make_rental, make_overdue, today, asked):
        in_repair = InstrumentFactory()
        park.send_to_repair(in_repair, starts_on=today, ends_on=None, workshop="", reason="Âme")
        expected = {
            "free": InstrumentFactory(),
            "reserved": make_rental().instrument,
            "rented": make_rental(handed_over=True).instrument,
            "in_repair": in_repair,
            "retired": park.retire(InstrumentFactory(), on=today),
        }
        late = make_overdue()
        if late.is_overdue:  # but on the first day of a school year
            expected["overdue"] = late.instrument

        listed = client.get(PARK, {"disponibilite": asked}).context["cl"].queryset

        assert list(listed) == [expected[asked]] if asked in expected else []

    @pytest.mark.parametrize("search", ["stradivarius", "VÏOLON", "sn-4411", "inv-007", "strad 44"])
    def test_searches(self, client, search):
        found = InstrumentFactory(
            brand="Stradivarius", serial_number="SN-4411", inventory_number="INV-007"
        )
        InstrumentFactory(kind=InstrumentKindFactory(name="Cor"), inventory_number="C-1")

        assert list(client.get(PARK, {"q": search}).context["cl"].queryset) == [found]

    def test_saves_only_what_was_changed(self, client, today, establishment):
        """The page was open while a colleague retired it."""
        instrument = InstrumentFactory(inventory_number="V-1")
        data = {
            **{"establishment": establishment.pk, "inventory_number": "V-1"},
            **{"kind": instrument.kind_id, "size": "1/2", "brand": "Stentor", "condition": "good"},
            "value": "1 234,50",
            **{f"{rows}-{name}_FORMS": 0 for rows in ("rentals", "repairs") for name in COUNTS},
        }
        park.retire(instrument, on=today)

        response = client.post(page(instrument), data)

        assert response.status_code == 302
        instrument.refresh_from_db()
        assert (instrument.size, instrument.value) == ("1/2", Decimal("1234.50"))
        assert instrument.retired_on == today

    def test_adds_one_and_refuses_a_number_twice(self, client, establishment):
        data = {
            **{"establishment": establishment.pk, "inventory_number": "V-1"},
            **{"kind": InstrumentKindFactory().pk, "condition": "good"},
        }
        add = reverse("admin:billing_instrument_add")

        assert client.post(add, data).status_code == 302
        assert Instrument.objects.get().sort_name == "v-1"
        assert "Ce numéro d&#x27;inventaire est déjà pris." in client.post(add, data).text

    def test_goes_to_repair_and_comes_back(self, client, today):
        instrument = InstrumentFactory()
        assert offered(client, instrument) == ["reparation", "hors-service"]

        client.post(
            instrument_step(instrument, "reparation"), {"starts_on": today, "reason": "Âme"}
        )
        assert offered(client, instrument) == ["retour-de-reparation", "hors-service"]

        back = {"on": today, "condition": "worn"}
        client.post(instrument_step(instrument, "retour-de-reparation"), back)
        instrument.refresh_from_db()
        assert instrument.condition == "worn"

    def test_a_refusal_keeps_what_was_typed(self, client, make_rental, today):
        instrument = make_rental().instrument

        response = client.post(
            instrument_step(instrument, "reparation"),
            {"starts_on": today, "reason": "Âme tombée"},
        )

        assert "Cet instrument est réservé pour" in response.text
        assert 'value="Âme tombée"' in response.text
        assert response.text.count("Erreur\u00a0:") or "Erreur&nbsp;:" in response.text

    def test_retires_and_reinstates(self, client, today):
        instrument = InstrumentFactory()

        client.post(instrument_step(instrument, "hors-service"), {"on": today})
        assert offered(client, instrument) == ["en-service"]
        client.post(instrument_step(instrument, "en-service"))

        assert offered(client, instrument) == ["reparation", "hors-service"]

    def test_an_unknown_step_is_not_found(self, client):
        assert client.get(instrument_step(InstrumentFactory(), "voler")).status_code == 404

    def test_of_another_site_nothing_is_found(self, client):
        theirs = InstrumentFactory(establishment=EstablishmentFactory(name="Annexe"))
        rent = reverse("admin:billing_instrument_rent", args=[theirs.pk])

        for address in (instrument_step(theirs, "reparation"), rent):
            assert client.get(address).status_code == client.post(address).status_code == 404


class TestRent:
    def address(self, instrument, search=""):
        return reverse("admin:billing_instrument_rent", args=[instrument.pk]) + f"?q={search}"

    def data(self, student, **kwargs):
        year = SchoolYearFactory()
        return {
            "custody": student.custodies.first().pk,
            **{"starts_on": max(year.starts_on, year.ends_on - dt.timedelta(days=60))},
            "ends_on": year.ends_on,
            **{"rent": "150,00", "months": "10", "deposit": "200"},
        } | kwargs

    def test_finds_the_student_and_his_households(self, client, student):
        other = CustodyFactory(student=student, rank=2, family=FamilyFactory(name="Durand"))
        StudentFactory(first_name="Zoé", family=FamilyFactory())

        response = client.get(self.address(InstrumentFactory(), "LOUÏSE MAR"))

        choices = response.context["form"].fields["custody"].queryset
        assert list(choices) == list(student.custodies.order_by("rank"))
        assert "foyer Durand, 12 rue des Anges, Tourcoing" in words(response)
        assert other in choices

    def test_says_that_nobody_is_found(self, client, student):
        response = client.get(self.address(InstrumentFactory(), "Personne"))

        assert "Aucun élève de vos établissements ne porte ce nom" in words(response)
        assert "Réserver" not in response.text

    def test_of_another_site_nobody_is_found(self, client, student):
        EnrolmentFactory(student=student, course__establishment=EstablishmentFactory(name="Annexe"))

        assert client.get(self.address(InstrumentFactory(), "Louise")).context["found"] == 0

    def test_reserves(self, client, student, family):
        instrument = InstrumentFactory()

        response = client.post(self.address(instrument, "Louise"), self.data(student))

        rental = Rental.objects.get()
        assert response.url == page(rental)
        assert (rental.instrument, rental.student, rental.family) == (instrument, student, family)
        assert (rental.rent, rental.deposit) == (Decimal("150.00"), Decimal("200.00"))

    def test_refuses_what_is_taken_and_keeps_what_was_typed(self, client, student):
        taken = RentalFactory()

        response = client.post(
            self.address(taken.instrument, "Louise+Martin"), self.data(student, rent="137,00")
        )

        assert "Cet instrument est réservé pour" in words(response)
        assert 'value="137,00"' in response.text
        assert Rental.objects.count() == 1

    def test_says_beside_the_field_what_is_missing(self, client, student):
        response = client.post(self.address(InstrumentFactory(), "Louise"), {"rent": "-1"})

        errors = response.context["form"].errors
        assert errors["custody"] == ["Choisissez un élève."]
        assert errors["rent"] == ["Un montant n'est pas négatif."]
        assert errors["starts_on"] == ["Donnez une date."]

    def test_says_beside_the_date_that_it_is_of_another_year(self, client, student):
        far = SchoolYearFactory().ends_on + dt.timedelta(days=1)

        response = client.post(
            self.address(InstrumentFactory(), "Louise"), self.data(student, ends_on=far)
        )

        assert "une location n'en sort pas" in response.context["form"].errors["ends_on"][0]


class TestRental:
    @pytest.mark.parametrize("count", [1, 3])
    def test_the_queries_of_the_list_do_not_grow(self, client, make_rental, count, count_queries):
        for _ in range(count):
            make_rental(handed_over=True)

        assert count_queries(lambda: client.get(RENTALS)) == 12

    def test_offers_what_may_be_done_now(self, client, make_rental, accountant, today):
        rental = make_rental(insured=False, ends_on=today)
        assert offered(client, rental) == [
            *["assurance", "remettre", "depot-recu", "facture", "prolonger", "annuler"]
        ]

        insurance = {"insurer": "MAIF", "policy_number": "1", "insured_until": today}
        client.post(step(rental, "assurance"), insurance)
        client.post(step(rental, "remettre"), {"on": today, "condition": "good"})
        assert offered(client, rental) == [
            *["retour", "depot-recu", "facture", "prolonger", "renouveler-assurance"]
        ]

        client.post(step(rental, "depot-recu"), {"on": today, "reference": "Chèque 1"})
        client.post(step(rental, "retour"), {"on": today, "condition": "worn"})
        assert offered(client, rental) == ["depot-rendu", "depot-garde", "facture"]

        client.post(step(rental, "depot-garde"), {"on": today, "amount": "80", "reason": "Archet"})
        rental.refresh_from_db()
        assert (rental.state, rental.deposit_kept) == (RentalState.RETURNED, Decimal(80))
        assert rental.moves.count() == 5

    def test_is_not_handed_over_without_insurance(self, client, make_rental, today):
        rental = make_rental(insured=False)

        response = client.post(step(rental, "remettre"), {"on": today, "condition": "good"})

        assert "L&#x27;assurance est obligatoire avant de remettre l&#x27;instrument" in words(
            response
        )
        rental.refresh_from_db()
        assert rental.state == RentalState.RESERVED

    def test_prepares_its_invoice_and_leads_to_it(self, client, make_rental, today):
        rental = make_rental()

        client.post(step(rental, "facture"), {"due_on": today})

        invoice = Invoice.objects.get()
        assert invoice.kind == InvoiceKind.LOCATION
        assert reverse("admin:billing_invoice_change", args=[invoice.pk]) in (
            client.get(page(rental)).text
        )

    def test_a_step_done_meanwhile_is_refused_in_a_sentence(self, client, make_rental, today):
        rental = make_rental(handed_over=True)

        response = client.post(step(rental, "remettre"), {"on": today, "condition": "good"})

        assert "Action déjà faite ou impossible" in words(response)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            *[("reserved", ["uninsured"]), ("ongoing", ["ongoing", "late"])],
            *[("en-retard", ["late"]), ("a-assurer", ["uninsured"])],
        ],
    )
    def test_filters(self, client, make_rental, make_overdue, asked, expected):
        rows = {
            "uninsured": make_rental(insured=False),
            "ongoing": make_rental(handed_over=True),
            "late": make_overdue(),
        }
        if not rows["late"].is_overdue:
            pytest.skip("the school year began today: nothing can be late")

        listed = client.get(RENTALS, {"etat": asked}).context["cl"].queryset

        assert set(listed) == {rows[name] for name in expected}

    def test_the_secretariat_reads_and_does_nothing(self, client, make_rental, registrar, today):
        rental = make_rental()
        client.force_login(registrar)

        response = client.get(page(rental))

        assert "steps" not in response.context
        assert step(rental, "remettre") not in response.text

    def test_the_contract_is_a_pdf(self, client, make_rental):
        response = client.get(
            reverse("admin:billing_rental_contract", args=[make_rental(handed_over=True).pk])
        )

        assert response["Content-Type"] == "application/pdf"
        assert response.content.startswith(b"%PDF-")
        assert b"/StructTreeRoot" in response.content  # tagged

    def test_of_another_site_nothing_is_found(self, client, make_rental):
        theirs = make_rental(instrument__establishment=EstablishmentFactory(name="Annexe"))
        contract = reverse("admin:billing_rental_contract", args=[theirs.pk])

        assert client.get(contract).status_code == 404
        assert client.post(step(theirs, "retour")).status_code == 404
