"""Rows ticked on a list of several pages: their keys go from page to page in a hidden field.

The list posts `foyers` (ticked on the other pages too), `montres` (those that this page shows) and
`foyer`, the boxes ticked on this page.
"""

from collections.abc import Iterable

from django.http import QueryDict


def ticked(data: QueryDict) -> set[int]:
    """The keys ticked on the page shown, and those of the other pages."""
    shown = _keys(data.get("montres", ""))
    here = _keys(",".join(data.getlist("foyer")))
    return _keys(data.get("foyers", "")) - shown | shown & here


def written(keys: Iterable[int]) -> str:
    return ",".join(map(str, sorted(keys)))


def _keys(text) -> set[int]:
    """What cannot be a key is left out."""
    return {
        int(word)
        for word in text.split(",")
        if word.isascii() and word.isdecimal() and len(word) < 16
    }
