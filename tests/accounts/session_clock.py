"""Moves a session's clock, as if time had passed since."""

import datetime as dt

from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client

from accounts.models import Connection
from accounts.sessions import SIGNED_IN_AT


def idle(client: Client, **since) -> None:
    """`idle(client, minutes=59)`: nothing was done in this browser for so long."""
    rows = Session.objects.filter(session_key=client.session.session_key)
    rows.update(expire_date=F("expire_date") - dt.timedelta(**since))
    Connection.objects.filter(pk=client.session.get("connection")).update(
        seen_at=F("seen_at") - dt.timedelta(**since)
    )


def signed_in(client: Client, **since) -> None:
    """`signed_in(client, hours=11)`: the sign-in was so long ago; something was just done."""
    session = client.session
    session[SIGNED_IN_AT] -= dt.timedelta(**since).total_seconds()
    session.save()
