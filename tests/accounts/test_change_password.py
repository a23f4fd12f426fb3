"""The tab « Mot de passe »."""

import pytest
from django.contrib.auth import get_user
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts import mails, one_time_passwords
from accounts.models import Mail, OneTimePassword
from accounts.validators import live_rules
from tests.factories import PASSWORD

URL = "/extranet/mot-de-passe/"
NEW = "Violoncelle7"
TYPED = {"current_password": PASSWORD, "new_password": NEW, "new_password_again": NEW}


@pytest.fixture
def client(client, parent):
    client.force_login(parent)
    return client


def test_policy_is_told_before_typing(client):
    form = client.get(URL).context["form"]

    assert list(form.fields) == ["current_password", "new_password", "new_password_again"]
    assert form.fields["new_password"].help_text.startswith(
        "Le nouveau mot de passe doit avoir une longueur comprise entre 8 et 20 caractères, et "
        "doit contenir au moins une lettre majuscule, une lettre minuscule et un chiffre. "
    )


def test_new_password_replaces_the_current_one(client, parent):
    response = client.post(URL, TYPED)

    assertRedirects(response, URL, fetch_redirect_response=False)
    parent.refresh_from_db()
    assert (parent.check_password(NEW), parent.check_password(PASSWORD)) == (True, False)
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["success"]


def test_this_session_goes_on_under_a_new_id_and_the_others_end(client, parent):
    elsewhere = Client()
    elsewhere.force_login(parent)
    before = client.session.session_key

    client.post(URL, TYPED)

    assert get_user(client) == parent
    assert client.session.session_key != before
    assert not get_user(elsewhere).is_authenticated


def test_one_time_password_dies_sent_or_not(client, parent):
    one_time_passwords.make(parent)
    mails.queue_one_time_password(parent)

    client.post(URL, TYPED)

    assert not OneTimePassword.objects.exists()
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "codes"),
    [
        ({"current_password": "Conservatoire2"}, "current_password", ["wrong"]),
        ({"current_password": ""}, "current_password", ["required"]),
        ({"new_password_again": "Violoncelle8"}, "new_password_again", ["mismatch"]),
        ({"new_password": "Court7"}, "new_password", ["password_too_short"]),
        ({"new_password": "violoncelle7"}, "new_password", ["password_no_upper"]),
        ({"new_password": "Password1"}, "new_password", ["password_too_common"]),
        ({"new_password": "Bonjour2027"}, "new_password", ["password_too_common"]),
        ({"new_password": "Martin.c1"}, "new_password", ["password_too_similar"]),
        ({"new_password": "Violon7MARTÏN"}, "new_password", ["password_too_similar"]),
    ],
)
def test_refusals(client, parent, change, field, codes):
    response = client.post(URL, TYPED | change)

    errors = response.context["form"].errors.as_data()
    assert response.status_code == 200
    assert [error.code for error in errors[field]] == codes
    parent.refresh_from_db()
    assert parent.check_password(PASSWORD)


def test_current_password_is_no_new_one(client, parent):
    parent.set_password(NEW)
    parent.save()
    client.force_login(parent)

    response = client.post(URL, TYPED | {"current_password": NEW})

    errors = response.context["form"].errors.as_data()
    assert [error.code for error in errors["new_password"]] == ["same"]


def test_page_tells_the_browser_the_rules_of_the_settings(client, parent, settings):
    settings.PASSWORD_MIN_LENGTH, settings.PASSWORD_MAX_LENGTH = 12, 64

    html = client.get(URL).content.decode()

    assert 'data-password-rules="id_new_password"' in html
    assert '<li data-rule="length" data-value="12 64">12 à 64 caractères</li>' in html
    assert '<li data-rule="words" data-value="martin">' in html
    assert [rule.kind for rule in live_rules(parent)] == [
        *["length", "upper", "lower", "digit", "words"]
    ]


def test_passwords_are_never_sent_back(client):
    html = client.post(URL, TYPED | {"new_password_again": "Autre"}).content.decode()

    assert NEW not in html
    assert PASSWORD not in html


def test_extra_fields_change_nothing(client, parent, stranger):
    client.post(URL, TYPED | {"user": stranger.pk, "username": "autre.f", "is_staff": "on"})

    parent.refresh_from_db()
    stranger.refresh_from_db()
    assert (stranger.check_password(PASSWORD), parent.is_staff) == (True, False)


@pytest.mark.django_db
def test_anonymous_signs_in_first():
    response = Client().get(URL)

    target = f"{reverse('accounts:sign_in')}?next={URL}"
    assertRedirects(response, target, fetch_redirect_response=False)
