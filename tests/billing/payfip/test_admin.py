"""The régie's list: what PayFiP said, « à vérifier », and its two actions."""

import pytest
from django.urls import reverse

from billing.enums import AttemptState
from billing.models import PaymentAttempt
from tests.billing.payfip.orders import choose, money_of
from tests.factories import make_paid_attempt

LIST = reverse("admin:billing_paymentattempt_changelist")


@pytest.fixture
def desk(client, accountant):
    client.force_login(accountant)
    return client


def act(client, action, *attempts):
    chosen = {"action": action, "_selected_action": [attempt.pk for attempt in attempts]}
    return client.post(LIST, chosen, follow=True).text


def test_the_staff_button_asks_payfip(desk, start, invoice, payfip):
    attempt = start(invoice)
    choose(payfip, attempt.idop, "carte")

    page = act(desk, "ask_payfip", attempt)

    assert f"{attempt.refdet}\xa0: payé par carte." in page
    assert money_of(invoice) == [("38.00", "online")]
    assert attempt.moves.get().asked_by == "staff"


def test_payfip_away_is_said(desk, start, invoice, payfip):
    attempt = start(invoice)
    payfip.operations.moods.service = "unavailable"

    assert "PayFiP ne répond pas" in act(desk, "ask_payfip", attempt)


def test_what_is_to_check_is_found_then_dismissed(desk, pay, make_issued, family, account, payfip):
    pay(make_issued(family=family), "carte")
    payfip.operations.moods.falsified = {"montant": "3801"}
    wrong = pay(make_issued(family=family), "carte")

    listed = desk.get(LIST, {"a-verifier": "oui"})
    assert list(listed.context["cl"].queryset) == [wrong]
    assert "le montant, 3801 au lieu de 3800" in listed.text

    assert f"{wrong.refdet}\xa0: classé." in act(desk, "dismiss", wrong)
    assert not PaymentAttempt.objects.to_check().exists()
    assert "Il n&#x27;y a rien à vérifier." in act(desk, "dismiss", wrong)


def test_its_page_tells_the_log(desk, pay, invoice):
    attempt = pay(invoice, "prelevement")

    page = desk.get(reverse("admin:billing_paymentattempt_change", args=[attempt.pk])).text

    assert attempt.idop in page
    assert attempt.moves.get().told in page


def test_nothing_of_it_is_changed_by_hand(desk, start, invoice):
    attempt = start(invoice)
    url = reverse("admin:billing_paymentattempt_change", args=[attempt.pk])

    assert desk.post(url, {"state": "paid", "alert": ""}).status_code == 403
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.OPEN


@pytest.mark.parametrize("count", [1, 5])
def test_the_list_makes_as_many_queries_whatever_the_count(
    desk, make_issued, count, django_assert_max_num_queries
):
    for _ in range(count):
        make_paid_attempt(make_issued())

    with django_assert_max_num_queries(12):
        assert len(desk.get(LIST).context["cl"].result_list) == count
