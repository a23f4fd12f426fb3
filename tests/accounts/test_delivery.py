"""A real mail server: one connection for many mails, its refusals, its slowness, its falls."""

import smtplib
import socket

import pytest

from accounts import delivery, mails
from accounts.enums import MailKind
from accounts.models import Mail
from tests.smtp import CUT, MailServer

pytestmark = pytest.mark.django_db

LEFT = (
    "Serveur de messagerie injoignable"
    " (SMTPServerDisconnected Connection unexpectedly closed: timed out)"
)


@pytest.fixture
def server(settings):
    with MailServer() as server:
        use(server.host, server.port, settings)
        yield server


def use(host, port, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_TIMEOUT = 0.5


def queue(*names):
    for name in names:
        mails.queue(
            MailKind.ACKNOWLEDGEMENT,
            key=name,
            to=f"{name}@example.org",
            subject="Reçu : le dossier d'Éloïse",
            body="Nguyễn, Le Goff-d'Aux",
        )


def row(name):
    return Mail.objects.get(to=f"{name}@example.org")


def names(server):
    return [address.partition("@")[0] for address in server.accepted]


def test_one_connection_serves_many_mails_then_another(server, monkeypatch):
    monkeypatch.setattr(delivery, "MAILS_PER_CONNECTION", 4)
    queue(*"abcdef")

    assert mails.send_due() == 6
    assert (names(server), server.connections) == (list("abcdef"), 2)
    assert mails.send_due() == 0
    assert server.connections == 2

    message = server.messages[0]
    assert message["Subject"] == "Reçu : le dossier d'Éloïse"
    assert message.get_content().strip() == "Nguyễn, Le Goff-d'Aux"


def test_a_connection_that_the_server_closed_between_two_mails_costs_nothing(server):
    queue("a", "b")
    with delivery.Carrier() as carrier:
        mails.send_next(carrier)
        carrier._open.connection.sock.shutdown(socket.SHUT_RDWR)
        mails.send_next(carrier)

    assert names(server) == ["a", "b"]
    assert row("b").attempts == 1


REFUSALS = [  # the server's answer, what the staff reads, is it tried again?
    ("550 5.1.1 inconnu", "Adresse refusée (550 5.1.1 inconnu)", False),
    ("553 5.1.3 mal ecrite", "Adresse refusée (553 5.1.3 mal ecrite)", False),
    ("556 5.1.10 null MX", "Adresse refusée (556 5.1.10 null MX)", False),
    ("550 non", "Adresse refusée (550 non)", True),
    ("554 5.7.1 Relay access denied", "Adresse refusée (554 5.7.1 Relay access denied)", True),
    ("552 5.2.2 pleine", "Adresse refusée (552 5.2.2 pleine)", True),
    ("450 4.1.1 qui est-ce", "Adresse refusée pour le moment (450 4.1.1 qui est-ce)", True),
    ("451 4.7.1 plus tard", "Adresse refusée pour le moment (451 4.7.1 plus tard)", True),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "told", "tried_again"), REFUSALS)
def test_only_a_wrong_address_is_given_up_at_once(server, caplog, answer, told, tried_again):
    server.answer = lambda address, number: answer if address.startswith("refus") else None
    queue("refus", "b")

    assert mails.send_due() == 1
    assert names(server) == ["b"]
    assert row("refus").last_error == told
    assert mails.waiting().exists() == tried_again
    assert "refus@" not in caplog.text
    assert f"({answer[:3]})" in caplog.text


def test_a_refusal_for_the_moment_ends(server):
    server.answer = lambda address, number: "451 4.7.1 plus tard" if number == 1 else None
    queue("a")

    assert mails.send_due() == 0
    assert mails.send_due(row("a").due_at) == 1
    assert (names(server), row("a").last_error) == (["a"], "")


def test_a_server_that_cuts_in_the_middle_does_not_stop_the_sender(server):
    server.answer = lambda address, number: CUT if address.startswith("b") else None
    queue("a", "b", "c")

    assert mails.send_due() == 2
    assert names(server) == ["a", "c"]
    assert row("b").last_error.startswith("Serveur de messagerie injoignable (SMTPServerDisconn")


def test_a_server_slow_to_say_yes_is_waited_for_and_no_mail_is_doubled(server):
    server.slowness = 1.0  # longer than EMAIL_TIMEOUT
    queue("a")

    assert mails.send_due() == 1
    assert (names(server), row("a").attempts) == (["a"], 1)


def test_a_server_too_slow_is_left(server, monkeypatch):
    monkeypatch.setattr(delivery, "ANSWER_SECONDS", 0.2)
    server.slowness = 1.0
    queue("a")

    assert mails.send_due() == 0
    assert row("a").last_error == LEFT


def test_a_server_that_says_nothing_or_is_away_leaves_the_mails_waiting(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(*silent.getsockname(), settings)
        queue("a")
        assert mails.send_due() == 0
        assert row("a").last_error == LEFT

    queue("b")
    assert mails.send_due() == 0
    assert "injoignable (ConnectionRefusedError" in row("b").last_error
    assert mails.waiting().count() == 2


def test_the_texts_of_other_faults():
    full = smtplib.SMTPDataError(552, b"trop\r\n long")
    assert delivery.describe(full) == "Refus du serveur de messagerie (552 trop long)"
    assert delivery.describe(full, quote=False) == "Refus du serveur de messagerie (552)"
    assert delivery.describe(ValueError("x")) == "Envoi impossible (ValueError x)"
    assert not delivery.is_final(smtplib.SMTPSenderRefused(550, b"5.1.8 expediteur", "a@b.fr"))
