"""The link of the mail: its page changes nothing, its button does, once, without a session."""

import datetime as dt

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts import email_changes, email_links, mails, services
from accounts.enums import MailKind
from accounts.models import EmailChange, Mail, User
from families.models import Guardian
from families.services import copy_email_to_account
from tests.races import run_together

URL = "/extranet/adresse-e-mail/confirmer/"
DONE = "/extranet/adresse-e-mail/confirmee/"
NEW = "claire@example.net"


@pytest.fixture
def token(parent):
    """What the mail to the new address holds."""
    email_changes.ask(NEW, actor=parent)
    Mail.objects.all().delete()
    return email_links.make(parent, NEW)[0]


def address_of(user):
    user = User.objects.get(pk=user.pk)
    assert user.email == Guardian.objects.get(user=user).email
    return user.email


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(client, parent, token, method):
    """A mail scanner does, before the person."""
    response = getattr(client, method)(URL, {"jeton": token})

    assert response.status_code == 200
    assert response.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert address_of(parent) == "martin.c@example.org"
    assert EmailChange.objects.exists()


def test_page_asks_to_confirm_the_address_and_names_nobody(client, parent, token):
    text = client.get(URL, {"jeton": token}).text

    assert '<strong class="text-break">claire@example.net</strong>' in text
    assert "Confirmer cette adresse" in text
    assert "martin" not in text.lower()


def test_the_button_acts_without_a_session_and_tells_the_old_address(client, parent, token):
    response = client.post(URL, {"jeton": token})

    assertRedirects(response, DONE)
    assert address_of(parent) == NEW
    assert not EmailChange.objects.exists()
    (mail,) = Mail.objects.all()
    assert (mail.kind, mail.to) == (MailKind.EMAIL_CHANGED, "martin.c@example.org")
    assert "après confirmation depuis la nouvelle" in mail.body
    assert "03 20 00 00 00 ou scolarite@conservatoire.example" in mail.body
    assert NEW not in mail.body


def test_in_the_browser_where_one_is_signed_in(client, parent, token):
    client.force_login(parent)

    assertRedirects(client.post(URL, {"jeton": token}), DONE)
    assert address_of(parent) == NEW


def test_the_button_needs_the_token_of_its_page(parent, token):
    assert Client(enforce_csrf_checks=True).post(URL, {"jeton": token}).status_code == 403
    assert address_of(parent) == "martin.c@example.org"


def test_link_works_once(client, parent, token):
    client.post(URL, {"jeton": token})
    User.objects.filter(pk=parent.pk).update(email="autre@example.net")

    for response in (client.get(URL, {"jeton": token}), client.post(URL, {"jeton": token})):
        assert response.status_code == 410
        assert "<h1>Ce lien ne fonctionne plus</h1>" in response.text


@pytest.mark.parametrize("typed", ["", "inconnu", "é" * 43, "x" * 5000])
def test_unknown_link(client, db, typed):
    assert client.get(URL, {"jeton": typed}).status_code == 410
    assert client.post(URL, {"jeton": typed}).status_code == 410


def test_pages_of_dead_links_are_alike(client, parent, token, monkeypatch):
    unknown = client.get(URL, {"jeton": "inconnu"}).text
    now = timezone.now() + dt.timedelta(hours=24, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: now)

    assert client.get(URL, {"jeton": token}).text == unknown


def test_newer_link_kills_the_older(client, parent, token):
    newer, _ = email_links.make(parent, NEW)

    assert client.post(URL, {"jeton": token}).status_code == 410
    assert client.post(URL, {"jeton": newer}).status_code == 302


@pytest.mark.parametrize("event", ["expired", "cancelled", "asked again", "password", "closed"])
def test_dead_link_changes_nothing(client, parent, token, event, monkeypatch):
    if event == "expired":
        now = timezone.now() + dt.timedelta(hours=24, minutes=1)
        monkeypatch.setattr(timezone, "now", lambda: now)
    elif event == "cancelled":
        email_changes.cancel(actor=parent)
    elif event == "asked again":
        email_changes.ask("autre@example.net", actor=parent)
    elif event == "password":
        services.choose_password("Violoncelle7", actor=parent)
    else:
        User.objects.update(is_active=False)

    assert client.post(URL, {"jeton": token}).status_code == 410
    assert address_of(parent) == "martin.c@example.org"


def test_the_secretariat_was_faster(client, parent, token):
    """Its change, made for who stands at the counter, kills the link."""
    parent.guardian.email = "guichet@example.net"
    parent.guardian.save(update_fields=["email"])
    copy_email_to_account(parent.guardian)

    assert client.post(URL, {"jeton": token}).status_code == 410
    assert address_of(parent) == "guichet@example.net"


def test_nothing_is_changed_when_the_demand_goes_during_the_confirmation(parent, token):
    """What follows the address is written before the demand is looked at again."""
    change = email_links.find(token)
    email_changes.cancel(actor=parent)

    with pytest.raises(Exception, match="Ce lien ne fonctionne plus"):
        email_changes.set_email(parent, NEW, confirmed=change)

    assert address_of(parent) == "martin.c@example.org"


def test_teacher_without_household(client, teacher, mailoutbox):
    email_changes.ask(NEW, actor=teacher.user)
    mails.send_due()
    mail = next(mail for mail in mailoutbox if mail.to == [NEW])

    client.post(URL, {"jeton": mail.body.split("jeton=")[1].split()[0]})

    teacher.user.refresh_from_db()
    assert teacher.user.email == NEW


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_link_opened_on_two_devices_at_once_acts_once(parent):
    for number in range(20):
        email = f"{number}@example.net"
        email_changes.ask(email, actor=parent)
        Mail.objects.all().delete()
        token, _ = email_links.make(parent, email)

        results = run_together(lambda _, token=token: email_changes.confirm(token), 3)

        assert sum(isinstance(result, User) for result in results) == 1
        assert [r.code for r in results if isinstance(r, Exception)] == ["gone", "gone"]
        assert address_of(parent) == email
        assert Mail.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_person_and_the_secretariat_at_once_agree_on_one_address(parent):
    """Responsable, then account, on both sides: neither waits for the other for ever."""
    for number in range(20):
        email_changes.ask(f"{number}@example.net", actor=parent)
        token, _ = email_links.make(parent, f"{number}@example.net")

        def play(who, number=number, token=token):
            if who == 0:
                return email_changes.confirm(token)
            with transaction.atomic():  # as the page of a family does
                guardian = Guardian.objects.select_for_update().get(user=parent)
                guardian.email = f"guichet{number}@example.net"
                guardian.save(update_fields=["email"])
                return copy_email_to_account(guardian)

        results = run_together(play, 2)

        assert {getattr(r, "code", "") for r in results} <= {"", "gone"}
        assert address_of(parent) in {f"{number}@example.net", f"guichet{number}@example.net"}
        Mail.objects.all().delete()
        EmailChange.objects.all().delete()
