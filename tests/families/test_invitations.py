"""« Inviter »: one account, one mail, whoever clicks and however often."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.mails import MAX_ATTEMPTS
from accounts.models import Mail, User
from families.invitations import invite
from families.models import Guardian, Invitation
from tests.factories import EstablishmentFactory, GuardianFactory, UserFactory
from tests.races import run_together


@pytest.fixture
def paul(family):
    return GuardianFactory(family=family, user=None, first_name="Paul", email="paul@example.org")


def refusal(guardian, *, actor, establishment):
    with pytest.raises(ValidationError) as refused:
        invite(guardian, actor=actor, establishment=establishment)
    return refused.value.code


def later(monkeypatch, **delay):
    now = timezone.now() + dt.timedelta(**delay)
    monkeypatch.setattr(timezone, "now", lambda: now)


def test_makes_the_account_and_tells_how_to_sign_in(paul, registrar, establishment, mailoutbox):
    invitation = invite(paul, actor=registrar, establishment=establishment)
    mails.send_due()

    user = Guardian.objects.get(pk=paul.pk).user
    assert (user.username, user.email) == ("martin.p", "paul@example.org")
    assert not user.has_usable_password()
    assert list(user.establishments.all()) == [establishment]
    assert (invitation.guardian, invitation.actor) == (paul, registrar)
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (
        ["paul@example.org"],
        "Votre accès à l'extranet – Conservatoire",
    )
    assert "Bonjour Paul Martin," in mail.body
    assert "Votre identifiant : martin.p\n" in mail.body
    assert "1. Ouvrez http://127.0.0.1:8000/extranet/mot-de-passe-perdu/\n" in mail.body
    assert "l'adresse e-mail où vous lisez ce message." in mail.body
    assert "03 20 00 00 00 · scolarite@conservatoire.example" in mail.body


def test_first_password_comes_by_lost_password(client, paul, registrar, establishment, mailoutbox):
    invite(paul, actor=registrar, establishment=establishment)

    client.post(
        "/extranet/mot-de-passe-perdu/", {"username": "martin.p", "email": "paul@example.org"}
    )
    mails.send_due()

    subjects = [mail.subject for mail in mailoutbox]
    assert [s.startswith("Votre mot de passe provisoire") for s in subjects] == [True, False]


def test_again_after_a_while_sends_another_and_stops_the_one_that_waits(
    paul, registrar, establishment, monkeypatch
):
    first = invite(paul, actor=registrar, establishment=establishment)
    later(monkeypatch, minutes=2)

    second = invite(paul, actor=registrar, establishment=establishment)

    assert User.objects.filter(username__startswith="martin").count() == 1
    first.mail.refresh_from_db()
    assert (first.mail.attempts, first.mail.last_error) == (
        MAX_ATTEMPTS,
        "Remplacé par une nouvelle invitation.",
    )
    assert second.mail.attempts == 0
    assert list(mails.waiting()) == [second.mail]


def test_account_that_exists_is_opened_to_the_establishment(family, registrar, establishment):
    other = EstablishmentFactory(name="École de danse")
    guardian = GuardianFactory(family=family, user=UserFactory(establishments=[other]))

    invite(guardian, actor=registrar, establishment=establishment)

    assert set(guardian.user.establishments.all()) == {other, establishment}


def test_account_without_address_takes_the_responsables(family, registrar, establishment):
    user = UserFactory(email="")
    guardian = GuardianFactory(family=family, user=user, email="claire@example.org")

    invite(guardian, actor=registrar, establishment=establishment)

    user.refresh_from_db()
    assert user.email == "claire@example.org"


def test_refuses_who_has_no_address(family, registrar, establishment):
    guardian = GuardianFactory(family=family, user=None, email="")

    assert refusal(guardian, actor=registrar, establishment=establishment) == "no_email"
    assert not Invitation.objects.exists()


def test_refuses_a_second_within_a_minute(paul, registrar, establishment):
    invite(paul, actor=registrar, establishment=establishment)

    assert refusal(paul, actor=registrar, establishment=establishment) == "too_soon"


def test_refuses_a_closed_account(parent, registrar, establishment):
    User.objects.filter(pk=parent.pk).update(is_active=False)

    assert refusal(parent.guardian, actor=registrar, establishment=establishment) == "inactive"


def test_the_direction_alone_invites_a_colleague(parent, registrar, director, establishment):
    """An address given to an agent's account would give its password."""
    User.objects.filter(pk=parent.pk).update(is_staff=True, email="")
    guardian = Guardian.objects.get(user=parent)

    assert refusal(guardian, actor=registrar, establishment=establishment) == "above"
    assert User.objects.get(pk=parent.pk).email == ""
    assert invite(guardian, actor=director, establishment=establishment)


def test_refuses_a_row_that_is_gone(paul, registrar, establishment):
    Guardian.objects.filter(pk=paul.pk).delete()

    assert refusal(paul, actor=registrar, establishment=establishment) == "gone"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_agents_at_once_make_one_account_and_one_mail(family, registrar, establishment):
    for number in range(20):
        guardian = GuardianFactory(family=family, user=None, email=f"{number}@example.org")

        results = run_together(
            lambda _, guardian=guardian: invite(
                guardian, actor=registrar, establishment=establishment
            ),
            3,
        )

        refused = [result for result in results if isinstance(result, Exception)]
        assert [error.code for error in refused] == ["too_soon", "too_soon"]
        assert User.objects.filter(email=guardian.email).count() == 1
        assert Mail.objects.filter(kind=MailKind.INVITATION, to=guardian.email).count() == 1
