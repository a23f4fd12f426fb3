"""How long announcements are kept: thirteen months after the end of their school year.

By then the next year's families have read the last ones, and nobody asks any more who read what.
The message stays, without its files and without whoever it was sent to.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from families.files_to_delete import schedule
from teaching.announcements.moves import lock
from teaching.announcements.services import discard
from teaching.enums import AnnouncementState
from teaching.models import Announcement, AnnouncementRecipient

KEPT_MONTHS = 13


@dataclass
class Purged:
    announcements: int = 0
    drafts: int = 0
    files: int = 0
    recipients: int = 0


def purge(today: dt.date | None = None, *, dry_run: bool = False) -> Purged:
    """One announcement after the other, each in its transaction; run again, it does the rest."""
    over = _over(today or timezone.localdate())
    purged = Purged()
    for announcement in over.order_by("pk"):
        purged.files += announcement.files.exclude(file="").count()
        purged.recipients += announcement.recipients.count()
        if announcement.is_draft:
            purged.drafts += 1
        else:
            purged.announcements += 1
        if not dry_run:
            _purge(announcement)
    return purged


def _over(today):
    """Of the years that ended so long ago; what is planned or leaving is left alone."""
    months = today.year * 12 + today.month - 1 - KEPT_MONTHS
    limit = dt.date(months // 12, months % 12 + 1, 1)
    done = [AnnouncementState.SENT, AnnouncementState.WITHDRAWN, AnnouncementState.DRAFT]
    return Announcement.objects.filter(
        school_year__ends_on__lt=limit, state__in=done, purged_at=None
    )


def _purge(announcement):
    if announcement.is_draft:
        discard(announcement)
        return
    with transaction.atomic():
        announcement = lock(announcement)
        schedule(announcement.files.exclude(file="").values_list("file", flat=True))
        announcement.files.update(file="")
        AnnouncementRecipient.objects.filter(announcement=announcement).delete()
        announcement.purged_at = timezone.now()
        announcement.save(update_fields=["purged_at"])
