"""The session engine: Django's, in the database, which also knows when a session was last used."""

import datetime as dt

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.prepared import Text, prepared


class SessionStore(db.SessionStore):
    """`seen_at`: when the row was last written or touched; None for a session without a row.

    It is the row's own `expire_date`, less what Django added to it: nothing more to store, and
    `touch` writes this one column. Saving the whole session at each request would undo what
    another request of the same browser wrote meanwhile.
    """

    seen_at = None

    def touch(self) -> None:
        """The session is being used."""
        now = timezone.now()
        rows = self.model.objects.filter(session_key=self.session_key)
        rows.update(expire_date=now + self._lifetime())
        self.seen_at = now

    def _get_session_from_db(self):
        found = _live(Text(self.session_key), timezone.now())
        if not found:
            self._session_key = self.seen_at = None
            return None
        self.seen_at = found[0].expire_date - self._lifetime()
        return found[0]

    def _lifetime(self):
        return dt.timedelta(seconds=self.get_session_cookie_age())


@prepared
def _live(key: Text, now: dt.datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
