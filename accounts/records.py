"""A row as the person it is about reads it, in the copy of « Mes données »."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.db import models
from django.utils import timezone


def record(row: models.Model, names: Iterable[str], **said) -> dict:
    """The fields `names` of a row, under their French names, ready for JSON.

    Dates are in ISO 8601 (moments with Paris' offset), amounts in text, choices and other rows as
    the pages show them. `said` gives what to write in the place of some of the fields.
    """
    assert set(said) <= set(names)
    return {
        str(row._meta.get_field(name).verbose_name): said[name]
        if name in said
        else _readable(row, row._meta.get_field(name))
        for name in names
    }


def _readable(row, field):
    if field.many_to_many:
        return [str(other) for other in getattr(row, field.name).all()]
    if field.choices:
        return getattr(row, f"get_{field.name}_display")()
    match getattr(row, field.name):
        case models.Model() | Decimal() as value:
            return str(value)
        case dt.datetime() as at:
            return timezone.localtime(at).isoformat(timespec="seconds")
        case dt.date() | dt.time() as value:
            return value.isoformat()
        case value:
            return value
