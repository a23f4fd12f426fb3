"""The demo lives in the past: what the services write is dated by the clock they read."""

import datetime as dt
from contextlib import contextmanager
from unittest import mock

from django.utils import timezone


class Clock:
    """Counts from the day on which the demo is made, in Paris."""

    def __init__(self):
        self.today = timezone.localdate()

    def day(self, days: int) -> dt.date:
        """So many days from today; negative: ago."""
        return self.today + dt.timedelta(days=days)

    def moment(self, days: int, hour: int, minute: int = 0) -> dt.datetime:
        return timezone.make_aware(dt.datetime.combine(self.day(days), dt.time(hour, minute)))

    @contextmanager
    def at(self, moment: dt.datetime):
        """Within, `timezone.now()` is that moment, for this process: a command, alone in it."""
        with mock.patch.object(timezone, "now", return_value=moment):
            yield
