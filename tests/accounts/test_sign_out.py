import pytest
from django.contrib.auth import get_user
from django.contrib.messages import get_messages
from django.urls import reverse
from pytest_django.asserts import assertRedirects

URL = "/extranet/deconnexion/"


def test_session_is_gone_from_the_server(client, parent):
    client.force_login(parent)
    session = client.session

    response = client.post(URL)

    assertRedirects(response, reverse("imuse:landing"), fetch_redirect_response=False)
    assert not get_user(client).is_authenticated
    assert not session.exists(session.session_key)
    assert [str(message) for message in get_messages(response.wsgi_request)] == [
        "Vous avez quitté votre espace. À bientôt."
    ]


def test_get_signs_nobody_out(client, parent):
    client.force_login(parent)

    assert client.get(URL).status_code == 405
    assert get_user(client) == parent


@pytest.mark.django_db
def test_ended_session_is_signed_out_all_the_same(client):
    assertRedirects(client.post(URL), reverse("imuse:landing"), fetch_redirect_response=False)


def test_open_to_somebody_who_must_choose_a_password(client, parent):
    parent.must_choose_password = True
    parent.save()
    client.force_login(parent)

    client.post(URL)

    assert not get_user(client).is_authenticated
