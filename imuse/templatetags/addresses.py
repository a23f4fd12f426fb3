"""The addresses that every page names; built in, no `{% load %}` needed."""

from django import template

from imuse.navigation import address_of

register = template.Library()


@register.simple_tag
def address(view: str) -> str:
    """As `{% url %}`, of a page that is the same for everybody: worked out once by process."""
    return address_of(view)
