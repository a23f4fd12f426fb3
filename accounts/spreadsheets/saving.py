"""How a checked list is written: what each app's service does with its own rows."""

from django.db import models

from accounts.names import SortNameField
from accounts.revisions import RevisionField

AT_ONCE = 500  # rows of one INSERT


def save_rows(created: list[models.Model], changed: list[tuple[models.Model, list[str]]]) -> None:
    """Inserts the new rows, and of each changed one the attributes that changed.

    The keys of sorting and the revisions follow: `bulk_create` and `save` call each field's
    `pre_save`.
    """
    if created:
        type(created[0])._default_manager.bulk_create(created, batch_size=AT_ONCE)
    for row, names in changed:
        row.save(update_fields=[*names, *_that_follow(row)])


def _that_follow(row):
    following = (SortNameField, RevisionField)
    return [field.name for field in row._meta.fields if isinstance(field, following)]
