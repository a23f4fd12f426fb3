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
    """The file is missing or the storage does not answer; the details are in the log."""


class FileQuarantined(Exception):
    """The antivirus has not seen the file yet, or found something and the file is gone."""


def lend(document: Document) -> FileResponse:
    """The file as an attachment, with headers that keep it from acting in the browser.

    It is read whole (2 Mo were received), so that a storage that fails says so before the first
    byte has left. The caller has checked the right to read it. Raises FileUnavailable,
    FileQuarantined.
    """
    if not document.may_be_lent:
        raise FileQuarantined
    response = FileResponse(
        BytesIO(_read(document.file)),
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


def _read(file):
    try:
        with file.open() as stored:
            return stored.read()
    except Exception as error:  # each storage has its own
        logger.exception("The file %s could not be read.", file.name)
        raise FileUnavailable from error
