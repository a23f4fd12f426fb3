"""The régie's list: what PayFiP said, « à vérifier », and its two actions."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts import roles
from billing.enums import AttemptState
from billing.models import PaymentAttempt
from tests.billing.payfip.orders import choose, money_of
from tests.factories import make_paid_attempt

LIST = reverse("admin:billing_paymentattempt_changelist")


def page_of(attempt):
    return reverse("admin:billing_paymentattempt_change", args=[attempt.pk])


def gestures(page):
    return re.findall(r'name="action" value="(\w+)"', page)


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
    assert "le montant, 38,01\u00a0€ au lieu de 38,00\u00a0€. Payé par carte (P)." in listed.text

    page = act(desk, "dismiss", wrong)
    assert f"{wrong.refdet}\xa0: classé. La famille lit que ce paiement est vérifié" in page
    assert not PaymentAttempt.objects.to_check().exists()
    assert "Il n&#x27;y a rien à vérifier." in act(desk, "dismiss", wrong)


def test_its_page_tells_the_log(desk, pay, invoice):
    attempt = pay(invoice, "prelevement")

    page = desk.get(page_of(attempt)).text

    assert attempt.idop in page
    assert f"Prélèvement accepté (V), autorisation {attempt.numauto}" in page
    assert "Interroger PayFiP" not in page  # it is paid


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("P", "Payé par carte (P)"),
        ("V", "Prélèvement accepté (V)"),
        ("R", "Carte refusée (R)"),
        ("Z", "Prélèvement refusé (Z)"),
        ("A", "Annulé par la famille (A)"),
        ("Q", "Résultat inconnu («\xa0Q\xa0»)"),
    ],
)
def test_its_page_says_what_a_letter_of_payfip_means(desk, pay, invoice, payfip, result, words):
    payfip.operations.moods.falsified = {"resultrans": result}
    attempt = pay(invoice, "carte")

    page = unescape(desk.get(page_of(attempt)).text)

    assert re.search(rf'class="readonly">{re.escape(words)}</div>', page)


def test_its_page_has_the_two_gestures_of_the_list(desk, pay, invoice, payfip):
    payfip.operations.moods.falsified = {"montant": "3801"}
    attempt = pay(invoice, "carte")

    page = desk.get(page_of(attempt)).text

    assert "La famille lit de ne pas payer une seconde fois" in page
    assert gestures(page) == ["ask_payfip", "dismiss"]
    act(desk, "dismiss", attempt)
    page = desk.get(page_of(attempt)).text
    assert gestures(page) == ["ask_payfip"]
    assert "La famille lit de ne pas payer" not in page


def test_who_only_reads_has_no_gesture(client, pay, invoice, payfip, accountant):
    payfip.operations.moods.falsified = {"montant": "3801"}
    attempt = pay(invoice, "carte")
    codes = Permission.objects.filter(codename="settle_paymentattempt")
    Group.objects.get(name=roles.REGIE).permissions.remove(*codes)
    client.force_login(accountant)

    assert gestures(client.get(page_of(attempt)).text) == []


def test_nothing_of_it_is_changed_by_hand(desk, start, invoice):
    attempt = start(invoice)

    assert desk.post(page_of(attempt), {"state": "paid", "alert": ""}).status_code == 403
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
