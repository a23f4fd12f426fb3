"""The passwords of « mot de passe perdu »: random, hashed, used once, short-lived."""

import datetime as dt
import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts import connections
from accounts.models import EmailChange, OneTimePassword, User

LENGTH = 12  # of 55 characters: 69 bits
# Copied from a screen by hand as often as pasted: nothing that looks like something else.
UPPER = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LOWER = "abcdefghijkmnpqrstuvwxyz"
DIGITS = "23456789"


def make(user: User) -> tuple[str, dt.datetime]:
    """A new one-time password and its end; the account's older one no longer works.

    It exists in clear in the mail alone: the caller sends it and keeps it nowhere.
    """
    password = _readable()
    expires_at = timezone.now() + dt.timedelta(hours=settings.ONE_TIME_PASSWORD_HOURS)
    OneTimePassword.objects.update_or_create(
        user=user, defaults={"hash": make_password(password), "expires_at": expires_at}
    )
    return password, expires_at


@transaction.atomic
def use(one_time: OneTimePassword) -> User | None:
    """Uses up a one-time password that was given rightly; None if somebody did so just before.

    From here on the lasting password is dead too, and a new one must be chosen. An address that
    waits to be confirmed dies: whoever knew that password may have asked for it.
    """
    # The account before its secrets, like `services.choose_password`: otherwise each may wait for
    # the other. Of two sign-ins at the same moment, one finds the row gone (or replaced).
    user = User.objects.select_for_update().get(pk=one_time.user_id)
    used, _ = OneTimePassword.objects.filter(pk=one_time.pk, hash=one_time.hash).delete()
    if not used:
        return None
    user.set_unusable_password()
    user.must_choose_password = True
    user.save(update_fields=["password", "must_choose_password"])
    connections.end_all(user)
    EmailChange.objects.filter(user=user).delete()
    return user


def _readable():
    while True:
        password = "".join(secrets.choice(UPPER + LOWER + DIGITS) for _ in range(LENGTH))
        if all(set(password) & set(kind) for kind in (UPPER, LOWER, DIGITS)):
            return password
