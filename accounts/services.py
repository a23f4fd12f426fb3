"""What may be done to an account; accounts.one_time_passwords and accounts.mails hold the rest."""

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import connections, throttling, usernames
from accounts.authority import may_act_on
from accounts.models import (
    EmailChange,
    Establishment,
    Mail,
    OneTimePassword,
    PasswordRequest,
    User,
)
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
    check_not_above(user, actor, "débloque ce compte")
    throttling.unlock(user)
    security.info("Unlocked by %s: account %s", actor.username, user.username)


def check_not_above(user: User, actor: User, does: str) -> None:
    """Raises ValidationError `above`: the direction alone acts on a colleague's account."""
    if not may_act_on(user, actor=actor):
        raise ValidationError(f"Compte d'un agent\u00a0: seule la direction {does}.", code="above")


def check_closes(user: User, *, actor: User) -> None:
    """Raises ValidationError `above`, `own`, and what those of settings.ACCOUNT_CLOSINGS raise."""
    check_not_above(user, actor, "ferme ce compte")
    for check in map(import_string, settings.ACCOUNT_CLOSINGS):
        check(user, actor=actor)
    if user.pk == actor.pk:
        raise ValidationError("Personne ne ferme son propre compte.", code="own")


@transaction.atomic
def close_account(user: User, *, actor: User, reason: str) -> None:
    """Out at the next request, and no more mail lets in; what the person did stays signed.

    Raises ValidationError `reason_required`, `closed`, and what `check_closes` raises.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    check_closes(user, actor=actor)
    if not reason.strip():
        raise ValidationError("Indiquez pourquoi le compte est fermé.", code="reason_required")
    if not user.is_active:
        raise ValidationError("Ce compte est déjà fermé.", code="closed")
    user.is_active = False
    user.save(update_fields=["is_active"])
    forget_mailed_secrets(user)
    _log(user, f"Compte fermé\u00a0: {reason.strip()}", actor)
    security.info("Closed by %s: account %s", actor.username, user.username)


@transaction.atomic
def reopen_account(user: User, *, actor: User) -> None:
    """The password that the person had works again. Raises ValidationError `above`, `open`."""
    user = User.objects.select_for_update().get(pk=user.pk)
    check_not_above(user, actor, "rouvre ce compte")
    if user.is_active:
        raise ValidationError("Ce compte est déjà ouvert.", code="open")
    user.is_active = True
    user.save(update_fields=["is_active"])
    _log(user, "Compte rouvert.", actor)
    security.info("Reopened by %s: account %s", actor.username, user.username)


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


def is_own_password(password: str, *, actor: User, address: str) -> bool:
    """Is it the actor's lasting password? For a page that asks it of somebody signed in.

    The tries count with those of the sign-in page: while access is suspended the answer is no.
    """
    attempt = throttling.begin(actor.username, address)
    if actor.check_password(password) and not attempt.suspended:
        throttling.succeeded(attempt)
        return True
    security.warning(
        "Current password refused (%s): account %s, address %s",
        "suspended" if attempt.suspended else "wrong",
        actor.username,
        address or "unknown",
    )
    return False


@transaction.atomic
def choose_password(password: str, *, actor: User) -> User:
    """Sets the actor's lasting password, which a form has checked; gives the fresh account.

    Every session of the account ends, except one that the caller keeps by `sessions.renew`. What
    was mailed, sent or still to send, dies: whoever knew the former password may have asked for it.
    """
    user = User.objects.select_for_update().get(pk=actor.pk)
    user.set_password(password)
    user.must_choose_password = False
    user.save(update_fields=["password", "must_choose_password"])
    connections.end_all(user)
    forget_mailed_secrets(user)
    throttling.unlock(user)  # what was guessed so far is worth nothing against the new one
    security.info("Password chosen: account %s", user.username)
    return user


@transaction.atomic
def forget_mailed_secrets(user: User) -> None:
    """The one-time password and the address to confirm: neither works, nor leaves, any more."""
    OneTimePassword.objects.filter(user=user).delete()
    EmailChange.objects.filter(user=user).delete()
    Mail.objects.filter(user=user, sent_at=None).delete()
    PasswordRequest.objects.filter(user=user, answered=False).update(answered=True)


def _log(user, message, actor):
    LogEntry.objects.log_actions(actor.pk, [user], CHANGE, message, single_object=True)
