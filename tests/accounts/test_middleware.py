"""`request.establishment`; test_choose_password.py tests choose_password_first."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.middleware import INPUT_LOST, SESSION_KEY, establishment
from tests.factories import EstablishmentFactory

SWITCH = "/extranet/site/"


def seen_by(rf, user, **session):
    request = rf.get("/")
    request.user, request.session = user, session
    establishment(lambda request: None)(request)
    return request.establishment


def test_site_chosen_at_sign_in(rf, parent):
    other = EstablishmentFactory(name="École de danse")
    parent.establishments.add(other)

    assert seen_by(rf, parent, **{SESSION_KEY: other.pk}) == other


def test_first_site_when_none_was_chosen(rf, parent, establishment):
    parent.establishments.add(EstablishmentFactory(name="École de danse"))

    assert seen_by(rf, parent) == establishment


def test_site_taken_away_from_the_account_is_not_seen_any_more(rf, parent, establishment):
    other = EstablishmentFactory(name="École de danse")

    assert seen_by(rf, parent, **{SESSION_KEY: other.pk}) == establishment


def test_nobody_and_account_without_site_see_none(rf, parent):
    parent.establishments.clear()

    assert not seen_by(rf, parent)
    assert not seen_by(rf, AnonymousUser())


def test_pages_of_the_account_are_kept_nowhere(client, parent):
    client.force_login(parent)

    response = client.get(reverse("accounts:change_password"))

    assert response.headers["Cache-Control"] == "no-store"


def test_a_form_sent_after_the_session_is_said_to_be_lost(client, db):
    response = client.post(reverse("families:identity"), {}, follow=True)

    assert [str(message) for message in response.context["messages"]] == [INPUT_LOST]


@pytest.mark.parametrize(
    ("referer", "then"),
    [
        ("http://testserver/extranet/adresse-e-mail/?a=b", "/extranet/adresse-e-mail/?a=b"),
        ("http://testserver.evil.example/x", SWITCH),
        ("http://testserver//evil.example/x", SWITCH),
        ("https://evil.example/", SWITCH),
        (None, SWITCH),
    ],
)
def test_a_button_pressed_after_the_session_leads_back_to_its_page(client, db, referer, then):
    """Not to the address that the button posts to: most of them have no page (405)."""
    headers = {"referer": referer} if referer else {}

    response = client.post(reverse("accounts:switch_site"), {"site": "1"}, headers=headers)

    assert response.status_code == 302
    assert parse_qs(urlsplit(response.url).query) == {"next": [then]}


def test_a_page_asked_for_without_session_says_nothing(client, db):
    response = client.get(reverse("families:identity"), follow=True)

    assert list(response.context["messages"]) == []
