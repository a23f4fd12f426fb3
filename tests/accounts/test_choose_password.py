"""After a one-time password."""

import pytest
from django.contrib.auth import get_user
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from tests.factories import PASSWORD

URL = "/extranet/mot-de-passe/choisir/"
NEW = "Violoncelle7"


@pytest.fixture
def client(client, parent):
    parent.must_choose_password = True
    parent.set_unusable_password()
    parent.save()
    client.force_login(parent)
    return client


def test_choosing_opens_the_space(client, parent):
    response = client.post(URL, {"new_password": NEW, "new_password_again": NEW})

    assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)
    parent.refresh_from_db()
    assert (parent.must_choose_password, parent.check_password(NEW)) == (False, True)
    assert get_user(client) == parent


@pytest.mark.parametrize(
    ("new", "again", "field"),
    [
        (NEW, "Violoncelle8", "new_password_again"),
        ("violon", "violon", "new_password"),
        ("", "", "new_password"),
    ],
)
def test_refusals_leave_everything_closed(client, parent, new, again, field):
    response = client.post(URL, {"new_password": new, "new_password_again": again})

    assert response.status_code == 200
    assert field in response.context["form"].errors
    parent.refresh_from_db()
    assert (parent.must_choose_password, parent.has_usable_password()) == (True, False)
    assertRedirects(client.get(reverse("imuse:home")), URL)


def test_everything_else_leads_here_whatever_the_method(client):
    for response in [client.get("/admin/"), client.post(reverse("accounts:change_password"))]:
        assertRedirects(response, URL)


def test_who_need_not_choose_goes_to_the_tab(client, parent):
    parent.must_choose_password = False
    parent.set_password(PASSWORD)
    parent.save()
    client.force_login(parent)

    response = client.post(URL, {"new_password": NEW, "new_password_again": NEW})

    assertRedirects(response, reverse("accounts:change_password"), fetch_redirect_response=False)
    parent.refresh_from_db()
    assert parent.check_password(PASSWORD)
