"""The one way a file leaves, for its family as for the staff: saved by the browser, never shown.

What is shown is the image that we drew of its pages, to the staff.
"""

import logging
from io import BytesIO

from django.http import FileResponse, HttpResponse

from accounts.attachments import seal
from documents.models import Document, PageImage

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


class FileQuarantined(FileUnavailable):
    """The antivirus has not seen the file yet."""

    status = 409


def lend(document: Document) -> FileResponse:
    """The file as an attachment, with headers that keep it from acting in the browser.

    It is read whole (2 Mo were received), so that a storage that fails says so before the first
    byte has left. The caller has checked the right to read it. Raises FileUnavailable, or which of
    its cases it is.
    """
    response = FileResponse(
        BytesIO(_content(document)),
        as_attachment=True,
        filename=document.name,
        content_type=document.content_type,
    )
    seal(response)
    return response


def show_page(image: PageImage) -> HttpResponse:
    """The image of one page, to be shown and not kept. Raises FileUnavailable."""
    response = HttpResponse(_read(image.file), content_type="image/jpeg")
    seal(response)
    return response


def _content(document):
    if document.why_gone:
        raise FileNotKept
    if document.is_quarantined:
        raise FileQuarantined
    try:
        return _read(document.file)
    except FileMissing as error:
        document.refresh_from_db(fields=["file", "file_gone_at", "file_gone_reason"])
        if document.why_gone:  # while it was being asked for
            raise FileNotKept from error
        logger.exception("The file of the document %s is not in the storage.", document.pk)
        raise


def _read(file):
    try:
        with file.open() as stored:
            return stored.read()
    except FileNotFoundError as error:
        raise FileMissing from error
    except Exception as error:  # each storage has its own
        logger.exception("The file %s could not be read.", file.name)
        raise FileUnavailable from error
