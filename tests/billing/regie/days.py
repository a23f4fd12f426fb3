"""Moves the clock of a test to noon of a day, in Paris."""

import datetime as dt
from contextlib import contextmanager
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def on(day: dt.date):
    noon = dt.datetime.combine(day, dt.time(11), tzinfo=dt.UTC)
    with patch.object(timezone, "now", lambda: noon):
        yield
