"""French typography for the templates; built in, no `{% load %}` needed."""

import math

from django import template
from django.template import defaultfilters

from accounts.dates import NBSP, clock, day, moment, until
from accounts.names import with_de
from billing.money import euros

register = template.Library()

register.filter(euros)
register.filter("de", with_de)
register.filter(moment)
register.filter(clock)
register.filter(day)
register.filter(until)


@register.filter
def pluralize(value, endings: str = "s") -> str:
    """Django's, as French counts: nought is singular too (« 0 message »)."""
    return defaultfilters.pluralize(value or 1, endings)


@register.filter
def whole_euros(amount) -> str:
    """A quotient familial: « 743 », « 743,50 » – in euros, which nobody writes after it."""
    return f"{amount:.2f}".removesuffix(".00").replace(".", ",")


@register.filter
def megabytes(size: int) -> str:
    """A size in bytes: « 1,4 Mo », « 312 Ko ».

    Rounded up: a file that is one byte over the limit of 2 Mo does not say « 2,0 Mo ».
    """
    kilobytes = math.ceil(size / 1024)
    if kilobytes < 1024:
        return f"{kilobytes}{NBSP}Ko"
    return f"{math.ceil(size * 10 / 1024 / 1024) / 10}".replace(".", ",") + f"{NBSP}Mo"
