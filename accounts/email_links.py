"""The link of « Confirmer cette adresse »: random, hashed, used once; a newer one kills it."""

import datetime as dt
import secrets
from hashlib import sha256

from django.utils import timezone

from accounts.models import EmailChange, User

BYTES = 32


def make(user: User, email: str) -> tuple[str, dt.datetime] | None:
    """The token of a link and its end; None if the account no longer asks for this address.

    It exists in clear in the mail alone: the caller sends it and keeps it nowhere.
    """
    token = secrets.token_urlsafe(BYTES)
    change = EmailChange.objects.filter(user=user, email=email, expires_at__gt=timezone.now())
    if not change.update(hash=_hash(token)):
        return None
    return token, change.get().expires_at


def find(token: str) -> EmailChange | None:
    """The demand that the token confirms; None for an unknown, used, replaced or expired one."""
    return (
        EmailChange.objects.filter(
            hash=_hash(token), expires_at__gt=timezone.now(), user__is_active=True
        )
        .select_related("user")
        .first()
    )


def _hash(token):
    # A fast one: nobody tries 256 random bits one after the other.
    return sha256(token.encode()).hexdigest()
