"""Setting up « Validation en deux étapes », and what opens before."""

import base64
import logging
import urllib.parse

import pytest
from django.contrib.auth import get_user
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.asserts import assertRedirects

from accounts import second_factor
from tests.accounts.codes import code_of, set_up
from tests.factories import PASSWORD

PAGE = "/extranet/mot-de-passe/deux-etapes/"
START = f"{PAGE}commencer/"
ENROL = f"{PAGE}application/"
RENEW = f"{PAGE}codes-de-secours/"
REMOVE = f"{PAGE}retirer/"
VERIFY = "/extranet/connexion/code/"
ENTER = "/extranet/entrer/"


@pytest.fixture
def compulsory(settings):
    settings.STAFF_SECOND_FACTOR = True


def sign_in(client, user, **more):
    typed = {
        "establishment": user.establishments.get().pk,
        "username": user.username,
        "password": PASSWORD,
    }
    return client.post(reverse("accounts:sign_in"), typed | more)


def leads_to(response):
    return response.status_code, response.url.partition("?")[0]


# --- Who must, who may ------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["registrar", "accountant", "director"])
def test_staff_without_it_are_led_to_set_it_up(client, request, compulsory, who):
    sign_in(client, request.getfixturevalue(who))

    response = client.get(reverse("admin:index"), follow=True)

    assert response.redirect_chain == [(f"{PAGE}?next=/admin/", 302)]
    assert response.context["is_required"]
    assert response.context["navigation"].tabs == []


@pytest.mark.parametrize("who", ["parent", "teacher"])
def test_nobody_else_must(client, request, compulsory, who):
    person = request.getfixturevalue(who)
    client.force_login(getattr(person, "user", person))

    assert client.get(reverse("accounts:change_password")).status_code == 200


def test_staff_need_not_where_the_setting_is_off(client, registrar):
    client.force_login(registrar)

    assert client.get(reverse("admin:index")).status_code == 200


def test_a_parent_who_joins_the_staff_must_from_then_on(client, parent, compulsory):
    client.force_login(parent)
    assert client.get(reverse("imuse:home")).status_code == 200

    parent.is_staff = True
    parent.save(update_fields=["is_staff"])

    assert leads_to(client.get(reverse("imuse:home"))) == (302, PAGE)


# --- Nothing else opens -----------------------------------------------------------------------

ELSEWHERE = [
    "/", "/extranet/", "/extranet/accueil/", "/extranet/accessibilite/", "/extranet/mot-de-passe/",
    "/extranet/mot-de-passe/choisir/", "/extranet/connexion/", "/extranet/rien/", "/admin/",
    "/admin/accounts/user/", "/admin/accounts/user/1/change/", "/admin/login/", "/admin/jsi18n/",
    "/admin/autocomplete/", "//admin/", "/ADMIN/", f"{PAGE}../../accueil/", RENEW, REMOVE, ENTER,
]  # fmt: skip


@pytest.mark.parametrize("path", [*ELSEWHERE, VERIFY])
def test_before_it_is_set_up(client, director, compulsory, path):
    client.force_login(director)

    answers = [
        client.get(path),
        client.head(path),
        client.post(path, {"username": "intrus"}),
        client.post(path, "{}", content_type="application/json"),
        client.get(path, headers={"accept": "application/json", "x-requested-with": "fetch"}),
        client.put(path),
        client.options(path),
    ]

    assert {leads_to(answer) for answer in answers} == {(302, PAGE)}


@pytest.mark.parametrize("path", [*ELSEWHERE, PAGE, START, ENROL])
def test_before_the_code_is_shown(client, director, compulsory, path):
    """The pages that set up another device least of all."""
    set_up(director)
    sign_in(client, director)

    answers = [
        client.get(path),
        client.head(path),
        client.post(path, {"code": "123456"}),
        client.post(path, "{}", content_type="application/json"),
        client.delete(path),
    ]

    assert {leads_to(answer) for answer in answers} == {(302, VERIFY)}
    assert TOTPDevice.objects.count() == 1


def test_admin_action_does_nothing_before_the_code(client, director, parent, compulsory):
    set_up(director)
    set_up(parent)
    client.force_login(director)

    client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": "remove_second_factor", "_selected_action": [parent.pk, director.pk]},
    )

    assert TOTPDevice.objects.count() == 2


def test_one_may_always_leave(client, director, compulsory):
    client.force_login(director)

    response = client.post(reverse("accounts:sign_out"))

    assertRedirects(response, reverse("imuse:landing"))
    assert not get_user(client).is_authenticated


def test_the_password_is_chosen_first(client, registrar, compulsory):
    registrar.must_choose_password = True
    registrar.save(update_fields=["must_choose_password"])
    client.force_login(registrar)
    choose = reverse("accounts:choose_password")

    assert leads_to(client.get(reverse("admin:index"))) == (302, choose)
    assert leads_to(client.get(PAGE)) == (302, choose)
    assert client.get(choose).status_code == 200

    client.post(choose, {"new_password": "Violoncelle7", "new_password_again": "Violoncelle7"})
    assert leads_to(client.get(reverse("admin:index"))) == (302, PAGE)


# --- Setting it up ----------------------------------------------------------------------------


@pytest.fixture
def started(client, registrar, compulsory):
    client.force_login(registrar)
    assertRedirects(client.post(START), ENROL)
    return TOTPDevice.objects.get()


def test_the_secret_is_drawn_and_written_here(client, registrar, started):
    response = client.get(ENROL)

    drawing = response.context["qr_code"]
    secret = base64.b32encode(started.bin_key).decode()
    url = urllib.parse.urlsplit(response.context["application_url"])
    query = dict(urllib.parse.parse_qsl(url.query))
    assert drawing.startswith("data:image/svg+xml")
    assert [len(group) for group in response.context["secret"].split(" ")] == [4] * 8
    assert response.context["secret"].replace(" ", "") == secret
    assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", "/Conservatoire%3Asecretariat")
    assert (query["secret"], query["issuer"]) == (secret, "Conservatoire")
    assert response.headers["Cache-Control"] == "no-store"
    assert secret not in client.get(PAGE).content.decode()


def test_looking_at_the_pages_sets_up_nothing(client, registrar, compulsory):
    client.force_login(registrar)

    client.get(PAGE)
    assertRedirects(client.get(ENROL), PAGE)

    assert not TOTPDevice.objects.exists()


def test_a_right_code_puts_it_in_place_and_shows_the_recovery_codes_once(client, started):
    before = client.session.session_key

    response = client.post(ENROL, {"code": code_of(started)})

    codes = response.context["codes"]
    assert response.templates[0].name == "accounts/recovery_codes.html"
    assert len(set(codes)) == 10
    assert sorted(code.replace(" ", "") for code in codes) == sorted(
        StaticToken.objects.values_list("token", flat=True)
    )
    assert client.session.session_key != before
    assert client.get(reverse("admin:index")).status_code == 200
    assertRedirects(client.get(ENROL), PAGE)
    page = client.get(PAGE)
    assert page.context["codes_left"] == 10
    assert codes[0] not in page.content.decode()


def test_spaces_and_hyphens_are_forgiven(client, started):
    code = code_of(started)

    response = client.post(ENROL, {"code": f" {code[:3]}\u00a0{code[3:]}- "})

    assert "codes" in response.context


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "a" * 99])
def test_what_is_no_code_is_told_so(client, started, typed):
    response = client.post(ENROL, {"code": typed})

    assert list(response.context["form"].errors) == ["code"]
    started.refresh_from_db()
    assert (started.confirmed, started.throttling_failure_count) == (False, 0)


def test_a_wrong_code_leaves_everything_closed(client, started):
    wrong = f"{(int(code_of(started)) + 500_000) % 1_000_000:06}"

    response = client.post(ENROL, {"code": wrong})

    assert response.context["form"].errors == {"code": [second_factor.REFUSED]}
    started.refresh_from_db()
    assert (started.confirmed, started.throttling_failure_count) == (False, 1)
    assert not StaticToken.objects.exists()
    assert leads_to(client.get(reverse("admin:index"))) == (302, PAGE)


def test_starting_again_makes_another_secret(client, started):
    client.post(START)

    fresh = TOTPDevice.objects.get()
    assert fresh.key != started.key
    response = client.post(ENROL, {"code": code_of(started)})
    assert response.context["form"].errors == {"code": [second_factor.REFUSED]}


def test_a_device_confirmed_in_another_tab_is_not_confirmed_twice(registrar):
    device = second_factor.start(actor=registrar)
    second_factor.confirm(device, code_of(device), actor=registrar)

    with pytest.raises(ValidationError) as caught:
        second_factor.confirm(device, code_of(device, ahead=1), actor=registrar)

    assert caught.value.code == "refused"
    assert StaticToken.objects.count() == 10


def test_somebody_else_s_device_is_not_confirmed(parent, stranger):
    device = second_factor.start(actor=stranger)

    with pytest.raises(ValidationError):
        second_factor.confirm(device, code_of(device), actor=parent)

    device.refresh_from_db()
    assert not device.confirmed


def test_one_in_place_is_not_replaced_without_a_code(client, parent):
    device, _ = set_up(parent)
    client.force_login(parent)
    client.post(VERIFY, {"code": code_of(device, ahead=1)})

    response = client.post(START)

    assertRedirects(response, PAGE, fetch_redirect_response=False)
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["warning"]
    assert TOTPDevice.objects.get() == device


def test_a_family_may_set_it_up_from_its_tab(client, parent):
    client.force_login(parent)
    assert f'href="{PAGE}"' in client.get(reverse("accounts:change_password")).content.decode()

    client.post(START)
    client.post(ENROL, {"code": code_of(TOTPDevice.objects.get())})

    assert client.get(reverse("imuse:home")).status_code == 200
    elsewhere = Client()
    sign_in(elsewhere, parent)
    assert leads_to(elsewhere.get(reverse("imuse:home"))) == (302, VERIFY)


def test_a_session_open_elsewhere_must_show_a_code_once_it_is_set_up(client, parent):
    elsewhere = Client()
    elsewhere.force_login(parent)
    assert elsewhere.get(reverse("imuse:home")).status_code == 200

    set_up(parent)

    assert leads_to(elsewhere.get(reverse("imuse:home"))) == (302, VERIFY)


def test_nothing_secret_is_logged(client, started, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "000000" if code_of(started) != "000000" else "111111"

    client.get(ENROL)
    client.post(ENROL, {"code": wrong})
    started.throttle_reset()
    codes = client.post(ENROL, {"code": code_of(started)}).context["codes"]

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("accounts")]
    account = started.user_id
    assert ours == [
        f"Second factor refused for account {account}",
        f"Second factor set up for account {account}",
    ]
    secrets = [started.key, base64.b32encode(started.bin_key).decode(), code_of(started)]
    written = [secret for secret in [*secrets, *codes, wrong] if secret in caplog.text]
    assert written == []
