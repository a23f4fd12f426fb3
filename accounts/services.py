"""What may be done to an account; accounts.one_time_passwords and accounts.mails hold the rest."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import throttling, usernames
from accounts.authority import may_act_on
from accounts.models import Establishment, Mail, OneTimePassword, PasswordRequest, User
from accounts.throttling import security


def ask_for_one_time_password(*, username: str, email: str, address: str = "") -> None:
    """« mot de passe perdu » (the manual, annex 1): a mail, if both are those of an open account.

    Nothing tells the caller whether they are, nor whether too much was asked: the same queries and
    one row, whoever it is. accounts.mails.queue_asked, in the sender, makes the mail.
    """
    email = email.strip()
    user = User.objects.filter(
        username=User.normalize_username(username), email__iexact=email, is_active=True
    ).first()
    # Both together: a stranger who knows the identifiant alone uses up nobody's requests.
    pair = throttling.fingerprint(username, email)
    heard = throttling.may_ask(pair, address)
    if heard:
        PasswordRequest.objects.create(pair=pair, address=address, at=timezone.now(), user=user)
    security.info(
        "Lost password %s: account %s, address %s",
        "asked" if heard else "asked too often",
        user.username if user else f"unknown {pair[:12]}",
        address or "unknown",
    )


def unlock(user: User, *, actor: User) -> None:
    """The staff lets a person try again at once.

    Raises ValidationError for an account above the actor's: he could then guess without end.
    """
    if not may_act_on(user, actor=actor):
        raise ValidationError("Seule la direction débloque ce compte.", code="above")
    throttling.unlock(user)
    security.info("Unlocked by %s: account %s", actor.username, user.username)


@transaction.atomic
def create_account(
    *, first_name: str, last_name: str, email: str, establishment: Establishment
) -> User:
    """An account of the establishment, its identifiant made from the name.

    It has no password: « mot de passe perdu » gives the first one.
    """
    taken = usernames.taken_like(last_name)
    while True:
        username = usernames.free_username(first_name, last_name, taken=taken)
        user = User(username=username, first_name=first_name, last_name=last_name, email=email)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save(force_insert=True)
        except IntegrityError:
            if not User.objects.filter(username=username).exists():
                raise
            taken.add(username)  # somebody took it meanwhile
        else:
            user.establishments.add(establishment)
            return user


def let_in(user: User, establishment: Establishment) -> None:
    """Makes an account one of the establishment's, if it is not yet.

    Raises ValidationError `inactive`, and `staff` for an agent: his sites are also what he may
    see in the administration, so the direction alone adds one.
    """
    if not user.is_active:
        raise ValidationError("Le compte est fermé.", code="inactive")
    if user.establishments.filter(pk=establishment.pk).exists():
        return
    if user.is_staff and not user.is_superuser:
        raise ValidationError(
            "Compte d'un agent\u00a0: la direction doit l'ouvrir à cet établissement.", code="staff"
        )
    user.establishments.add(establishment)


@transaction.atomic
def choose_password(password: str, *, actor: User) -> User:
    """Sets the actor's lasting password, which a form has checked; gives the fresh account.

    Every session of the account ends, except one that the caller renews with
    `update_session_auth_hash`. A one-time password, sent or still to send, dies.
    """
    user = User.objects.select_for_update().get(pk=actor.pk)
    user.set_password(password)
    user.must_choose_password = False
    user.save(update_fields=["password", "must_choose_password"])
    forget_one_time_password(user)
    throttling.unlock(user)  # what was guessed so far is worth nothing against the new one
    security.info("Password chosen: account %s", user.username)
    return user


@transaction.atomic
def forget_one_time_password(user: User) -> None:
    """What was mailed no longer works, what waits does not leave."""
    OneTimePassword.objects.filter(user=user).delete()
    Mail.objects.filter(user=user, sent_at=None).delete()
    PasswordRequest.objects.filter(user=user, answered=False).update(answered=True)
