"""« mot de passe perdu » (the manual, annex 1)."""

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts import mails
from accounts.enums import MailKind
from accounts.models import Mail, OneTimePassword
from tests.factories import PASSWORD

URL = "/extranet/mot-de-passe-perdu/"
TYPED = {"username": "martin.c", "email": "martin.c@example.org"}


def test_mail_waits_without_any_password(client, parent):
    client.post(URL, TYPED)

    mail = Mail.objects.get()
    assert (mail.kind, mail.user, mail.to) == (MailKind.ONE_TIME_PASSWORD, parent, parent.email)
    assert (mail.subject, mail.body) == ("", "")
    assert mail.due_at <= timezone.now()
    assert not OneTimePassword.objects.exists()


@pytest.mark.parametrize(
    "typed",
    [
        {"username": " MARTIN.C", "email": "Martin.C@Example.ORG "},
        TYPED,
        TYPED | {"username": "inconnu"},
        TYPED | {"email": "autre@example.org"},
        TYPED | {"username": "autre.f"},
    ],
)
def test_answer_is_the_same_whatever_was_typed(client, parent, stranger, typed):
    response = client.post(URL, typed, follow=True)

    assertRedirects(response, reverse("accounts:lost_password_done"))


def test_identifiant_and_address_are_forgiving(client, parent):
    client.post(URL, {"username": " MARTIN.C", "email": "Martin.C@Example.ORG "})

    assert Mail.objects.get().to == "martin.c@example.org"  # the account's, not what was typed


@pytest.mark.parametrize("wrong", [{"username": "autre.f"}, {"email": "autre@example.org"}])
def test_identifiant_and_address_of_two_accounts_send_nothing(client, parent, stranger, wrong):
    client.post(URL, TYPED | wrong)

    assert not Mail.objects.exists()


def test_inactive_account_gets_nothing(client, parent):
    parent.is_active = False
    parent.save()

    client.post(URL, TYPED)

    assert not Mail.objects.exists()


@pytest.mark.parametrize("email", ["", "pas une adresse"])
def test_account_without_address_gets_nothing(client, parent, email):
    parent.email = ""
    parent.save()

    response = client.post(URL, TYPED | {"email": email})

    assert list(response.context["form"].errors) == ["email"]
    assert not Mail.objects.exists()


def test_one_request_waits_at_a_time(client, parent):
    client.post(URL, TYPED)
    client.post(URL, TYPED)
    assert Mail.objects.count() == 1

    mails.send_due()
    client.post(URL, TYPED)
    assert Mail.objects.filter(sent_at=None).count() == 1


def test_request_given_up_does_not_hold_back_a_new_one(client, parent):
    client.post(URL, TYPED)
    Mail.objects.update(attempts=mails.MAX_ATTEMPTS)

    client.post(URL, TYPED)

    assert Mail.objects.count() == 2


def test_lasting_password_is_untouched(client, parent):
    client.post(URL, TYPED)
    mails.send_due()

    parent.refresh_from_db()
    assert (parent.check_password(PASSWORD), parent.must_choose_password) == (True, False)


def test_nothing_changes_on_get(client, parent):
    assert client.get(URL, TYPED).status_code == 200
    assert not Mail.objects.exists()
