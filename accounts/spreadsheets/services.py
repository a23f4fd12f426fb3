"""A file is received, checked, imported, forgotten; an export is logged."""

import datetime as dt
import logging
from hashlib import sha256

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Establishment, ListExport, ListImport, User, list_storage_name
from accounts.spreadsheets.lists import List
from accounts.spreadsheets.reading import Sheet, read
from accounts.spreadsheets.reports import Report

logger = logging.getLogger(__name__)

KEPT = dt.timedelta(days=1)
AT_ONCE = 1000  # rows of one query
CHANGED = (
    "Les données ont changé depuis la vérification\u00a0: rien n'est importé. Voici ce que le"
    " fichier ferait maintenant."
)


def receive(list_: List, name: str, content: bytes) -> ListImport:
    """Keeps a file that can be read and has the list's columns, until it is imported.

    Raises ValidationError: see reading.read and List.known_headers; `storage_down`.
    """
    list_.known_headers(read(content).headers)
    return keep(list_.actor, list_.slug, name, content)


def keep(actor: User, slug: str, name: str, content: bytes) -> ListImport:
    """Keeps what was found good to be checked. Raises ValidationError, code `storage_down`."""
    received = ListImport(
        actor=actor,
        list=slug,
        name=name[-200:],
        sha256=sha256(content).hexdigest(),
        received_at=timezone.now(),
    )
    received.file.name = list_storage_name(received, name)
    received.save(force_insert=True)  # first, so that a file never lacks the row that forgets it
    try:
        received.file.storage.save(received.file.name, ContentFile(content))
    except Exception as error:  # each storage has its own, and full or down is one to the agent
        logger.exception("The file of a list could not be kept.")
        raise ValidationError(
            "Le fichier n'a pas pu être gardé\u00a0: réessayez dans quelques minutes.",
            code="storage_down",
        ) from error
    return received


def sheet_of(received: ListImport) -> Sheet:
    """Raises ValidationError as `content_of`."""
    return read(content_of(received))


def content_of(received: ListImport) -> bytes:
    """What was received, exactly. Raises ValidationError, code `forgotten`."""
    content = b""
    if received.file:
        try:
            with received.file.open() as stored:
                content = stored.read()
        except Exception:  # each storage has its own
            logger.exception("The file of the list %s could not be read.", received.pk)
    if sha256(content).hexdigest() != received.sha256:
        raise ValidationError(
            "Ce fichier n'est plus gardé\u00a0: envoyez-le à nouveau.", code="forgotten"
        )
    return content


def carry_out(received: ListImport, list_: List, *, fingerprint: str) -> ListImport:
    """Imports the file, whole, if it does what the report of this fingerprint said.

    Already imported, nothing is done. Raises ValidationError, code `refused`, `changed` or
    `forgotten`.
    """
    if received.done_at:
        return received
    sheet = sheet_of(received)  # before the transaction: the storage may be slow
    try:
        done = _carry_out(received, list_, sheet, fingerprint)
    except IntegrityError as error:  # somebody typed the same reference at this very moment
        logger.warning("Import %s stopped by a constraint: %s", received.pk, error)
        raise ValidationError(CHANGED, code="changed") from error
    forget(done)
    return done


@transaction.atomic
def _carry_out(received, list_, sheet, fingerprint):
    # One import at a time: of two agents with the same file, the second finds the first's rows.
    list(Establishment.objects.order_by("pk").select_for_update(no_key=True))
    received = ListImport.objects.select_for_update().get(pk=received.pk)
    if received.done_at:
        return received
    report = list_.check(sheet)
    if report.fingerprint != fingerprint:
        raise ValidationError(CHANGED, code="changed")
    if report.refused:
        raise ValidationError("Des lignes sont refusées\u00a0: rien n'est importé.", code="refused")
    list_.lock(report)
    if _was_touched(list_, report):
        raise ValidationError(CHANGED, code="changed")
    list_.save(
        [line.row for line in report.created],
        [(line.row, [*line.seen]) for line in report.changed],
    )
    _log(received, report)
    received.done_at = timezone.now()
    received.created, received.changed = len(report.created), len(report.changed)
    received.unchanged = len(report.unchanged)
    received.save(update_fields=["done_at", "created", "changed", "unchanged"])
    return received


def _was_touched(list_, report: Report) -> bool:
    """Locks the rows to change, by ascending key: did somebody change them since they were read?"""
    seen = {line.row.pk: line.seen for line in report.changed}
    keys = sorted(seen)
    for start in range(0, len(keys), AT_ONCE):
        rows = list_.model._base_manager.filter(pk__in=keys[start : start + AT_ONCE])
        locked = list(rows.order_by("pk").select_for_update(no_key=True))
        if len(locked) < len(keys[start : start + AT_ONCE]):
            return True
        for row in locked:
            for name, held in seen[row.pk].items():
                if getattr(row, name, held) != held:
                    return True
    return False


def _log(received, report):
    """In the history of each row, as an edit by hand is."""
    content_type = None
    for lines, flag in ((report.created, ADDITION), (report.changed, CHANGE)):
        entries = []
        for line in lines:
            content_type = content_type or ContentType.objects.get_for_model(line.row)
            entries.append(
                LogEntry(
                    user=received.actor,
                    content_type=content_type,
                    object_id=line.row.pk,
                    object_repr=line.title[:200],
                    action_flag=flag,
                    change_message=f"Import de «\u00a0{received.name}\u00a0», ligne {line.number}.",
                )
            )
        LogEntry.objects.bulk_create(entries, batch_size=AT_ONCE)


def log_export(list_: List, *, rows: int) -> None:
    ListExport.objects.create(actor=list_.actor, list=list_.slug, rows=rows, at=timezone.now())


def forget(received: ListImport) -> None:
    """The file goes, the row stays. A storage that fails is tried again by `purge`."""
    if not received.file:
        return
    try:
        received.file.delete(save=False)
    except Exception:  # each storage has its own
        logger.exception("The file of the list %s could not be deleted.", received.pk)
        return
    received.save(update_fields=["file"])


def purge() -> int:
    """Forgets the files received more than a day ago; how many they were."""
    old = ListImport.objects.exclude(file="").filter(received_at__lt=timezone.now() - KEPT)
    forgotten = list(old)
    for received in forgotten:
        forget(received)
    return len(forgotten)
