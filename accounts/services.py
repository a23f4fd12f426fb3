"""What may be done to an account; accounts.one_time_passwords and accounts.mails hold the rest."""

from django.db import transaction

from accounts import mails
from accounts.models import Mail, OneTimePassword, User


def ask_for_one_time_password(*, username: str, email: str) -> None:
    """« mot de passe perdu » (the manual, annex 1): a mail, if both are those of an open account.

    Nothing tells the caller whether they are.
    """
    user = User.objects.filter(username=User.normalize_username(username), is_active=True).first()
    if user and user.email.casefold() == email.strip().casefold():
        mails.queue_one_time_password(user)


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
    return user


@transaction.atomic
def forget_one_time_password(user: User) -> None:
    """What was mailed no longer works, what waits does not leave."""
    OneTimePassword.objects.filter(user=user).delete()
    Mail.objects.filter(user=user, sent_at=None).delete()
