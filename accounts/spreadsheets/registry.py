"""The lists of every app, by their name in the address, in the order in which they are imported."""

from accounts.models import User
from accounts.spreadsheets.lists import List

_LISTS: dict[str, type[List]] = {}


def register(list_: type[List]) -> type[List]:
    """To put before each list."""
    _LISTS[list_.slug] = list_
    return list_


def lists_of(user: User) -> list[type[List]]:
    """Those that the user may import or export."""
    return [
        each
        for each in sorted(_LISTS.values(), key=lambda each: each.position)
        if may(user, "import", each) or may(user, "export", each)
    ]


def get(slug: str) -> type[List] | None:
    return _LISTS.get(slug)


def may(user: User, verb: str, list_: type[List]) -> bool:
    """`verb` is `import` or `export`."""
    return (list_.can_import or verb == "export") and user.has_perm(list_.permission(verb))
