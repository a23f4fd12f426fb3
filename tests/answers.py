"""What a page answers: its words, or all of it, to compare two answers."""

import re
from html import unescape

from django.utils.html import strip_tags

# The token of a form, and the seconds that the session has left.
CHANGING = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|data-left="\d+"')


def answer_of(response, *keys) -> tuple[int, str, str]:
    """Status, address and text, without what changes each time, nor the keys that were sent."""
    text = CHANGING.sub("", "" if response.streaming else response.text)
    where = response.headers.get("Location", "")
    for key in keys:
        text, where = (
            re.sub(rf"(?<!\d){re.escape(str(key))}(?!\d)", "…", each) for each in (text, where)
        )
    return response.status_code, where, text


def words_of(response) -> str:
    """What is read on the page, on one line; an unbreakable space is a space."""
    return " ".join(unescape(strip_tags(response.text)).split())
