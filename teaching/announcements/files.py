"""What is joined to an announcement: checked and kept as the families' own files, lent as they are.

One that the antivirus cannot look at now is refused, not put in quarantine: nobody's deadline
depends on it, and what is sent to a thousand households must be known to be clean.
"""

import logging
import uuid
from io import BytesIO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import FileResponse

from accounts.attachments import seal
from accounts.private_files import Shelf
from documents.antivirus.arrival import scan_received
from documents.checks import check_file
from documents.enums import Formats, Scan
from documents.lending import FileMissing, FileUnavailable
from families.files_to_delete import schedule
from teaching.announcements.moves import lock_draft
from teaching.models import Announcement, AnnouncementFile
from teaching.models.announcements import MOST_FILES, file_name

logger = logging.getLogger(__name__)

SHELF = Shelf("teaching.AnnouncementFile", "file", ["announcements"])
TOO_MANY = f"Un message a {MOST_FILES} pièces jointes au plus\u00a0: retirez-en une d'abord."


def join(announcement: Announcement, name: str, content: bytes) -> AnnouncementFile:
    """Checks the file, keeps it, and joins it to a draft.

    Raises ValidationError with the codes of documents.checks.check_file, `infected`, `unscanned`
    when the antivirus does not answer, `storage_down`, `too_many`, `already` for one that is no
    draft any more. A refused file leaves nothing behind; checked and stored outside the
    transaction.
    """
    if announcement.files.count() >= MOST_FILES:
        raise ValidationError(TOO_MANY, code="too_many")
    checked = check_file(name, content, formats=Formats.ANY)
    if scan_received(content, checked.content) == Scan.WAITING:
        raise ValidationError(
            "Notre contrôle de sécurité ne répond pas\u00a0: ce fichier n'est pas joint. Réessayez"
            " dans quelques minutes, ou envoyez le message sans lui.",
            code="unscanned",
        )
    file = AnnouncementFile(
        id=uuid.uuid4(),
        announcement=announcement,
        name=checked.name,
        content_type=checked.content_type,
        size=len(checked.content),
        sha256=checked.sha256,
    )
    _store(file, checked.content)
    try:
        _keep(file)
    except BaseException:
        _delete_unless_kept(file)
        raise
    return file


@transaction.atomic
def take_away(announcement: Announcement, key: uuid.UUID) -> None:
    """Gone already: nothing happens. Raises ValidationError `already` for one that is no draft."""
    announcement = lock_draft(announcement)
    for file in announcement.files.filter(pk=key):
        schedule([file.file.name])
        file.delete()
        _new_edition(announcement)


def lend(file: AnnouncementFile) -> FileResponse:
    """As an attachment, sealed. The caller has checked the right. Raises FileUnavailable."""
    try:
        with file.file.open() as stored:
            content = stored.read()
    except FileNotFoundError as error:
        logger.exception("The file of the announcement %s is missing.", file.announcement_id)
        raise FileMissing from error
    except Exception as error:  # each storage has its own
        logger.exception("The file %s could not be read.", file.file.name)
        raise FileUnavailable from error
    response = FileResponse(
        BytesIO(content), as_attachment=True, filename=file.name, content_type=file.content_type
    )
    seal(response)
    return response


def _store(file, content):
    try:
        file.file.save(file.name, ContentFile(content), save=False)
    except Exception as error:  # each storage has its own
        logger.exception("A file of an announcement could not be stored.")
        schedule([file_name(file, file.name)])  # a full disk keeps the beginning
        raise ValidationError(
            "Votre fichier n'a pas pu être enregistré\u00a0: notre espace de stockage ne répond "
            "pas. Le reste de votre message est gardé\u00a0; réessayez dans quelques minutes.",
            code="storage_down",
        ) from error


@transaction.atomic
def _keep(file):
    announcement = lock_draft(file.announcement)
    if announcement.files.count() >= MOST_FILES:  # another page was faster
        raise ValidationError(TOO_MANY, code="too_many")
    file.save(force_insert=True)
    _new_edition(announcement)


def _new_edition(announcement):
    announcement.edition += 1
    announcement.save(update_fields=["edition"])


def _delete_unless_kept(file):
    """A connection may die between the commit and its answer: the sweep takes what is left then."""
    try:
        if not AnnouncementFile.objects.filter(pk=file.pk).exists():
            schedule([file.file.name])
    except Exception:
        logger.exception("The file %s is left to the sweep.", file.file.name)
