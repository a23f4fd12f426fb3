"""A file is kept as long as somebody relies on it; then it goes, and its row says why and when.

The apps to the right say what they do with pieces: a `Use` named in settings.DOCUMENT_USES.
"""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from documents.enums import FileGone
from documents.models import Document
from documents.previews.queue import discard_pages
from families.files_to_delete import schedule


class Use:
    """What one app does with pieces: two conditions on `Document`."""

    def relied_on(self) -> Q:
        """Somebody must still be able to open the file."""
        raise NotImplementedError

    def used_since(self, day: dt.date) -> Q:
        """It served for a school year that ends on this day or later."""
        raise NotImplementedError


def relied_on() -> Q:
    return _any(use.relied_on() for use in _uses())


def used_since(day: dt.date) -> Q:
    return _any(use.used_since(day) for use in _uses())


def let_go(pks: Iterable, reason: FileGone) -> list[Document]:
    """The files of these rows go, but for those that somebody relies on; gives the rows emptied.

    The caller's transaction holds the rows locked: whoever comes to rely on one locks it first. The
    files themselves are deleted after the commit, until the storage obeys (files_to_delete).
    """
    rows = Document.objects.filter(pk__in=list(pks)).with_file()
    emptied = list(rows.exclude(relied_on()).select_related("type"))
    schedule(document.file.name for document in emptied)
    discard_pages(*emptied)
    now = timezone.now()
    Document.objects.filter(pk__in=[document.pk for document in emptied]).update(
        file="", file_gone_at=now, file_gone_reason=reason, **_out_of_use(reason, now)
    )
    return emptied


def _out_of_use(reason, now):
    """A current piece has its file: past its time it is asked for again."""
    return {"removed_at": Coalesce("removed_at", now)} if reason == FileGone.RETENTION else {}


def _uses():
    return [import_string(path)() for path in settings.DOCUMENT_USES]


def _any(conditions):
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found
