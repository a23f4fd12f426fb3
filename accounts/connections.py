"""« Mes connexions »: the sign-ins of an account, those still open, and closing the others."""

import datetime as dt

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.addresses import truncated
from accounts.authority import may_act_on
from accounts.models import Connection, User
from accounts.throttling import security

# CNIL, deliberation 2021-122: logs of who came in are kept six months to a year.
KEPT_FOR = dt.timedelta(days=183)
SHOWN = 20


def begin(user: User, *, device: str, address: str) -> Connection:
    """Records a sign-in of `user`, as the backend gave him (`signed_in_by`)."""
    now = timezone.now()
    return Connection.objects.create(
        user=user,
        started_at=now,
        seen_at=now,
        means=user.signed_in_by,
        device=device,
        address=truncated(address),
        generation=user.session_generation,
    )


def seen(key: int | None) -> None:
    Connection.objects.filter(pk=key).update(seen_at=timezone.now())


def second_factor_shown(key: int | None) -> None:
    Connection.objects.filter(pk=key).update(second_factor=True)


def renew(key: int | None, user: User) -> None:
    """This session outlives `end_all`."""
    Connection.objects.filter(pk=key).update(generation=user.session_generation)


def end(key: int | None) -> None:
    """Signing out."""
    Connection.objects.filter(pk=key, ended_at=None).update(ended_at=timezone.now())


def last_ones(user: User) -> QuerySet[Connection]:
    """The last sign-ins, the newest first; `is_open` says whether the session still is."""
    now = timezone.now()
    is_open = Q(
        ended_at=None,
        generation=user.session_generation,
        seen_at__gt=now - dt.timedelta(minutes=settings.SESSION_IDLE_MINUTES),
        started_at__gt=now - dt.timedelta(hours=settings.SESSION_HOURS),
    )
    rows = Connection.objects.visible_to(user).annotate(is_open=is_open)
    return rows.order_by("-started_at", "-pk")[:SHOWN]


@transaction.atomic
def close_others(*, actor: User) -> User:
    """Ends every session of the actor; the caller keeps his own by `sessions.renew`.

    Gives the fresh account. Raises ValidationError `closed` when another device has just done so:
    the first one wins.
    """
    user = User.objects.select_for_update().get(pk=actor.pk)
    if user.session_generation != actor.session_generation:
        raise ValidationError("Cette session vient d'être fermée.", code="closed")
    end_all(user)
    security.info("Other sessions closed: account %s", user.username)
    return user


def close_all(user: User, *, actor: User) -> None:
    """The staff ends every session of an account. Raises ValidationError for one above his own."""
    if not may_act_on(user, actor=actor):
        raise ValidationError("Seule la direction ferme les sessions de ce compte.", code="above")
    end_all(user)
    security.info("Sessions closed by %s: account %s", actor.username, user.username)


def end_all(user: User) -> None:
    """Each session of the account ends at its next request: its generation is over."""
    user.session_generation = F("session_generation") + 1
    user.save(update_fields=["session_generation"])
    user.refresh_from_db(fields=["session_generation"])


def purge() -> int:
    """Deletes what has been kept long enough and gives how many rows that was."""
    deleted, _ = Connection.objects.filter(started_at__lte=timezone.now() - KEPT_FOR).delete()
    return deleted
