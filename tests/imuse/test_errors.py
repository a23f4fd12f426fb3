"""Each error has its page, in French, with a way out; DEBUG is off in the tests."""

import pytest
from django.core.exceptions import PermissionDenied
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

LANDING = 'class="btn btn-primary" href="/extranet/"'
HOME = 'class="btn btn-primary" href="/extranet/accueil/"'


def fail_with(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def test_400_a_foreign_host(client):
    page = client.get("/extranet/", headers={"host": "ailleurs.example"})

    assert page.status_code == 400
    assert "<h1>Cette demande ne peut pas être lue</h1>" in page.text
    assert LANDING in page.text


def test_403(client, monkeypatch):
    monkeypatch.setattr("imuse.views.render", fail_with(PermissionDenied))

    page = client.get(reverse("imuse:landing"))

    assert page.status_code == 403
    assert "<h1>Cette page est réservée</h1>" in page.text
    assert LANDING in page.text


def test_403_csrf_says_what_happened(db):
    page = Client(enforce_csrf_checks=True).post(reverse("accounts:sign_in"))

    assert page.status_code == 403
    assert "Votre session a expiré, ou la page est restée ouverte trop longtemps" in page.text
    assert LANDING in page.text


def test_404_for_nobody(client):
    page = client.get("/extranet/nulle-part/")

    assert page.status_code == 404
    assert "<h1>Cette page n'existe pas</h1>" in page.text
    assert LANDING in page.text


def test_404_keeps_the_tabs_of_who_is_signed_in(client, parent, establishment):
    client.force_login(parent)

    page = client.get("/extranet/nulle-part/")

    assert page.status_code == 404
    assert HOME in page.text
    assert "Facturation" in page.text
    assert establishment.phone in page.text


def test_500_stands_when_the_context_processor_itself_fails(client, monkeypatch):
    monkeypatch.setattr("imuse.context_processors.Navigation", fail_with(ZeroDivisionError))
    client.raise_request_exception = False

    page = client.get(reverse("imuse:landing"))

    assert page.status_code == 500
    assert "<h1>L'extranet a rencontré un problème</h1>" in page.text
    assert LANDING in page.text


@pytest.mark.parametrize("template", ["400.html", "500.html"])
def test_500_and_400_ask_nothing_of_the_database_nor_of_the_request(template):
    """Without the fixture `db`, a query fails the test."""
    page = render_to_string(template)

    assert LANDING in page
    assert "Accessibilité&nbsp;: non conforme" in page
