import logging
import os
import signal

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import PasswordRequest


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

    def send_next(carrier):
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


@pytest.mark.django_db(transaction=True)
def test_a_password_asked_for_does_not_wait_for_the_end_of_a_launch(
    monkeypatch, parent, mailoutbox
):
    """Five thousand mails are one turn: somebody who asks in the middle is heard at once."""
    for number in range(5):
        queue(str(number))
    send_next = mails.send_next

    def ask_after_the_second(carrier):
        match len(mailoutbox):
            case 2 if not PasswordRequest.objects.exists():
                PasswordRequest.objects.create(pair="-", at=timezone.now(), user=parent)
            case 6:
                os.kill(os.getpid(), signal.SIGTERM)
        return send_next(carrier)

    monkeypatch.setattr(mails, "send_next", ask_after_the_second)

    call_command("send_mails", "--forever", "--every", "0.01")

    assert [message.to[0] for message in mailoutbox].index(parent.email) == 3


@pytest.mark.django_db(transaction=True)
def test_the_fault_of_another_apps_work_holds_up_no_mail(monkeypatch, settings, caplog, mailoutbox):
    settings.BETWEEN_MAILS = ["tests.accounts.test_send_mails.fail"]
    for number in range(3):
        queue(str(number))
    send_next = mails.send_next

    def send_and_stop_once_all_have_left(carrier):
        mail = send_next(carrier)
        if mail is None:
            os.kill(os.getpid(), signal.SIGTERM)
        return mail

    monkeypatch.setattr(mails, "send_next", send_and_stop_once_all_have_left)

    with caplog.at_level(logging.ERROR):
        call_command("send_mails", "--forever", "--every", "60")

    assert len(mailoutbox) == 3
    assert {r.message for r in caplog.records} == {
        "tests.accounts.test_send_mails.fail failed, and comes again"
    }


def fail():
    raise ValueError
