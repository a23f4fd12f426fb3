"""What is kept of a password; the other tests run with a faster hasher."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, identify_hasher, make_password
from django.urls import reverse

from imuse import settings as product
from tests.factories import PASSWORD


@pytest.fixture(autouse=True)
def _hashers_of_the_product(settings):
    settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS


def test_parameters_are_those_of_owasp():
    kept = make_password(PASSWORD)

    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_older_hash_is_made_anew_at_the_sign_in(client, parent, establishment):
    older = Argon2PasswordHasher()
    parent.password = older.encode(PASSWORD, older.salt())
    parent.save(update_fields=["password"])
    typed = {"establishment": establishment.pk, "username": "martin.c", "password": PASSWORD}

    client.post("/extranet/connexion/", typed)

    assert client.get(reverse("imuse:home")).status_code == 200
    parent.refresh_from_db()
    assert not identify_hasher(parent.password).must_update(parent.password)
    assert parent.check_password(PASSWORD)
