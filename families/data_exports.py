"""« Demander une copie de mes données »: asked in the page, made by `send_mails`, kept a week.

A sender takes a row in a short transaction, writes the archive outside any, and says in a last
transaction that it is ready, if it still has the row. Killed at any instant, the row is taken again
once its hold has run out; each attempt has a file of its own, and those that did not win are
deleted (families/files_to_delete.py).
"""

import datetime as dt
import hashlib
import logging
import tempfile

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from accounts import emails, mails
from accounts.enums import MailKind
from accounts.models import User, private_storage
from accounts.private_files import Shelf
from families import archives, files_to_delete
from families.enums import ExportState
from families.holdings import NOT_A_GUARDIAN, Copy
from families.models import DataExport, Family, Guardian

logger = logging.getLogger(__name__)

LIFE = dt.timedelta(days=7)
PER_DAY = 3  # for one person
HOLD = dt.timedelta(minutes=5)  # past it the sender is taken for dead; prolonged at each file
BEAT = dt.timedelta(minutes=1)  # no more often than this
DELAYS = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
MAX_ATTEMPTS = len(DELAYS) + 1
FOLDER = "exports"
COPIES = Shelf("families.DataExport", "file", [FOLDER])


class Overtaken(Exception):
    """Another sender has the row by now, or the household was erased meanwhile."""


@transaction.atomic
def ask(family: Family, *, actor: User) -> DataExport:
    """Writes down that a guardian wants his copy; the one under way, if there is one.

    Raises ValidationError `too_many` past PER_DAY, `not_a_guardian` when he is not one any more.
    """
    # His own row keeps two tabs, or a double click, from asking at the same time.
    own = Guardian.objects.select_for_update(no_key=True).filter(family=family, user=actor)
    if own.first() is None:  # the household was erased while this waited
        raise ValidationError(NOT_A_GUARDIAN, code="not_a_guardian")
    asked = DataExport.objects.filter(asked_by=actor)
    if waiting := asked.filter(state=ExportState.WAITING).first():
        return waiting
    now = timezone.now()
    if asked.filter(asked_at__gt=now - dt.timedelta(days=1)).count() >= PER_DAY:
        raise ValidationError(
            f"Vous avez demandé {PER_DAY} copies depuis hier\u00a0: réessayez demain.",
            code="too_many",
        )
    return DataExport.objects.create(family=family, asked_by=actor, asked_at=now, due_at=now)


def prepare_next(now: dt.datetime | None = None) -> DataExport | None:
    """Makes one copy that waits; None when none is due. `now` is for the tests.

    Whatever goes wrong with one is noted in its row, and the next ones go on.
    """
    export = _take(now or timezone.now())
    if export is None:
        return None
    try:
        _prepare(export)
    except Overtaken:
        logger.warning("Data export %s was taken by another sender, or is gone", export.pk)
    except (OperationalError, InterfaceError):  # the database: the row waits for its hold's end
        raise
    except Exception:  # the storage, or one household's data
        logger.exception("Data export %s failed, try %s", export.pk, export.attempts)
        _try_later(export)
    return export


def expire_due() -> int:
    """Forgets the copies whose week is over, and gives how many; every night."""
    due = DataExport.objects.filter(state=ExportState.READY, expires_at__lte=timezone.now())
    return _expire(due)


def file_name(export: DataExport, attempt: int) -> str:
    """Where an attempt keeps its archive: nothing in it says whose it is."""
    return f"{FOLDER}/{export.key.hex}-{attempt}"


@transaction.atomic
def delete_all(family: Family) -> None:
    """Rows and files go; whoever is making one finds its row gone."""
    rows = DataExport.objects.select_for_update().filter(family=family)
    for export in rows:
        files_to_delete.schedule([export.file.name, *_attempts(export)])
    rows.delete()


def _take(now):
    due = DataExport.objects.filter(
        Q(taken_until=None) | Q(taken_until__lte=now), state=ExportState.WAITING, due_at__lte=now
    ).order_by("due_at", "pk")
    if not due.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    with transaction.atomic():
        export = due.select_for_update(skip_locked=True).first()
        if export and export.attempts >= MAX_ATTEMPTS:  # it kills its senders
            _give_up(export)
        elif export:
            export.taken_until = now + HOLD
            export.attempts += 1
            export.save(update_fields=["taken_until", "attempts"])
    return export


def _prepare(export):
    if export.state == ExportState.FAILED:
        return
    copy = _copy_for(export)
    with tempfile.TemporaryFile() as spool:
        archives.write(spool, copy, beat=_Heart(export).beat)
        size = spool.tell()
        spool.seek(0)
        sha256 = hashlib.file_digest(spool, "sha256").hexdigest()
        spool.seek(0)
        wanted = file_name(export, export.attempts)
        name = private_storage().save(wanted, File(spool, name=wanted))
    try:
        _finish(export, copy, name=name, size=size, sha256=sha256)
    except Overtaken:
        files_to_delete.schedule([name])
        raise


def _copy_for(export):
    """Raises Overtaken, and gives the row up, when nobody is there any more to read it."""
    guardian = (
        Guardian.objects.select_related("user", "family__commune")
        .filter(family=export.family_id, user=export.asked_by_id, user__is_active=True)
        .first()
    )
    if guardian is None:
        with transaction.atomic():
            _give_up(_ours(export))
        raise Overtaken
    return Copy(guardian)


class _Heart:
    """Says to the other senders that this one lives."""

    def __init__(self, export):
        self.export, self.last = export, timezone.now()

    def beat(self):
        now = timezone.now()
        if now - self.last < BEAT:
            return
        self.last = now
        if not _mine(self.export).update(taken_until=now + HOLD):
            raise Overtaken


def _mine(export):
    """The row, as long as no other sender has taken it."""
    return DataExport.objects.filter(
        pk=export.pk, attempts=export.attempts, state=ExportState.WAITING
    )


def _ours(export):
    """The row, locked. Raises Overtaken."""
    row = _mine(export).select_for_update().first()
    if row is None:
        raise Overtaken
    return row


@transaction.atomic
def _finish(export, copy, *, name, size, sha256):
    export = _ours(export)
    now = timezone.now()
    _expire(DataExport.objects.filter(asked_by=export.asked_by_id, state=ExportState.READY))
    export.state, export.file = ExportState.READY, name
    export.size, export.sha256 = size, sha256
    export.expires_at, export.taken_until = now + LIFE, None
    export.save(update_fields=["state", "file", "size", "sha256", "expires_at", "taken_until"])
    files_to_delete.schedule(each for each in _attempts(export) if each != name)
    _tell(export, copy.guardian)


@transaction.atomic
def _try_later(export):
    """Waits longer and longer, then gives up; the page says so, and another may be asked for."""
    row = _mine(export).select_for_update().first()
    if row is None:
        files_to_delete.schedule([file_name(export, export.attempts)])
    elif row.attempts >= MAX_ATTEMPTS:
        _give_up(row)
    else:
        row.due_at, row.taken_until = timezone.now() + DELAYS[row.attempts - 1], None
        row.save(update_fields=["due_at", "taken_until"])


def _give_up(export):
    export.state, export.taken_until = ExportState.FAILED, None
    export.save(update_fields=["state", "taken_until"])
    files_to_delete.schedule(_attempts(export))
    guardian = Guardian.objects.filter(family=export.family_id, user=export.asked_by_id).first()
    if guardian:
        _tell(export, guardian)


@transaction.atomic
def _expire(exports):
    exports = list(exports.select_for_update())
    files_to_delete.schedule(export.file.name for export in exports)
    DataExport.objects.filter(pk__in=[export.pk for export in exports]).update(
        state=ExportState.EXPIRED, file=""
    )
    return len(exports)


def _attempts(export):
    """Every name that a try may have left something under."""
    return [file_name(export, number) for number in range(1, export.attempts + 1)]


def _tell(export, guardian):
    """A mail without anything secret: the page that it leads to asks to sign in."""
    subject, body = emails.compose(
        "data_export",
        {
            "export": export,
            "guardian": guardian,
            "establishment": export.asked_by.establishments.order_by("name").first(),
            "url": settings.SITE_URL + reverse("families:my_data"),
        },
    )
    key = f"{export.pk}:{export.state}:{guardian.pk}"
    mails.queue(MailKind.DATA_EXPORT, key=key, to=guardian.email, subject=subject, body=body)
