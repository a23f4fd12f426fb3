"""The one way a file leaves, for its family as for the staff: saved by the browser, never shown."""

import logging
from io import BytesIO

from django.http import FileResponse

from accounts.attachments import seal
from documents.models import Document

logger = logging.getLogger(__name__)


class FileUnavailable(Exception):
    """The storage does not answer; the details are in the log. `status`: that of the page."""

    status = 503
    missing = False


class FileMissing(FileUnavailable):
    """The storage answers and has no such file, or its folder is not mounted."""

    missing = True


class FileNotKept(FileUnavailable):
    """The file was deleted on purpose: `Document.why_gone` says why and when."""

    status = 410


def lend(document: Document) -> FileResponse:
    """The file as an attachment, with headers that keep it from acting in the browser.

    It is read whole (2 Mo were received), so that a storage that fails says so before the first
    byte has left. The caller has checked the right to read it. Raises FileUnavailable, or which of
    its two cases it is.
    """
    response = FileResponse(
        BytesIO(_read(document)),
        as_attachment=True,
        filename=document.name,
        content_type=document.content_type,
    )
    seal(response)
    return response


def _read(document):
    if document.why_gone:
        raise FileNotKept
    try:
        with document.file.open() as stored:
            return stored.read()
    except FileNotFoundError as error:
        document.refresh_from_db(fields=["file", "file_gone_at", "file_gone_reason"])
        if document.why_gone:  # while it was being asked for
            raise FileNotKept from error
        logger.exception("The file of the document %s is not in the storage.", document.pk)
        raise FileMissing from error
    except Exception as error:  # each storage has its own
        logger.exception("The file of the document %s could not be read.", document.pk)
        raise FileUnavailable from error
