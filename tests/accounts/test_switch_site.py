"""« Changer de site »: an account of several, without signing in again."""

import pytest
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts.middleware import SESSION_KEY
from tests.answers import answer_of
from tests.factories import EstablishmentFactory

URL = "/extranet/site/"


@pytest.fixture
def annexe(establishment):
    return EstablishmentFactory(name="Annexe")


def site_of(client):
    page = client.get(reverse("accounts:change_password"))
    return page.wsgi_request.establishment


def test_address():
    assert reverse("accounts:switch_site") == URL


def test_the_other_site_is_chosen_and_said(client, parent, annexe):
    parent.establishments.add(annexe)
    client.force_login(parent)

    response = client.post(URL, {"site": annexe.pk, "next": "/extranet/famille/"}, follow=True)

    assert response.redirect_chain == [("/extranet/famille/", 302)]
    assert client.session[SESSION_KEY] == annexe.pk
    assert "Vous êtes maintenant sur le site «\u00a0Annexe\u00a0»." in response.text
    assert site_of(client) == annexe


@pytest.mark.parametrize("target", ["https://autre.example/", "//autre.example/", ""])
def test_it_leads_to_a_page_of_ours(client, parent, annexe, target):
    parent.establishments.add(annexe)
    client.force_login(parent)

    response = client.post(URL, {"site": annexe.pk, "next": target})

    assertRedirects(response, reverse("imuse:enter"), fetch_redirect_response=False)


def test_a_site_of_others_answers_as_one_that_does_not_exist(client, parent, establishment, annexe):
    client.force_login(parent)

    answers = {
        answer_of(client.post(URL, {"site": site})) for site in (annexe.pk, 999_999, "x", "")
    }

    [(status, *_)] = answers
    assert status == 404
    assert site_of(client) == establishment


def test_a_site_withdrawn_from_the_account_is_left_at_the_next_request(
    client, parent, establishment, annexe
):
    parent.establishments.add(annexe)
    client.force_login(parent)
    client.post(URL, {"site": annexe.pk})
    assert site_of(client) == annexe

    parent.establishments.remove(annexe)

    assert site_of(client) == establishment
    assert client.post(URL, {"site": annexe.pk}).status_code == 404


def test_the_header_offers_it_to_an_account_of_several_sites_only(client, parent, annexe):
    client.force_login(parent)
    address = reverse("families:identity")
    assert 'class="site-switch"' not in client.get(address).text

    parent.establishments.add(annexe)

    html = client.get(address).text
    assert f'action="{URL}"' in html
    assert f'<input type="hidden" name="next" value="{address}">' in html
    assert [site.name for site in client.get(address).context["navigation"].sites] == [
        "Annexe",
        "Conservatoire",
    ]


def test_a_page_that_answers_a_form_leads_back_to_no_form(client, parent, annexe):
    parent.establishments.add(annexe)
    client.force_login(parent)

    page = client.post(reverse("families:identity"), {})

    assert (page.status_code, page.context["navigation"].here) == (200, "")


def test_the_administration_offers_it_too(client, registrar, annexe):
    client.force_login(registrar)
    assert 'class="site-switch"' not in client.get("/admin/").text

    registrar.establishments.add(annexe)

    assert 'class="site-switch"' in client.get("/admin/").text


def test_nothing_before_the_password_to_choose(client, parent, annexe):
    parent.establishments.add(annexe)
    parent.must_choose_password = True
    parent.save(update_fields=["must_choose_password"])
    client.force_login(parent)

    page = client.get(reverse("accounts:choose_password"))

    assert page.context["navigation"].sites == []
    assertRedirects(client.post(URL, {"site": annexe.pk}), reverse("accounts:choose_password"))


def test_not_by_a_link(client, parent):
    client.force_login(parent)

    assert client.get(URL).status_code == 405
