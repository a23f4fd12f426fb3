"""What a page answers, to be compared with what it answers to somebody else's key."""

import re

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
