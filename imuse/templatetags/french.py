"""French typography for the templates; built in, no `{% load %}` needed."""

import math

from django import template
from django.utils import timezone
from django.utils.formats import date_format

from accounts.names import with_de
from billing.money import euros
from students.models.courses import french_time

register = template.Library()

NBSP = "\u00a0"


register.filter(euros)
register.filter("de", with_de)


@register.filter
def moment(at) -> str:
    """« 3 mai 2027 à 18 h 30 », in Paris time."""
    local = timezone.localtime(at)
    return f"{day(local)} à {french_time(local.time())}"


@register.filter
def clock(at) -> str:
    """« 18 h 30 », in Paris time."""
    return french_time(timezone.localtime(at).time())


@register.filter
def day(date) -> str:
    """« 3 mai 2027 », « 1er juillet 2027 »."""
    return f"{'1er' if date.day == 1 else date.day}{NBSP}{date_format(date, 'F Y')}"


@register.filter
def megabytes(size: int) -> str:
    """A size in bytes: « 1,4 Mo », « 312 Ko ».

    Rounded up: a file that is one byte over the limit of 2 Mo does not say « 2,0 Mo ».
    """
    kilobytes = math.ceil(size / 1024)
    if kilobytes < 1024:
        return f"{kilobytes}{NBSP}Ko"
    return f"{math.ceil(size * 10 / 1024 / 1024) / 10}".replace(".", ",") + f"{NBSP}Mo"
