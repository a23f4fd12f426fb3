"""Sessions opened without a password, so that a bench pays for no hash that it does not measure."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

CSRF = "c" * 32  # the double submit compares the cookie and the field, whatever they are


def cookies_of(user, **more) -> dict[str, str]:
    """The cookies of a new session of that account, which holds `more` besides."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            **more,
        }
    )
    store.create()
    return {settings.SESSION_COOKIE_NAME: store.session_key, settings.CSRF_COOKIE_NAME: CSRF}
