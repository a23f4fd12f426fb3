"""Which documents wait for the images of their pages; an image goes when its document's file goes.

A document is taken by a row of the database, drawn in a child process outside any transaction,
and kept in one transaction. Whoever took it and died lets go after HOLD.
"""

import datetime as dt
import logging

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from documents.enums import UNSAFE, Preview
from documents.models import Document, PageImage, Reading, storage_name
from documents.previews.bounded import DrawingFailed, draw_bounded
from documents.previews.reading import read
from families.files_to_delete import schedule

logger = logging.getLogger(__name__)

HOLD = dt.timedelta(minutes=5)  # longer than any drawing (30 s) and the storage's slowest answers
DELAYS = [dt.timedelta(minutes=1), dt.timedelta(minutes=10)]  # after the first failure, the second
MAX_ATTEMPTS = len(DELAYS) + 1
STORAGE_DELAY = dt.timedelta(minutes=5)
BEFORE_ALL = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def render_next() -> Document | None:
    """Draws the document that has waited longest; None when none is due.

    Run by `send_mails` between two mails. Several at once each take another document. A document
    that fails, or whose drawer dies, MAX_ATTEMPTS times is tried no more.
    """
    document = _take()
    if document is None or document.preview == Preview.FAILED:
        return document
    try:
        content = _content(document)
    except FileNotFoundError:
        _fail(document, "its file is not in the store")
    except Exception:  # each storage has its own
        logger.exception("The store does not answer: no page can be drawn")
        _all_later(document)
    else:
        _draw(document, content)
    return document


def hurry(document: Document) -> None:
    """Somebody looks at a document that waits for the first time: it goes before the others."""
    first_time = Document.objects.filter(preview=Preview.WAITING, preview_attempts=0)
    first_time.filter(pk=document.pk).update(preview_due_at=BEFORE_ALL)


def discard_pages(*documents: Document) -> None:
    """The documents' files go, for whatever reason: so do the images of their pages.

    And what was read of them, but for what an agent confirmed (`Reading`). To be called in the
    transaction that lets the files go, and holds their rows; the images leave the store after it,
    and again until the store obeys.
    """
    keys = [document.pk for document in documents]
    # Their rows first: whoever is drawing one of them must wait, then see that it is gone.
    Document.objects.filter(pk__in=keys).update(preview=Preview.GONE)
    images = PageImage.objects.filter(document__in=keys)
    schedule(images.values_list("file", flat=True))
    images.delete()
    Reading.objects.filter(document__in=keys, confirmed_at=None).delete()


@transaction.atomic
def _take():
    now = timezone.now()
    due = (
        Document.objects.filter(preview=Preview.WAITING, preview_due_at__lte=now)
        .exclude(file="")
        .exclude(scan__in=UNSAFE)
        .order_by("preview_due_at", "pk")
    )
    document = due.select_for_update(skip_locked=True, no_key=True).first()
    if document is None:
        return None
    if document.preview_attempts >= MAX_ATTEMPTS:  # the last one to take it died
        logger.error("The pages of the document %s could not be drawn", document.pk)
        document.preview = Preview.FAILED
    else:
        document.preview_attempts += 1
        document.preview_due_at = now + HOLD
    document.save(update_fields=["preview", "preview_attempts", "preview_due_at"])
    return document


def _content(document):
    with document.file.open() as stored:
        return stored.read()


def _draw(document, content):
    try:
        drawing = draw_bounded(content, document.content_type)
    except DrawingFailed as error:
        _fail(document, str(error))
        return
    images = [
        PageImage(document=document, number=number, width=page.width, height=page.height)
        for number, page in enumerate(drawing.pages, start=1)
    ]
    try:
        for image, page in zip(images, drawing.pages, strict=True):
            image.file.save("page.jpg", ContentFile(page.jpeg), save=False)
    except Exception:
        logger.exception("The store does not answer: no page can be kept")
        _forget(images)
        _all_later(document)
        return
    if not _keep(document, images, drawing.text):
        _forget(images)


@transaction.atomic
def _keep(document, images, text):
    """False if the document was taken by another meanwhile, or its file is gone."""
    if _ours(document).select_for_update(no_key=True).first() is None:
        return False
    PageImage.objects.bulk_create(images)
    _ours(document).update(preview=Preview.DONE)
    found = read(text, today=timezone.localdate(document.uploaded_at))
    Reading.objects.get_or_create(
        document=document,
        defaults={
            "date_read": found.date,
            "quotient_read": found.quotient,
            "month_read": found.month,
        },
    )
    return True


def _ours(document):
    """The row, as long as nobody has taken it since."""
    return Document.objects.filter(
        pk=document.pk, preview=Preview.WAITING, preview_attempts=document.preview_attempts
    ).exclude(file="")


def _fail(document, why):
    logger.warning("The pages of the document %s could not be drawn: %s", document.pk, why)
    if document.preview_attempts >= MAX_ATTEMPTS:
        _ours(document).update(preview=Preview.FAILED)
    else:
        delay = DELAYS[document.preview_attempts - 1]
        _ours(document).update(preview_due_at=timezone.now() + delay)


def _all_later(document):
    """The store is down for all of them: the mails must not wait for each; no attempt is lost."""
    later = timezone.now() + STORAGE_DELAY
    _ours(document).update(preview_attempts=document.preview_attempts - 1, preview_due_at=later)
    waiting = Document.objects.filter(preview=Preview.WAITING, preview_due_at__lt=later)
    waiting.update(preview_due_at=later)


def _forget(images):
    """Images of nobody; what the store does not take back is for `files_to_delete`."""
    schedule(storage_name(image, "") for image in images)  # a full disk keeps the beginning
