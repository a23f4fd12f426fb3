"""The declaration of accessibility (law 2005-102, article 47; RGAA)."""

import pytest
from django.urls import reverse

from tests.factories import EstablishmentFactory


def test_without_signing_in_the_first_site_answers(client, establishment):
    page = client.get(reverse("imuse:accessibility"))

    assert page.context["contact"] == establishment
    assert f'<a href="mailto:{establishment.email}">' in page.text


def test_the_site_of_the_person_answers(client, parent):
    EstablishmentFactory(name="Annexe")  # first in the alphabet
    client.force_login(parent)

    page = client.get(reverse("imuse:accessibility"))

    assert page.context["contact"].name == "Conservatoire"


def test_before_any_site_exists(client, db):
    assert client.get(reverse("imuse:accessibility")).status_code == 200


@pytest.mark.parametrize(
    "part",
    [
        "<strong>non conforme</strong>",
        "<h2>État de conformité</h2>",
        "<h2>Contenus non accessibles</h2>",
        "<h2>Établissement de cette déclaration d'accessibilité</h2>",
        "<h2>Retour d'information et contact</h2>",
        "<h2>Voies de recours</h2>",
        "Libre réponse 71120",
        "http://127.0.0.1:8000/extranet/",
    ],
)
def test_the_parts_that_the_law_asks_for(client, db, part):
    assert part in client.get(reverse("imuse:accessibility")).text
