"""Private files that no row names any more: deleted after the commit, until the storage obeys."""

import datetime as dt
import logging
from collections.abc import Iterable

from django.utils import timezone

from accounts.models import private_storage
from families.models import FileToDelete

logger = logging.getLogger(__name__)

# After each failure; the last one again and again: a file of an erased household must go.
DELAYS = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60)]


def schedule(names: Iterable[str]) -> None:
    """Writes which files must go, in the caller's transaction."""
    FileToDelete.objects.bulk_create(
        [FileToDelete(name=name, due_at=timezone.now()) for name in names if name],
        ignore_conflicts=True,
    )


def delete_next() -> FileToDelete | None:
    """Deletes one file; None when none is due. Run by `send_mails` between two mails.

    Two senders may try the same file: deleting is the same thing once or twice.
    """
    row = FileToDelete.objects.filter(due_at__lte=timezone.now()).first()
    if row is None:
        return None
    try:
        private_storage().delete(row.name)
    except FileNotFoundError:
        pass  # gone already
    except Exception:  # each storage has its own
        logger.exception("The file %s could not be deleted", row.name)
        return _try_later(row)
    row.delete()
    return row


def _try_later(row):
    delay = DELAYS[min(row.attempts, len(DELAYS) - 1)]
    FileToDelete.objects.filter(pk=row.pk).update(
        attempts=row.attempts + 1, due_at=timezone.now() + delay
    )
    return row
