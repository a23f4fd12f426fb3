"""The code asked after the password."""

import datetime as dt

import pytest
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.asserts import assertRedirects

from accounts import second_factor
from tests.accounts.codes import code_of, set_up, wait
from tests.factories import PASSWORD, UserFactory

URL = "/extranet/connexion/code/"
ENTER = "/extranet/entrer/"
PAGE = "/extranet/mot-de-passe/deux-etapes/"


@pytest.fixture
def kit(registrar, settings):
    settings.STAFF_SECOND_FACTOR = True
    return set_up(registrar)


@pytest.fixture
def device(kit):
    return kit[0]


@pytest.fixture
def codes(kit):
    return kit[1]


@pytest.fixture
def client(client, registrar, kit):
    client.force_login(registrar)
    return client


def is_in(client):
    return client.get(reverse("admin:index")).status_code == 200


def refused(response):
    return response.context["form"].errors == {"code": [second_factor.REFUSED]}


def another_wrong_one(device):
    return f"{(int(code_of(device)) + 500_000) % 1_000_000:06}"


def test_a_right_code_opens_the_page_asked_for(client, device):
    asked = client.get(reverse("admin:index") + "?q=1&r=2")
    before = client.session.session_key

    page = client.get(asked.url)
    assert (page.context["next"], page.context["navigation"].tabs) == ("/admin/?q=1&r=2", [])
    response = client.post(URL, {"code": code_of(device, ahead=1), "next": page.context["next"]})

    assertRedirects(response, "/admin/?q=1&r=2", fetch_redirect_response=False)
    assert client.session.session_key != before
    assert is_in(client)


def test_from_the_sign_in_page_to_the_space(registrar, device):
    client = Client()
    typed = {
        "establishment": registrar.establishments.get().pk,
        "username": "secretariat",
        "password": PASSWORD,
    }

    first = client.post(reverse("accounts:sign_in"), typed, follow=True)
    assert first.redirect_chain[-1] == (f"{URL}?next={ENTER}", 302)
    last = client.post(
        URL,
        {"code": code_of(device, ahead=1), "next": first.context["next"]},
        follow=True,
    )

    assert last.redirect_chain == [(ENTER, 302), ("/admin/", 302)]
    assert client.session["spaces"] == ["staff"]


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_next_stays_on_this_host(client, device, target):
    response = client.post(URL, {"code": code_of(device, ahead=1), "next": target})

    assertRedirects(response, ENTER, fetch_redirect_response=False)


def test_spaces_are_forgiven(client, device):
    code = code_of(device, ahead=1)

    client.post(URL, {"code": f" {code[:3]} {code[3:]}\t"})

    assert is_in(client)


def test_a_wrong_code_is_refused(client, device):
    response = client.post(URL, {"code": another_wrong_one(device)})

    assert (response.status_code, refused(response)) == (200, True)
    assert not is_in(client)


def test_a_code_serves_once(client, registrar, device):
    code = code_of(device, ahead=1)
    client.post(URL, {"code": code})
    elsewhere = Client()
    elsewhere.force_login(registrar)

    response = elsewhere.post(URL, {"code": code})

    assert refused(response)
    assert (is_in(client), is_in(elsewhere)) == (True, False)


def test_the_code_of_the_setting_up_does_not_serve_again(client, device):
    assert refused(client.post(URL, {"code": code_of(device)}))


def test_somebody_else_s_codes_open_nothing(client, accountant):
    other, codes = set_up(accountant)

    assert refused(client.post(URL, {"code": code_of(other, ahead=1)}))
    assert refused(client.post(URL, {"code": codes[0]}))
    assert not is_in(client)


def test_after_an_error_even_the_right_code_waits_and_longer_each_time(client, device):
    client.post(URL, {"code": another_wrong_one(device)})

    assert refused(client.post(URL, {"code": code_of(device, ahead=1)}))
    device.refresh_from_db()
    assert device.throttling_failure_count == 1

    _, first = device.verify_is_allowed()
    device.throttling_failure_count = 8
    _, eighth = device.verify_is_allowed()
    assert (eighth["locked_until"] - first["locked_until"]) == dt.timedelta(seconds=2**7 - 1)

    wait(device)
    client.post(URL, {"code": code_of(device, ahead=1)})
    assert is_in(client)


def test_what_is_no_code_costs_no_delay(client, device):
    response = client.post(URL, {"code": "123"})

    assert list(response.context["form"].errors) == ["code"]
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


# --- Recovery codes ---------------------------------------------------------------------------


def test_a_recovery_code_serves_once(client, registrar, codes):
    client.post(URL, {"code": codes[0].upper()})
    elsewhere = Client()
    elsewhere.force_login(registrar)

    response = elsewhere.post(URL, {"code": codes[0]})

    assert refused(response)
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert client.get(PAGE).context["codes_left"] == 9


def test_wrong_recovery_codes_are_slowed_down_too(client, codes):
    assert refused(client.post(URL, {"code": "aaaa2222"}))
    assert refused(client.post(URL, {"code": codes[0]}))
    assert StaticToken.objects.count() == 10

    wait(StaticDevice.objects.get())
    client.post(URL, {"code": codes[0]})
    assert is_in(client)


def test_new_recovery_codes_need_a_code_and_kill_the_former_ones(client, device, codes):
    url = f"{PAGE}codes-de-secours/"
    client.post(URL, {"code": codes[0]})
    assert refused(client.post(url, {"code": another_wrong_one(device)}))
    wait(device)
    assert StaticToken.objects.count() == 9

    fresh = client.post(url, {"code": codes[1]}).context["codes"]

    assert (len(fresh), set(fresh) & set(codes)) == (10, set())
    assert StaticToken.objects.count() == 10
    assert is_in(client)


def test_removing_needs_a_code_and_staff_set_it_up_anew(client, device, codes):
    url = f"{PAGE}retirer/"
    client.post(URL, {"code": codes[0]})
    assert refused(client.post(url, {"code": another_wrong_one(device)}))
    assert TOTPDevice.objects.exists()
    wait(device)

    response = client.post(url, {"code": code_of(device, ahead=1)})

    assertRedirects(response, PAGE)
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()
    assert client.get(reverse("admin:index")).url.startswith(PAGE)


def test_a_family_removes_it_and_its_password_is_enough_again(parent):
    client = Client()
    _, codes = set_up(parent)
    client.force_login(parent)
    client.post(URL, {"code": codes[0]})

    client.post(f"{PAGE}retirer/", {"code": codes[1]})

    client.logout()
    client.force_login(parent)
    assert client.get(reverse("imuse:home")).status_code == 200


@pytest.mark.parametrize("path", ["codes-de-secours/", "retirer/"])
def test_pages_of_what_is_not_set_up_lead_to_the_explanation(parent, path):
    client = Client()
    client.force_login(parent)

    assertRedirects(client.post(f"{PAGE}{path}", {"code": "123456"}), PAGE)


# --- The session ------------------------------------------------------------------------------


def test_a_session_cannot_borrow_somebody_else_s_device(client, accountant):
    other, _ = set_up(accountant)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = other.persistent_id
    session.save()

    assert not is_in(client)


def test_a_device_not_confirmed_proves_nothing(accountant, settings):
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    client.force_login(accountant)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = second_factor.start(actor=accountant).persistent_id
    session.save()

    assert not is_in(client)


def test_signing_out_forgets_it(client, registrar, codes):
    client.post(URL, {"code": codes[0]})
    client.post(reverse("accounts:sign_out"))
    client.force_login(registrar)

    assert not is_in(client)


def test_changing_the_password_keeps_this_session_in(client, codes):
    client.post(URL, {"code": codes[0]})
    new = {"new_password": "Violoncelle7", "new_password_again": "Violoncelle7"}

    client.post(reverse("accounts:change_password"), {"current_password": PASSWORD, **new})

    assert is_in(client)


def test_a_closed_account_is_out_at_its_next_request(client, registrar, codes):
    client.post(URL, {"code": codes[0]})
    registrar.is_active = False
    registrar.save(update_fields=["is_active"])

    assert not get_user(client).is_authenticated


def test_it_costs_no_query_to_whoever_has_none_and_one_to_the_others(
    client, codes, django_assert_num_queries
):
    client.post(URL, {"code": codes[0]})
    somebody = Client()
    somebody.force_login(UserFactory())
    page = reverse("accounts:change_password")

    with django_assert_num_queries(3):  # session, account, establishments
        somebody.get(page)
    with django_assert_num_queries(4):
        client.get(page)
