"""Files without a row, rows without their file: what a worker killed halfway leaves behind.

`sweep` deletes the former and reports the latter, folder after folder, so that the names of one
folder alone are in memory. It may be run at any time, and twice at once.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils import timezone

from accounts.models import private_storage
from accounts.private_files import Shelf, shelves

logger = logging.getLogger(__name__)

# A file is stored before its row is committed: a younger one may be an upload in progress.
AGE = dt.timedelta(hours=1)
_FOLDERS = [f"{number:02x}" for number in range(256)]  # of documents.models.storage_name
PIECES = Shelf("documents.Document", "file", _FOLDERS)
PAGES = Shelf("documents.PageImage", "file", _FOLDERS)
EXAMPLES = Shelf("documents.DocumentType", "example", ["examples"])


class TooManyOrphans(Exception):
    """So many that the database is more likely the wrong one; nothing was deleted."""


class StorageDown(Exception):
    """It does not answer, or not to us; nothing was looked at."""


@dataclass
class Sweep:
    """What was found: orphans are files that no row names, of `orphan_bytes` in all."""

    orphans: list[str] = field(default_factory=list)
    orphan_bytes: int = 0
    deleted: int = 0
    failed: int = 0
    missing: int = 0


def sweep(*, limit: int, dry_run: bool = False, on_missing=lambda sentence: None) -> Sweep:
    """Deletes the orphans, but for the recent ones; `on_missing` is told each missing file.

    Raises StorageDown, and TooManyOrphans past `limit`.
    """
    storage = private_storage()
    _check(storage)
    found = Sweep()
    for folder, owners in sorted(_folders().items()):
        kept = _listed(storage, folder)
        rows = {name: shelf for shelf in owners for name in shelf.names(folder)}
        for sentence in _missing(storage, rows, rows.keys() - kept):
            on_missing(sentence)
            found.missing += 1
        for name in _orphans(storage, owners, kept - rows.keys()):
            found.orphans.append(name)
            found.orphan_bytes += _size(storage, name)
            if len(found.orphans) > limit:
                raise TooManyOrphans
    if not dry_run:
        _delete(storage, found)
    return found


def _check(storage):
    """A folder that is not mounted, a bucket that is another's: said before any row is accused."""
    try:
        storage.listdir("")
    except Exception as error:  # each storage has its own
        raise StorageDown(str(error)) from error


def _folders():
    """Each folder with those who keep files there."""
    folders = {}
    for shelf in shelves():
        for folder in shelf.folders:
            folders.setdefault(folder, []).append(shelf)
    return folders


def _listed(storage, folder):
    try:
        _, names = storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever kept there
        return set()
    return {f"{folder}/{name}" for name in names}


def _missing(storage, rows, names) -> Iterator[str]:
    """The rows were read after the folder: each one is asked for again."""
    for name in sorted(names):
        shelf = rows[name]
        if not storage.exists(name):
            row = shelf.rows().filter(**{shelf.field: name}).first()
            if row is not None:  # it may have let its file go meanwhile
                yield f"{row._meta.verbose_name} {row.pk}\u00a0: le fichier {name} manque."


def _orphans(storage, owners, names) -> Iterator[str]:
    """Old enough, and still without a row."""
    limit = timezone.now() - AGE
    old = [name for name in sorted(names) if _is_older(storage, name, limit)]
    named = set()
    for shelf in owners:
        named |= shelf.named(old)
    yield from (name for name in old if name not in named)


def _is_older(storage, name, limit):
    try:
        return storage.get_modified_time(name) < limit
    except Exception:  # deleted meanwhile, by another sweep: each storage has its own
        return False


def _size(storage, name):
    try:
        return storage.size(name)
    except Exception:  # as above
        return 0


def _delete(storage, found):
    for name in found.orphans:
        try:
            storage.delete(name)
        except Exception:  # the next sweep tries again
            logger.exception("The file %s, which no row names, could not be deleted.", name)
            found.failed += 1
        else:
            found.deleted += 1
