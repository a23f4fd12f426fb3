"""What somebody sent on a session that had ended: kept, and given back to the same person.

It waits in the browser's anonymous session, with the account that had the session: whoever signs in
to another account destroys it. It is never played by itself: the page « Votre saisie est gardée »
shows a button that sends it again, and the page it goes to judges it as if it had just been typed.
"""

import re
from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from accounts.sessions import ENDED_FOR

_KEY = "typed_input"
MAX_BYTES = 100_000
_SECRET = re.compile(r"csrfmiddlewaretoken|password|passe|^code$|otp", re.IGNORECASE)
# Its forms hold passwords and codes, or nothing worth keeping.
_NEVER = {"accounts"}


@dataclass(frozen=True)
class TypedInput:
    path: str
    fields: list[tuple[str, str]]
    had_files: bool


def keep(request: HttpRequest) -> TypedInput | None:
    """Keeps what this request carries; None if nothing can be, or nobody knows whose it is.

    To be called once the CSRF token has been checked: no other site may plant anything here.
    """
    account = request.session.get(ENDED_FOR)
    if account is None or not is_form(request) or request.resolver_match.namespace in _NEVER:
        return None
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if not _SECRET.search(name)
        for value in values
    ]
    size = sum(len(name.encode()) + len(value.encode()) for name, value in fields)
    if not fields or size > MAX_BYTES:
        return None
    typed = TypedInput(request.get_full_path(), fields, bool(request.FILES))
    request.session[_KEY] = {"account": account, **vars(typed)}
    return typed


def hand_over(request: HttpRequest) -> None:
    """To be called right after `login`: what is another account's is destroyed."""
    kept = request.session.get(_KEY)
    if kept and kept["account"] != str(request.user.pk):
        drop(request.session)


def of(session: SessionBase) -> TypedInput | None:
    """What waits for the person signed in."""
    kept = session.get(_KEY)
    if kept is None:
        return None
    return TypedInput(kept["path"], [tuple(field) for field in kept["fields"]], kept["had_files"])


def drop(session: SessionBase) -> None:
    session.pop(_KEY, None)


def is_form(request: HttpRequest) -> bool:
    """Sent by somebody's click; a script that posts leaves the page, and what it shows, there."""
    return request.method == "POST" and request.headers.get("Sec-Fetch-Mode") in (None, "navigate")
