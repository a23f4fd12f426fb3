import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from accounts import connections, throttling
from accounts.enums import Means
from accounts.models import Connection, PasswordRequest, SignInAttempt

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

    call_command("purge_sign_ins")

    assert capsys.readouterr().out == "Lignes effacées : 2.\n"
    assert SignInAttempt.objects.count() == 1
    assert PasswordRequest.objects.count() == 3  # what was not answered yet still is to be


def test_connections_and_sessions_that_are_over_go_too(client, parent):
    client.force_login(parent)
    Session.objects.update(expire_date=timezone.now())
    long_ago = timezone.now() - connections.KEPT_FOR
    Connection.objects.create(
        user=parent, started_at=long_ago, seen_at=long_ago, means=Means.PASSWORD, generation=0
    )

    call_command("purge_sign_ins")

    assert not Session.objects.exists()
    assert not Connection.objects.exists()
