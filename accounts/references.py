"""The number by which the town's former software, or its own lists, know somebody."""

from django.core.validators import RegexValidator
from django.db import models


class ReferenceField(models.CharField):
    """Unique, and NULL for who has none; lists find a row again by it (accounts/spreadsheets).

    « #12 » is how an export names a row without one: no reference begins so.
    """

    def __init__(self, verbose_name="référence", **kwargs):
        kwargs.setdefault("max_length", 30)
        kwargs.setdefault("help_text", "Son numéro dans vos listes, s'il en a un.")
        kwargs.setdefault(
            "validators",
            [RegexValidator("^[^#]", "Une référence ne commence pas par «\u00a0#\u00a0».")],
        )
        kwargs.setdefault("error_messages", {"unique": "Cette référence est déjà prise."})
        kwargs.update(unique=True, null=True, blank=True)
        super().__init__(verbose_name, **kwargs)


def reference_of(row: models.Model) -> str:
    """« F-1024 »; « #12 » for a row without one; empty for one that is not saved yet."""
    return row.reference or (f"#{row.pk}" if row.pk else "")
