"""From a household's page: its invoices, its payments, its payments online, and no other's."""

import pytest
from django.urls import reverse

from tests.factories import (
    EnrolmentFactory,
    EstablishmentFactory,
    GuardianFactory,
    make_paid_attempt,
)

LISTS = ["billing_invoice", "billing_payment", "billing_paymentattempt"]


@pytest.fixture
def desk(client, accountant, establishment):
    accountant.establishments.set([establishment])
    client.force_login(accountant)
    return client


@pytest.fixture
def ours(make_issued, family):
    """{list: the household's only row}; another household has as much."""
    attempt = make_paid_attempt(make_issued(family=family))
    make_paid_attempt(make_issued(family=GuardianFactory().family))
    return dict(zip(LISTS, [attempt.invoice, attempt.payment, attempt], strict=True))


def rows(client, name, household):
    asked = {"foyer": household, "site": "tous"}
    answer = client.get(reverse(f"admin:{name}_changelist"), asked)
    return list(answer.context["cl"].result_list), answer.text


@pytest.mark.parametrize("name", LISTS)
def test_the_rows_of_one_household(desk, ours, family, name):
    found, page = rows(desk, name, family.pk)

    assert found == [ours[name]]
    assert "Par foyer" in " ".join(page.split())
    assert "Martin" in page


@pytest.mark.parametrize("name", LISTS)
def test_without_it_all_of_them_and_no_such_filter(desk, ours, name):
    answer = desk.get(reverse(f"admin:{name}_changelist"))

    assert len(answer.context["cl"].result_list) == 2
    assert "Par foyer" not in " ".join(answer.text.split())


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("asked", ["0", "-1", "x", "9" * 40, "1.5", "²"])
def test_a_household_of_nobody_has_no_row(desk, ours, name, asked):
    found, page = rows(desk, name, asked)

    assert found == []
    assert "inconnu" in page


@pytest.mark.parametrize("name", LISTS)
def test_a_household_of_another_site_answers_as_nobody_s(desk, make_issued, name):
    elsewhere = GuardianFactory(last_name="Ailleurs", family__name="Ailleurs").family
    annexe = EstablishmentFactory(name="Annexe")
    EnrolmentFactory(student__family=elsewhere, course__establishment=annexe)
    make_paid_attempt(make_issued(family=elsewhere, establishment=annexe))

    found, page = rows(desk, name, elsewhere.pk)

    assert found == []
    assert "Ailleurs" not in page
    assert "inconnu" in page
