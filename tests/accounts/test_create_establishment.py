"""The first establishment of a new installation."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Establishment
from tests.factories import UserFactory

CONTACT = {"address": "6 rue de la Musique", "email": "a@example.org", "phone": "03 53 01 00 00"}


def test_it_is_created_once_and_the_account_can_choose_it(db):
    user = UserFactory(username="direction", establishments=[])

    for _ in range(2):
        call_command("create_establishment", "Conservatoire", user=["direction"], **CONTACT)

    assert list(user.establishments.all()) == [Establishment.objects.get()]


def test_an_unknown_account_is_refused_and_nothing_is_created(db):
    with pytest.raises(CommandError, match=r"Identifiant inconnu : personne\."):
        call_command("create_establishment", "Conservatoire", user=["personne"], **CONTACT)

    assert not Establishment.objects.exists()
