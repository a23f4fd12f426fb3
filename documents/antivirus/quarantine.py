"""What waits in quarantine, or is kept: scanned by `manage.py scan_documents`, outside requests.

No transaction is open while a file is read and scanned. Two runs at once, or a piece that is
replaced, taken back or examined meanwhile, change nothing: the row is locked and read again before
anything is written, and the first that scanned it wins.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from enum import Enum

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from documents.antivirus.clamd import Clamd, NotScanned, Unreachable
from documents.enums import FileGone, RefusalReason, Scan, Verdict
from documents.models import Document, Review
from documents.previews.queue import discard_pages
from families.files_to_delete import schedule

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 20  # for a file
REFUSED = (
    f"{RefusalReason.SECURITY.label} Il a été effacé. Demandez une nouvelle copie du document, ou "
    "numérisez-le à nouveau, puis envoyez ce nouveau fichier."
)


class Outcome(Enum):
    CLEAN = "saines"
    INFECTED = "infectées, effacées et refusées"
    FAILED = "impossibles à analyser"
    OVERTAKEN = "retirées ou déjà analysées entre-temps"


def waiting() -> QuerySet:
    """The keys of the pieces in quarantine, oldest first."""
    return _in_quarantine().order_by("uploaded_at", "pk").values_list("pk", flat=True)


def kept() -> QuerySet:
    """The keys of all that is kept: never scanned first, then scanned the longest ago."""
    oldest = F("scanned_at").asc(nulls_first=True)
    return Document.objects.exclude(file="").order_by(oldest, "pk").values_list("pk", flat=True)


def scan_all(keys) -> Iterator[Outcome]:
    """Scans the pieces one after the other, and tells what came of each.

    Raises ImproperlyConfigured; Unreachable when clamd is away, which leaves the rest as it was.
    One that clamd cannot scan, while it is well otherwise, does not hold up the others.
    """
    clamd = Clamd.at(settings.CLAMD)
    for key in keys:
        yield _scan(clamd, key)


def release() -> int:
    """Without an antivirus any more: what waited for it is « non analysé ». How many there were."""
    return _in_quarantine().update(scan=Scan.NOT_ANALYSED)


def tell(outcomes: Counter) -> str:
    """« 12 saines, 1 impossibles à analyser »."""
    return ", ".join(f"{outcomes[each]} {each.value}" for each in Outcome if outcomes[each])


def _in_quarantine():
    return Document.objects.filter(scan=Scan.WAITING).exclude(file="")


def _scan(clamd, key) -> Outcome:
    document = Document.objects.filter(pk=key).exclude(file="").first()
    if document is None:
        return Outcome.OVERTAKEN
    try:
        signature = clamd.scan(_read(document), seconds=LONGEST_SECONDS)
    except NotScanned as error:
        logger.error("The document %s could not be scanned: %s", key, error)
        return Outcome.FAILED
    except Unreachable as error:
        clamd.ping()  # away for all, or for this file alone?
        logger.error("The document %s could not be scanned: %s", key, error)
        return Outcome.FAILED
    except Exception:  # each storage has its own
        if not Document.objects.filter(pk=key).exclude(file="").exists():
            return Outcome.OVERTAKEN
        logger.exception("The file of the document %s could not be read.", key)
        return Outcome.FAILED
    return _settle(document, signature)


def _read(document):
    with document.file.open() as stored:
        return stored.read()


@transaction.atomic
def _settle(scanned, signature) -> Outcome:
    document = Document.objects.select_for_update().filter(pk=scanned.pk).first()
    if document is None or not document.file or document.scanned_at != scanned.scanned_at:
        return Outcome.OVERTAKEN
    document.scanned_at = timezone.now()
    if signature:
        _refuse(document, signature)
        return Outcome.INFECTED
    document.scan = Scan.CLEAN
    document.save(update_fields=["scan", "scanned_at"])
    return Outcome.CLEAN


def _refuse(document, signature):
    """Whatever its verdict was: the bytes go, the family reads why and the staff by what."""
    logger.warning("The document %s is infected, and goes: %s", document.pk, signature)
    schedule([document.file.name])
    discard_pages(document)
    document.scan, document.file = Scan.INFECTED, ""
    document.file_gone_at, document.file_gone_reason = timezone.now(), FileGone.INFECTED
    document.verdict, document.refusal = Verdict.REFUSED, REFUSED
    gone = ["file", "file_gone_at", "file_gone_reason"]
    document.save(update_fields=["scan", "scanned_at", *gone, "verdict", "refusal"])
    review = Review(
        document=document,
        verdict=Verdict.REFUSED,
        reason=RefusalReason.SECURITY,
        comment=f"Signature\u00a0: {signature}",
    )
    review.full_clean()
    review.save()
