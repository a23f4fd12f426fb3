"""The session engine: Django's, in the database, which also knows when a session was last used."""

import datetime as dt

from django.contrib.sessions.backends import db
from django.utils import timezone


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
        row = super()._get_session_from_db()
        self.seen_at = row.expire_date - self._lifetime() if row else None
        return row

    def _lifetime(self):
        return dt.timedelta(seconds=self.get_session_cookie_age())
