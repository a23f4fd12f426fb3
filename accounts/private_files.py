"""The private storage is shared: which folders are whose, and which of their names a row gives.

Whoever keeps files there puts a `Shelf` in settings.PRIVATE_FILES. `sweep_documents` looks at the
folders of the shelves, and at nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Shelf:
    """The files that one field names, and the folders where they all are.

    The folders hold files only, and few enough for the names of one to be held in memory.
    """

    model: str  # « documents.Document »
    field: str
    folders: list[str]

    def rows(self) -> QuerySet:
        return apps.get_model(self.model).objects.exclude(**{self.field: ""}).order_by()

    def names(self, folder: str) -> set[str]:
        """The files of this folder that a row names."""
        inside = self.rows().filter(**{f"{self.field}__startswith": f"{folder}/"})
        return set(inside.values_list(self.field, flat=True).iterator())

    def named(self, names: Iterable[str]) -> set[str]:
        """Those of these names that a row gives."""
        rows = self.rows().filter(**{f"{self.field}__in": list(names)})
        return set(rows.values_list(self.field, flat=True))


LISTS = Shelf("accounts.ListImport", "file", ["lists"])


def shelves() -> list[Shelf]:
    return [import_string(path) for path in settings.PRIVATE_FILES]
