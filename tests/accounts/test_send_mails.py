import logging
import os
import signal

import pytest
from django.core.management import call_command
from django.db import OperationalError

from accounts import mails
from accounts.enums import MailKind


def queue(key):
    mails.queue(MailKind.REFUSED, key=key, to="claire@example.org", subject="Objet", body="Texte")


@pytest.mark.django_db
def test_once(mailoutbox, capsys):
    queue("1")
    queue("2")

    call_command("send_mails")

    assert len(mailoutbox) == 2
    assert capsys.readouterr().out == "Messages envoyés : 2.\n"


@pytest.mark.django_db(transaction=True)  # each turn drops a connection left in a transaction
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_forever_survives_the_database_and_stops_when_told(monkeypatch, caplog, number):
    before = signal.getsignal(number)
    turns = []

    def send_next():
        turns.append(len(turns))
        match turns[-1]:
            case 0:
                raise OperationalError("the database is away")
            case 1:
                return object()  # a mail was due: the next one follows at once
            case 2:
                return None
            case 3:
                os.kill(os.getpid(), number)
                return object()
        pytest.fail("it goes on after the signal")

    monkeypatch.setattr(mails, "queue_asked", lambda: None)
    monkeypatch.setattr(mails, "send_next", send_next)

    with caplog.at_level(logging.ERROR):
        call_command("send_mails", "--forever", "--every", "0.01")

    assert turns == [0, 1, 2, 3]
    assert [record.message for record in caplog.records] == [
        "The outbox could not be read or written"
    ]
    assert signal.getsignal(number) == before
