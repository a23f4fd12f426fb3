"""What was typed survives the end of the session, for the same person only."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts import connections, one_time_passwords
from accounts.middleware import FILES_LOST, INPUT_KEPT, INPUT_LOST
from families.models import Family
from tests.accounts.codes import code_of, set_up
from tests.accounts.session_clock import idle, signed_in
from tests.factories import PASSWORD
from tests.test_hostile_input import HOSTILE

DOOR = "/extranet/connexion/"
FAMILY = "/extranet/famille/"
RESUME = "/extranet/saisie/"
TYPED = {"address": "3 quai des Brumes\r\n2e étage", "initial-address": "12 rue des Anges"}


@pytest.fixture
def home(client, parent):
    """Claire Martin's browser, whose session has just ended."""
    client.force_login(parent)
    idle(client, minutes=60)
    return client


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def send(client, typed=TYPED, path=FAMILY, **headers):
    return client.post(path, typed, follow=True, headers=headers)


def sign_in(client, establishment, username="martin.c", password=PASSWORD):
    typed = {"establishment": establishment.pk, "username": username, "password": password}
    return client.post(DOOR, typed, follow=True)


def kept(response) -> tuple[str, dict[str, str]]:
    """Where the page « Votre saisie est gardée » sends, and what."""
    typed = response.context["typed"]
    return typed.path, dict(typed.fields)


def test_the_address_of_these_tests_is_the_pages_own():
    assert reverse("families:identity") == FAMILY


def test_the_same_person_gets_it_back_and_nothing_is_played_by_itself(home, establishment):
    assert said(send(home)) == [INPUT_KEPT]

    page = sign_in(home, establishment)

    assertRedirects(page, RESUME)
    assert kept(page) == (FAMILY, TYPED)
    assert Family.objects.get().address == "12 rue des Anges"


def test_the_button_sends_it_and_it_is_kept_no_longer(home, establishment):
    send(home)
    path, fields = kept(sign_in(home, establishment))

    home.post(path, fields | {"commune": Family.objects.get().commune_id})

    assertRedirects(home.get(RESUME), reverse("imuse:enter"), fetch_redirect_response=False)


def test_the_form_carries_a_fresh_token_and_the_very_fields(parent, establishment):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(parent)
    token = {"csrfmiddlewaretoken": strict.get(FAMILY).context["csrf_token"]}
    idle(strict, minutes=60)
    send(strict, TYPED | token)
    strict.get(DOOR)
    token = {"csrfmiddlewaretoken": strict.cookies["csrftoken"].value}
    page = strict.post(
        DOOR,
        {"establishment": establishment.pk, "username": "martin.c", "password": PASSWORD} | token,
        follow=True,
    )

    html = page.content.decode()

    assert html.count('name="csrfmiddlewaretoken"') >= 3  # sign out, resume, abandon
    assert 'name="address" value="3 quai des Brumes\r\n2e étage"' in html
    assert str(token["csrfmiddlewaretoken"]) not in html


def test_a_form_of_another_site_plants_nothing(parent):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(parent)
    idle(strict, minutes=60)

    assert strict.post(FAMILY, TYPED).status_code == 403
    assert "typed_input" not in strict.session


def test_another_person_never_sees_it(home, stranger, establishment):
    send(home)

    page = sign_in(home, establishment, username=stranger.username)

    assert page.redirect_chain[-1][0] == reverse("imuse:home")
    assert "typed_input" not in home.session
    home.post(reverse("accounts:sign_out"))
    assert sign_in(home, establishment).redirect_chain[-1][0] == reverse("imuse:home")


def test_it_is_abandoned_on_demand(home, establishment):
    send(home)
    sign_in(home, establishment)

    home.post(reverse("accounts:abandon"))

    assert "typed_input" not in home.session
    assertRedirects(home.get(RESUME), reverse("imuse:enter"), fetch_redirect_response=False)


def test_signing_out_destroys_it(home, establishment):
    send(home)
    sign_in(home, establishment)
    home.post(reverse("accounts:sign_out"))

    assert sign_in(home, establishment).redirect_chain[-1][0] == reverse("imuse:home")


def test_it_waits_for_the_code_of_the_second_factor(home, parent, establishment):
    device, codes = set_up(parent)
    send(home)
    page = sign_in(home, establishment)
    assert page.redirect_chain[-1][0].startswith(reverse("accounts:verify_second_factor"))
    assert home.get(RESUME).status_code == 302

    page = home.post(
        reverse("accounts:verify_second_factor"),
        {"code": code_of(device, ahead=1), "next": page.context["next"]},
        follow=True,
    )

    assert kept(page) == (FAMILY, TYPED)


def test_a_form_sent_before_the_code_does_not_use_it_up(home, parent, establishment):
    set_up(parent)
    send(home)
    sign_in(home, establishment)

    home.post(FAMILY, TYPED)

    assert "typed_input" in home.session


def test_it_waits_for_the_new_password(home, parent, establishment):
    send(home)
    password, _ = one_time_passwords.make(parent)
    page = sign_in(home, establishment, password=password)
    assert page.redirect_chain[-1][0] == reverse("accounts:choose_password")

    new = "Symphonie42"
    page = home.post(
        reverse("accounts:choose_password"),
        {"new_password": new, "new_password_again": new},
        follow=True,
    )

    assert kept(page) == (FAMILY, TYPED)


@pytest.mark.parametrize("end", ["twelve hours", "closed elsewhere"])
def test_whatever_ended_the_session(client, parent, establishment, end):
    client.force_login(parent)
    if end == "twelve hours":
        signed_in(client, hours=12)
    else:
        connections.end_all(parent)
    assert said(send(client)) == [INPUT_KEPT]

    assert kept(sign_in(client, establishment)) == (FAMILY, TYPED)


def test_a_double_click_keeps_it_once(home, establishment):
    """Both requests carry the cookie of the session that has ended."""
    cookie = home.cookies["sessionid"].value
    home.post(FAMILY, TYPED)
    home.cookies["sessionid"] = cookie
    assert said(send(home)) == [INPUT_KEPT, INPUT_KEPT]

    assert kept(sign_in(home, establishment)) == (FAMILY, TYPED)


def test_a_page_looked_at_first_does_not_lose_what_another_tab_sends(home, establishment):
    home.get(FAMILY)
    send(home)

    assert kept(sign_in(home, establishment)) == (FAMILY, TYPED)


def test_a_refusal_does_not_use_it_up(home, establishment, student, monkeypatch):
    """The page it goes to may be closed to him by now; it stays until it has been received."""
    path = reverse("students:identity", args=[student.pk])
    send(home, {"school": "Pasteur"}, path)
    sign_in(home, establishment)
    student.custodies.all().delete()

    assert home.post(path, {"school": "Pasteur"}).status_code == 404
    assert kept(home.get(RESUME)) == (path, {"school": "Pasteur"})


def test_files_are_to_be_chosen_again_and_one_is_told(home, establishment, student):
    path = reverse("reenrolment:edit", args=[student.pk])
    typed = {"comment": "Pas le mardi", "piece-1": SimpleUploadedFile("a.pdf", b"x")}

    assert said(send(home, typed, path)) == [f"{INPUT_KEPT} {FILES_LOST}"]
    page = sign_in(home, establishment)

    assert kept(page) == (path, {"comment": "Pas le mardi"})
    assert "choisissez-les de nouveau" in page.content.decode()


def test_the_administrations_forms_are_kept_too(client, director, establishment, family):
    client.force_login(director)
    idle(client, minutes=60)
    path = f"/admin/families/family/{family.pk}/change/?_popup=1"
    assert said(send(client, {"name": "Durand"}, path)) == [INPUT_KEPT]

    page = sign_in(client, establishment, username="direction")

    assert kept(page) == (path, {"name": "Durand"})


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_was_typed_is_shown_or_said_to_be_lost(home, establishment, kind):
    body = urlencode({"address": HOSTILE[kind].encode("utf-8", "surrogateescape")})
    home.post(FAMILY, body, content_type="application/x-www-form-urlencoded")

    assert sign_in(home, establishment).status_code == 200


# --- What is never kept -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ({"address": "é" * 50_000}, FAMILY),
        ({}, FAMILY),
        ({"new_password": "Symphonie42", "note": "x"}, "/extranet/mot-de-passe/"),
        ({"code": "123456", "next": "/"}, "/extranet/mot-de-passe/deux-etapes/retirer/"),
        ({"current_password": PASSWORD}, FAMILY),
    ],
    ids=["too long", "nothing", "password", "code", "only a password"],
)
def test_what_is_not_kept_is_said_to_be_lost(home, establishment, typed, path):
    assert said(send(home, typed, path)) == [INPUT_LOST]

    assert "typed_input" not in home.session
    assert sign_in(home, establishment).redirect_chain[-1][0] != RESUME


def test_a_password_among_other_fields_is_left_out(home, establishment):
    secrets = {"password": "a", "mot_de_passe": "b", "code": "c", "csrfmiddlewaretoken": "d"}
    send(home, TYPED | secrets)

    assert kept(sign_in(home, establishment)) == (FAMILY, TYPED)


def test_what_a_script_sends_stays_on_its_page(home):
    """The re-enrolment saves itself: its page shows what was typed, and goes on by itself."""
    send(home, sec_fetch_mode="cors")

    assert "typed_input" not in home.session


@pytest.mark.django_db
def test_nobodys_form_is_said_to_be_lost(client, establishment):
    assert said(send(client)) == [INPUT_LOST]
    assert "typed_input" not in client.session


def test_after_signing_out_nothing_is_kept(client, parent):
    client.force_login(parent)
    client.post(reverse("accounts:sign_out"))

    assert INPUT_LOST in said(send(client))
    assert "typed_input" not in client.session


def test_a_script_does_not_use_it_up(home, parent, establishment):
    send(home)
    sign_in(home, establishment)

    home.post(FAMILY, TYPED, headers={"sec-fetch-mode": "cors"})

    assert get_user(home) == parent
    assert kept(home.get(RESUME)) == (FAMILY, TYPED)
