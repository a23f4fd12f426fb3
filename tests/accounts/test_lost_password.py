"""« mot de passe perdu » (the manual, annex 1)."""

import datetime as dt
import logging
import re
from unittest.mock import patch

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts import mails, services, throttling
from accounts.enums import MailKind
from accounts.models import Mail, OneTimePassword, PasswordRequest
from tests.factories import PASSWORD

URL = "/extranet/mot-de-passe-perdu/"
TYPED = {"username": "martin.c", "email": "martin.c@example.org"}


def post(client, typed=TYPED, address="192.0.2.1", **options):
    return client.post(URL, typed, REMOTE_ADDR=address, **options)


@pytest.fixture
def asked(client):
    """What the sender makes of what was typed: the mails, before any of them leaves."""

    def ask(typed=TYPED, **options):
        post(client, typed, **options)
        mails.queue_asked()
        return list(Mail.objects.filter(sent_at=None))

    return ask


def test_mail_waits_without_any_password(asked, parent):
    (mail,) = asked()

    assert (mail.kind, mail.user, mail.to) == (MailKind.ONE_TIME_PASSWORD, parent, parent.email)
    assert (mail.subject, mail.body) == ("", "")
    assert mail.due_at <= timezone.now()
    assert not OneTimePassword.objects.exists()


ANYTHING = [
    {"username": " MARTIN.C", "email": "Martin.C@Example.ORG "},
    TYPED,
    TYPED | {"username": "inconnu"},
    TYPED | {"email": "autre@example.org"},
    TYPED | {"username": "autre.f"},
]


@pytest.mark.parametrize("typed", ANYTHING)
def test_answer_is_the_same_whatever_was_typed(client, parent, stranger, typed):
    response = post(client, typed, follow=True)

    assertRedirects(response, reverse("accounts:lost_password_done"))


VALUES = re.compile(r"'[^']*'|NULL|\b\d+\b")


def test_work_is_the_same_whatever_was_typed(client, parent, stranger):
    """The same statements, to the values: the match becomes a mail in the sender alone."""
    post(client)  # the first one signs the page's token
    work = set()
    for typed in ANYTHING:
        with CaptureQueriesContext(connection) as queries:
            post(client, typed)
        work.add(tuple(VALUES.sub("?", query["sql"]) for query in queries))

    assert len(work) == 1
    assert not Mail.objects.exists()
    assert PasswordRequest.objects.count() == len(ANYTHING) + 1


def test_nothing_typed_is_kept_in_clear(client, parent):
    post(client, {"username": "Monsecret1", "email": "quelquun@example.org"})

    row = str(PasswordRequest.objects.values().get())
    assert "secret1" not in row
    assert "quelquun" not in row


def test_identifiant_and_address_are_forgiving(asked, parent):
    (mail,) = asked({"username": " MARTIN.C", "email": "Martin.C@Example.ORG "})

    assert mail.to == "martin.c@example.org"  # the account's, not what was typed


@pytest.mark.parametrize("wrong", [{"username": "autre.f"}, {"email": "autre@example.org"}])
def test_identifiant_and_address_of_two_accounts_send_nothing(asked, parent, stranger, wrong):
    assert asked(TYPED | wrong) == []


def test_inactive_account_gets_nothing(asked, parent):
    parent.is_active = False
    parent.save()

    assert asked() == []


@pytest.mark.parametrize("email", ["", "pas une adresse"])
def test_account_without_address_gets_nothing(client, parent, email):
    parent.email = ""
    parent.save()

    response = post(client, TYPED | {"email": email})

    assert list(response.context["form"].errors) == ["email"]
    assert not PasswordRequest.objects.exists()


def test_one_request_waits_at_a_time(asked, parent):
    assert len(asked()) == 1
    assert len(asked()) == 1

    mails.send_due()
    assert len(asked()) == 1
    assert Mail.objects.count() == 2


def test_request_is_answered_once(asked, parent):
    asked()
    Mail.objects.all().delete()
    mails.queue_asked()

    assert not Mail.objects.exists()


def test_request_given_up_does_not_hold_back_a_new_one(asked, parent):
    asked()
    Mail.objects.update(attempts=mails.MAX_ATTEMPTS)

    assert len(asked()) == 2


def test_new_password_makes_what_was_asked_before_pointless(client, parent):
    post(client)
    services.choose_password("Violoncelle7", actor=parent)

    mails.queue_asked()

    assert not Mail.objects.exists()


def test_lasting_password_is_untouched(client, parent):
    post(client)
    mails.send_due()

    parent.refresh_from_db()
    assert OneTimePassword.objects.exists()
    assert (parent.check_password(PASSWORD), parent.must_choose_password) == (True, False)


def test_the_identifiant_typed_at_the_door_comes_along_and_nothing_is_asked_yet(client, parent):
    door = {"depuis": "connexion", "username": " Martin.C", "password": "Monsecret1"}
    page = post(client, TYPED | door)

    assert page.status_code == 200
    form = page.context["form"]
    assert (form["username"].value(), form["email"].value(), form.errors) == ("martin.c", None, {})
    assert b"Monsecret1" not in page.content
    assert not PasswordRequest.objects.exists()


def test_nothing_changes_on_get(client, parent):
    assert client.get(URL, TYPED).status_code == 200
    assert not PasswordRequest.objects.exists()


def go_by(**time):
    PasswordRequest.objects.update(at=F("at") - dt.timedelta(**time))


def test_three_requests_an_hour_and_ten_a_day_are_heard_and_the_page_says_nothing(client, parent):
    heard = []
    for _ in range(4):
        for _ in range(4):
            response = post(client, follow=True)
            assertRedirects(response, reverse("accounts:lost_password_done"))
        heard.append(PasswordRequest.objects.count())
        go_by(hours=1)

    assert heard == [3, 6, 9, 10]
    go_by(days=1)
    post(client)
    assert PasswordRequest.objects.count() == 11


def test_who_knows_the_identifiant_alone_uses_up_nobodys_requests(asked, parent):
    for number in range(5):
        asked(TYPED | {"email": "devine@example.org"}, address=f"192.0.2.{number}")

    assert len(asked()) == 1


def test_address_that_asks_for_too_many_accounts_is_not_heard(client, asked, parent):
    with patch.object(throttling, "ACCOUNTS_PER_ADDRESS_AND_HOUR", 3):
        for number in range(3):
            post(client, TYPED | {"username": f"inconnu{number}"})

        assert asked() == []
        assert len(asked(address="192.0.2.2")) == 1
        go_by(hours=1)
        Mail.objects.all().delete()
        assert len(asked()) == 1


def test_events_are_logged_without_what_was_typed(client, parent, caplog):
    caplog.set_level(logging.INFO, logger="accounts.security")

    post(client)
    post(client, TYPED | {"username": "Monsecret1"})

    known, unknown = caplog.messages
    assert known == "Lost password asked: account martin.c, address 192.0.2.1"
    assert re.fullmatch(
        r"Lost password asked: account unknown [0-9a-f]{12}, address 192\.0\.2\.1", unknown
    )
