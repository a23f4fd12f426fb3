"""Reads what a page shows."""

import re

from django.utils.html import strip_tags


def invoices_of(response) -> list:
    """The invoices of a tab, in the order in which they are shown."""
    return [statement.invoice for statement in response.context["statements"]]


def words(response) -> str:
    """The words of the page's main part, without tags, single spaces between them."""
    main = response.content.decode().split("<main", 1)[1].split("</main>")[0]
    text = strip_tags(main.split(">", 1)[1].replace("<br>", " "))
    return re.sub(r"[ \n]+", " ", text).strip()
