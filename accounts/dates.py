"""Dates and hours as people write them in French; the templates have them as filters."""

import datetime as dt

from django.utils import timezone

NBSP = "\u00a0"
MONTHS = [
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
]  # fmt: skip


def moment(at: dt.datetime) -> str:
    """« 3 mai 2027 à 18 h 30 », in Paris time."""
    return f"{day(timezone.localtime(at))} à {clock(at)}"


def clock(at: dt.datetime) -> str:
    """« 18 h 30 », in Paris time."""
    return french_time(timezone.localtime(at).time())


def until(at: dt.datetime) -> str:
    """« jusqu'à 18 h 30 »; « jusqu'au 3 mai 2027 à 18 h 30 » from twelve hours ahead on."""
    is_near = at - timezone.now() < dt.timedelta(hours=12)
    return f"jusqu'à {clock(at)}" if is_near else f"jusqu'au {moment(at)}"


def day(date: dt.date) -> str:
    """« 3 mai 2027 », « 1er juillet 2027 »."""
    return f"{'1er' if date.day == 1 else date.day}{NBSP}{MONTHS[date.month - 1]} {date.year}"


def french_time(time: dt.time) -> str:
    """« 18 h 30 », « 20 h »."""
    hour = f"{time.hour}{NBSP}h"
    return f"{hour}{NBSP}{time.minute:02}" if time.minute else hour
