"""`request.establishment`; test_choose_password.py tests choose_password_first."""

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from accounts.middleware import INPUT_LOST, SESSION_KEY, establishment
from tests.factories import EstablishmentFactory


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


def test_a_page_asked_for_without_session_says_nothing(client, db):
    response = client.get(reverse("families:identity"), follow=True)

    assert list(response.context["messages"]) == []
