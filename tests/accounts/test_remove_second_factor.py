"""The command, for a direction that lost its phone and its recovery codes."""

import pytest
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.accounts.codes import set_up


def test_it_is_removed(director, capsys):
    set_up(director)

    call_command("remove_second_factor", "Direction")

    assert capsys.readouterr().out == "direction\u00a0: la validation en deux étapes est retirée.\n"
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()


def test_nothing_to_remove_is_an_error(director):
    with pytest.raises(CommandError, match="pas de validation en deux étapes"):
        call_command("remove_second_factor", "direction")


def test_unknown_account_is_an_error(db):
    with pytest.raises(CommandError, match=r"Aucun compte n'a l'identifiant «\xa0personne\xa0»\."):
        call_command("remove_second_factor", "personne")
