"""The files that have served their time: old versions, and each type's own (`kept_months`).

A batch is one transaction, in which its rows are locked: interrupted, the purge goes on from there
the next time. The rows and their verdicts stay.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from documents import keeping
from documents.enums import FileGone
from documents.models import Document, DocumentType
from documents.pieces import months_before
from students.models import SchoolYear

BATCH = 200  # rows


@dataclass(frozen=True)
class Purged:
    """How many files of a type went for one reason, and their size in all."""

    type: DocumentType
    reason: FileGone
    count: int
    size: int  # bytes


def purge(*, dry_run: bool = False, today: dt.date | None = None) -> Iterator[Purged]:
    """Lets the files go, and tells how many of each type; `dry_run` only tells.

    A file that somebody relies on stays until the next time (documents/keeping.py).
    """
    today = today or timezone.localdate()
    for document_type in DocumentType.objects.order_by("name", "pk"):
        for reason, condition in _conditions(document_type, today):
            condition &= Q(type=document_type)
            count, size = _count(condition) if dry_run else _let_go(condition, reason)
            if count:
                yield Purged(document_type, reason, count, size)


def _conditions(document_type, today):
    """Which of its pieces may go, and why."""
    yield FileGone.REPLACED, Q(replaced_by__isnull=False)
    yield FileGone.REMOVED, Q(replaced_by=None, removed_at__isnull=False)
    if document_type.kept_months is not None:
        yield FileGone.RETENTION, _outlived(months_before(today, document_type.kept_months))


def _outlived(day):
    """The last school year that it served ended before this day.

    At the least the year in which it was sent, or the one that follows for a piece of the summer.
    One sent after the last year that is known has not served yet.
    """
    ended = SchoolYear.objects.filter(ends_on__lt=day).order_by("-ends_on").first()
    if ended is None:
        return Q(pk__in=[])
    return Q(uploaded_at__date__lte=ended.ends_on) & ~keeping.used_since(day)


def _rows(condition):
    return Document.objects.with_file().filter(condition).exclude(keeping.relied_on()).order_by()


def _count(condition):
    found = _rows(condition).aggregate(count=Count("pk"), size=Sum("size"))
    return found["count"], found["size"] or 0


def _let_go(condition, reason):
    count = size = 0
    last = None
    while batch := _next(condition, last):
        last = batch[-1]
        for document in _let_batch_go(batch, condition, reason):
            count += 1
            size += document.size
    return count, size


def _next(condition, last):
    """The keys after `last`: a row that stays after all is not tried twice."""
    rows = _rows(condition) if last is None else _rows(condition).filter(pk__gt=last)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _let_batch_go(pks, condition, reason):
    """A family may be sending one of them again, or validating with it: locked, then looked at."""
    rows = Document.objects.filter(pk__in=pks).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    still = Document.objects.filter(condition, pk__in=pks).values_list("pk", flat=True)
    return keeping.let_go(list(still), reason)
