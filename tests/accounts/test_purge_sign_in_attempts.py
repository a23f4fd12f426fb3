import datetime as dt

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts import throttling
from accounts.models import PasswordRequest, SignInAttempt

pytestmark = pytest.mark.django_db


def test_what_counts_no_more_is_deleted(capsys):
    now = timezone.now()
    for age in (dt.timedelta(hours=23), dt.timedelta(days=1)):
        throttling.begin(f"inconnu{age}", "")
        SignInAttempt.objects.filter(account=throttling.fingerprint(f"inconnu{age}")).update(
            at=now - age
        )
        for answered in (True, False):
            PasswordRequest.objects.create(pair="0", at=now - age, answered=answered)

    call_command("purge_sign_in_attempts")

    assert capsys.readouterr().out == "Lignes effacées : 2.\n"
    assert SignInAttempt.objects.count() == 1
    assert PasswordRequest.objects.count() == 3  # what was not answered yet still is to be
