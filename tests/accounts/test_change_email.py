"""« Modifier l'adresse e-mail »: asked with the password, told to the old address."""

import datetime as dt
import logging

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts import email_changes, mails, one_time_passwords, services, throttling
from accounts.enums import MailKind
from accounts.forms import EMAIL_INVALID, WRONG_PASSWORD
from accounts.mails import MAX_ATTEMPTS
from accounts.models import EmailChange, Mail, SignInAttempt
from tests.factories import PASSWORD, UserFactory
from tests.races import run_together

URL = "/extranet/adresse-e-mail/"
NEW = "claire@example.net"
TYPED = {"email": NEW, "current_password": PASSWORD}
A_DAY = dt.timedelta(days=1)


@pytest.fixture
def signed_in(client, parent):
    client.force_login(parent)
    return client


def later(monkeypatch, **delay):
    now = timezone.now() + dt.timedelta(**delay)
    monkeypatch.setattr(timezone, "now", lambda: now)


def codes_of(response):
    assert response.status_code == 200
    errors = response.context["form"].errors.as_data()
    return {name: [error.code for error in each] for name, each in errors.items()}


def test_nothing_changes_before_the_new_address_confirms(signed_in, parent):
    before = timezone.now()

    response = signed_in.post(URL, TYPED, follow=True)

    assertRedirects(response, URL)
    parent.refresh_from_db()
    assert parent.email == parent.guardian.email == "martin.c@example.org"
    change = EmailChange.objects.get()
    assert (change.user, change.email, change.hash) == (parent, NEW, "")
    assert before + A_DAY <= change.expires_at <= timezone.now() + A_DAY
    assert '<strong class="text-break">claire@example.net</strong> attend' in response.text


def test_one_mail_to_each_address(signed_in, parent, mailoutbox):
    signed_in.post(URL, TYPED)
    mails.send_due()

    told = {mail.to[0]: mail for mail in mailoutbox}
    assert sorted(told) == [NEW, parent.email]
    assert "/extranet/adresse-e-mail/confirmer/?jeton=" in told[NEW].body
    assert "martin" not in told[NEW].body.lower()  # it may be a stranger's, after a slip
    assert "martin.c" in told[parent.email].body
    assert "/extranet/mot-de-passe-perdu/" in told[parent.email].body
    assert NEW not in told[parent.email].body  # somebody else may read that box
    assert "jeton" not in told[parent.email].body


def test_the_link_is_kept_nowhere(signed_in, parent, mailoutbox, caplog):
    caplog.set_level(logging.DEBUG)
    signed_in.post(URL, TYPED)
    mails.send_due()

    token = next(m for m in mailoutbox if m.to == [NEW]).body.split("jeton=")[1].split()[0]
    kept = str([*EmailChange.objects.values(), *Mail.objects.values()])
    assert len(token) == 43
    assert token not in kept
    assert token not in caplog.text
    mail = Mail.objects.get(kind=MailKind.EMAIL_CHANGE)
    assert (mail.subject, mail.body, mail.user) == ("", "", parent)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"current_password": "Conservatoire2"}, {"current_password": ["wrong"]}),
        ({"current_password": ""}, {"current_password": ["required"]}),
        ({"email": "claire"}, {"email": ["invalid"]}),
        (
            {"email": "claire@\x00example.net"},
            {"email": ["invalid", "null_characters_not_allowed"]},
        ),
        ({"email": "a" * 250 + "@example.net"}, {"email": ["max_length"]}),
        ({"email": "martin.c@example.org"}, {"email": ["same"]}),
    ],
)
def test_refusals(signed_in, change, codes):
    found = codes_of(signed_in.post(URL, TYPED | change))

    assert {name: sorted(set(each)) for name, each in found.items()} == codes
    assert not EmailChange.objects.exists()
    assert not Mail.objects.exists()


def test_says_what_is_wrong(signed_in):
    response = signed_in.post(URL, {"email": "claire", "current_password": "x"})

    assert response.context["form"].errors == {
        "email": [EMAIL_INVALID],
        "current_password": [WRONG_PASSWORD],
    }
    assert "<title>Erreur&nbsp;: " in response.text


@pytest.mark.parametrize("url", [URL, "/extranet/mot-de-passe/"])
def test_guesses_of_the_password_are_slowed_down_like_those_of_the_sign_in_page(
    signed_in, parent, url, caplog
):
    guess = TYPED | {"new_password": "Violoncelle7", "new_password_again": "Violoncelle7"}
    for _ in range(5):
        signed_in.post(url, guess | {"current_password": "Devine12"})

    response = signed_in.post(url, guess)  # right, and not looked at

    assert codes_of(response)["current_password"] == ["wrong"]
    assert throttling.suspended_until(parent) is not None
    assert "Current password refused (suspended): account martin.c" in caplog.text
    assert "Devine12" not in caplog.text
    parent.refresh_from_db()
    assert parent.check_password(PASSWORD)


def test_right_password_ends_the_row_of_failures(signed_in):
    signed_in.post(URL, TYPED | {"current_password": "Devine12"})

    signed_in.post(URL, TYPED)

    assert list(SignInAttempt.objects.values_list("rank", flat=True)) == [None]


def test_nothing_tells_that_another_account_has_the_address(signed_in, stranger):
    known = signed_in.post(URL, TYPED | {"email": stranger.email}, follow=True)
    EmailChange.objects.all().delete()
    unknown = signed_in.post(URL, TYPED | {"email": "inconnu@example.net"}, follow=True)

    assert EmailChange.objects.get().email == "inconnu@example.net"
    assert [str(m) for m in known.context["messages"]] == [
        str(m) for m in unknown.context["messages"]
    ]


def test_double_click_sends_one_mail_and_a_newer_demand_kills_the_older(signed_in, monkeypatch):
    signed_in.post(URL, TYPED)
    signed_in.post(URL, TYPED)
    kinds = [MailKind.EMAIL_CHANGE, MailKind.EMAIL_CHANGE_ASKED]
    assert sorted(Mail.objects.values_list("kind", flat=True)) == kinds

    signed_in.post(URL, TYPED | {"email": "autre@example.net"})

    assert EmailChange.objects.get().email == "autre@example.net"
    assert [m.to for m in Mail.objects.filter(kind=kinds[0])] == ["autre@example.net"]


def test_account_without_address_gets_one(signed_in, parent, mailoutbox):
    type(parent).objects.update(email="")

    assert "Votre compte n'a pas encore d'adresse" in signed_in.get(URL).text
    signed_in.post(URL, TYPED)
    mails.send_due()

    assert [mail.to for mail in mailoutbox] == [[NEW]]


@pytest.mark.parametrize("who", ["teacher", "registrar"])
def test_teachers_and_staff_change_theirs_too(client, request, who):
    person = request.getfixturevalue(who)
    client.force_login(getattr(person, "user", person))
    assert f'href="{URL}"' in client.get("/extranet/mot-de-passe/").text

    assert client.post(URL, TYPED).status_code == 302
    assert EmailChange.objects.get().email == NEW


class TestSendAgain:
    def test_another_mail_for_another_day(self, signed_in, parent, monkeypatch):
        change = email_changes.ask(NEW, actor=parent)
        later(monkeypatch, minutes=30)

        response = signed_in.post(f"{URL}renvoyer/", follow=True)

        assert [str(m) for m in response.context["messages"]] == [
            "Un nouveau message part à claire@example.net."
        ]
        assert EmailChange.objects.get().expires_at > change.expires_at
        assert Mail.objects.filter(kind=MailKind.EMAIL_CHANGE).count() == 1  # the first waited

    def test_not_twice_within_a_minute(self, signed_in, parent):
        email_changes.ask(NEW, actor=parent)

        response = signed_in.post(f"{URL}renvoyer/", follow=True)

        assert [str(m) for m in response.context["messages"]] == [
            "Un message vient de partir\u00a0: attendez une minute avant d'en demander un autre."
        ]

    def test_nothing_waits_any_more(self, signed_in, parent, monkeypatch):
        email_changes.ask(NEW, actor=parent)
        later(monkeypatch, hours=25)
        signed_in.force_login(parent)

        response = signed_in.post(f"{URL}renvoyer/", follow=True)

        assert "Il n&#x27;y a plus d&#x27;adresse à confirmer." in response.text
        assert "attend d'être confirmée" not in response.text

    def test_ten_mails_a_day(self, signed_in, monkeypatch):
        for number in range(11):
            later(monkeypatch, minutes=2 * number)
            response = signed_in.post(URL, TYPED | {"email": f"{number}@example.net"})
            mails.send_due()

        assert codes_of(response) == {"__all__": ["too_often"]}
        assert EmailChange.objects.get().email == "9@example.net"


def test_cancelled_demand_leaves_nothing(signed_in, parent, mailoutbox):
    email_changes.ask(NEW, actor=parent)

    signed_in.post(f"{URL}annuler/")
    signed_in.post(f"{URL}annuler/")  # a double click
    mails.send_due()

    assert not EmailChange.objects.exists()
    assert [mail.to for mail in mailoutbox] == [[parent.email]]


@pytest.mark.parametrize("outcome", ["cancelled", "replaced", "expired", "closed"])
def test_mail_whose_demand_is_gone_does_not_leave(parent, outcome, monkeypatch, mailoutbox):
    """The sender had it in hand."""
    email_changes.ask(NEW, actor=parent)
    Mail.objects.exclude(kind=MailKind.EMAIL_CHANGE).delete()
    if outcome == "cancelled":
        EmailChange.objects.all().delete()
    elif outcome == "replaced":
        EmailChange.objects.update(email="autre@example.net")
    elif outcome == "expired":
        later(monkeypatch, hours=25)
    else:
        type(parent).objects.update(is_active=False)

    mails.send_due()

    assert mailoutbox == []
    mail = Mail.objects.get()
    assert mail.attempts == MAX_ATTEMPTS
    assert mail.last_error == "Demande annulée, remplacée ou expirée."


class TestDies:
    def test_with_a_new_password(self, parent):
        email_changes.ask(NEW, actor=parent)

        services.choose_password("Violoncelle7", actor=parent)

        assert not EmailChange.objects.exists()
        assert not Mail.objects.filter(kind=MailKind.EMAIL_CHANGE).exists()

    def test_as_soon_as_a_one_time_password_is_used(self, parent, establishment):
        email_changes.ask(NEW, actor=parent)
        password, _ = one_time_passwords.make(parent)

        Client().post(
            "/extranet/connexion/",
            {"establishment": establishment.pk, "username": "martin.c", "password": password},
        )

        parent.refresh_from_db()
        assert parent.must_choose_password
        assert not EmailChange.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_leave_one_demand_and_its_mail(parent):
    for _ in range(20):
        results = run_together(
            lambda number, user=parent: email_changes.ask(f"{number}@example.net", actor=user), 4
        )

        assert [error for error in results if isinstance(error, Exception)] == []
        mail = Mail.objects.get(kind=MailKind.EMAIL_CHANGE)
        assert mail.to == EmailChange.objects.get().email
        email_changes.cancel(actor=parent)
        Mail.objects.all().delete()


def test_extra_fields_change_nothing(signed_in, parent):
    other = UserFactory()

    signed_in.post(URL, TYPED | {"user": other.pk, "hash": "x", "expires_at": "2099-01-01"})

    change = EmailChange.objects.get()
    assert (change.user, change.hash) == (parent, "")
    assert change.expires_at < timezone.now() + 2 * A_DAY
