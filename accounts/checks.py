"""What the environment may not ask for: `manage.py check`, and every command, refuse it."""

from django.conf import settings
from django.core.checks import Error

SHORTEST_IDLE = 10  # minutes


def check_session_idle_minutes(app_configs, **kwargs):
    """One is warned five minutes before the end (accounts.sessions): not on each page at once."""
    if settings.SESSION_IDLE_MINUTES >= SHORTEST_IDLE:
        return []
    return [
        Error(
            f"SESSION_IDLE_MINUTES vaut {settings.SESSION_IDLE_MINUTES}\u00a0:"
            f" {SHORTEST_IDLE} au moins.",
            id="accounts.E001",
        )
    ]
