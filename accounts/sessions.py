"""How long one stays signed in: one hour without doing anything, twelve hours in all.

The session itself holds when it began; accounts.session_store knows when it was last used. The row
of a session that has ended stays a day, emptied: it tells whose it was, and so who may have back
what was typed in it (accounts.typed_input).
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import SESSION_KEY as ACCOUNT
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from accounts import connections, devices
from accounts.addresses import client_address
from accounts.models import User

# What the session holds.
SIGNED_IN_AT = "signed_in_at"  # seconds since 1970; without it nobody came by our door
CONNECTION = "connection"
ENDED_FOR = "ended_for"  # in a session that has ended: whose it was

TOUCH_EVERY = dt.timedelta(minutes=1)  # a write at each request would serve nobody
WARNING = dt.timedelta(minutes=5)  # before the end, where JavaScript runs


@dataclass(frozen=True)
class Limits:
    """When the session of a signed-in person ends."""

    seen_at: dt.datetime
    signed_in_at: dt.datetime

    @property
    def ends_at(self) -> dt.datetime:
        return min(self._idle_end, self._last_end)

    @property
    def left(self) -> int:
        """In seconds, not below nought."""
        return max(0, int((self.ends_at - timezone.now()).total_seconds()))

    @property
    def can_extend(self) -> bool:
        """Whether doing something makes it last longer: not near the twelve hours."""
        return self._idle_end < self._last_end

    @property
    def warning(self) -> int:
        """How many seconds before the end one is warned."""
        return int(WARNING.total_seconds())

    @property
    def _idle_end(self):
        return self.seen_at + dt.timedelta(minutes=settings.SESSION_IDLE_MINUTES)

    @property
    def _last_end(self):
        return self.signed_in_at + dt.timedelta(hours=settings.SESSION_HOURS)


def begin(request: HttpRequest, user: User) -> None:
    """To be called right after `login`: the limits run from here, the connection is recorded."""
    session = request.session
    session.pop(ENDED_FOR, None)
    session[SIGNED_IN_AT] = int(timezone.now().timestamp())
    session[CONNECTION] = connections.begin(
        user,
        device=devices.readable(request.headers.get("User-Agent", "")),
        address=client_address(request),
    ).pk


def renew(request: HttpRequest, user: User) -> None:
    """This session goes on, under a new id, where all those of the account have just ended."""
    update_session_auth_hash(request, user)
    connections.renew(request.session.get(CONNECTION), user)


def keep_or_end(request: HttpRequest, *, counts: bool) -> None:
    """Gives `request.session_limits`, None for nobody: a session past its limits is emptied.

    `counts` says whether this request is somebody's doing, which makes the session last.
    """
    request.session_limits = None
    account = request.session.get(ACCOUNT)
    if account is None:
        return
    limits = _limits_of(request.session)
    if timezone.now() >= limits.ends_at:
        request.session.clear()
    if not request.user.is_authenticated:  # Django itself ends it when the password has changed
        request.session[ENDED_FOR] = account
        return
    request.session_limits = limits
    if counts and timezone.now() >= limits.seen_at + TOUCH_EVERY:
        touch(request)


def touch(request: HttpRequest) -> None:
    """The person is there: the hour begins again."""
    request.session.touch()
    connections.seen(request.session.get(CONNECTION))
    request.session_limits = _limits_of(request.session)


def _limits_of(session: SessionBase) -> Limits:
    signed_in_at = dt.datetime.fromtimestamp(session.get(SIGNED_IN_AT, 0), dt.UTC)
    return Limits(session.seen_at, signed_in_at)
