"""French typography for the templates; built in, no `{% load %}` needed."""

from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format

register = template.Library()

NBSP = "\u00a0"
NARROW = "\u202f"  # between thousands


@register.filter
def euros(amount: Decimal) -> str:
    """`Decimal("1234.5")` gives « 1 234,50 € »."""
    return f"{amount:,.2f}".replace(",", NARROW).replace(".", ",") + f"{NBSP}€"


@register.filter
def moment(at) -> str:
    """« 3 mai 2027 à 18 h 30 », in Paris time."""
    local = timezone.localtime(at)
    hour = f"{local.hour}{NBSP}h{NBSP}{local.minute:02}"
    return f"{date_format(local, 'j F Y')} à {hour}"


@register.filter
def megabytes(size: int) -> str:
    """A size in bytes: « 1,4 Mo », « 312 Ko »."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))}{NBSP}Ko"
    return f"{size / 1024 / 1024:.1f}".replace(".", ",") + f"{NBSP}Mo"
