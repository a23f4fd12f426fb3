"""The portraits of the class lists: copied from accepted photos, gone with the right to show them.

A teacher never opens a document: he sees a small copy of one that the staff accepted, of students
whose households all agree. What may be seen is asked of the database each time (`shown`); the
queue then makes, and lets go, files accordingly. A consent taken back does not wait for the queue.
"""

import logging
import time

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Establishment
from accounts.private_files import Shelf
from documents.checks.bounded import Limits, run
from documents.models import Document
from families.files_to_delete import schedule
from students.models import Course, Custody, Enrolment, Slot, Student, Teacher
from teaching.classes.drawing import draw_portrait
from teaching.models import Portrait
from teaching.models.portraits import due

logger = logging.getLogger(__name__)

SHELF = Shelf("teaching.Portrait", "file", ["portraits"])
LIMITS = Limits(cpu_seconds=10, wall_seconds=20, memory_bytes=512 * 1024 * 1024)
LARGEST = 100_000  # bytes, of what the child answers
JPEG_START = b"\xff\xd8\xff"
# Looking for work reads all the portraits: not between any two of five thousand mails.
PAUSE, STORAGE_PAUSE = 20, 300  # seconds


class _Rest:
    """Until when this process does not look again."""

    until = 0.0

    def take(self, seconds):
        self.until = time.monotonic() + seconds

    @property
    def is_over(self):
        return time.monotonic() >= self.until


rest = _Rest()


def of_teacher(teacher: Teacher, sites: QuerySet[Establishment]) -> QuerySet[Portrait]:
    """Those that may be shown, of his own students of this year and the next, at these sites."""
    today = timezone.localdate()
    slots = Slot.objects.taught_by(teacher).order_by().values("pk")
    courses = Course.objects.taught_by(teacher).order_by().values("pk")
    enrolments = Enrolment.objects.live().filter(
        Q(place__slot__in=slots) | Q(course__in=courses),
        Q(ends_on=None) | Q(ends_on__gte=today),
        student=OuterRef("student"),
        course__establishment__in=sites,
        course__school_year__ends_on__gte=today,
    )
    return Portrait.objects.shown().filter(Exists(enrolments.order_by()))


def make_next() -> Portrait | Document | None:
    """Lets one portrait go that may no longer be shown, or makes one; None when all is well.

    Run by `send_mails` between two mails. Two at once do the work once.
    """
    if not rest.is_over:
        return None
    stale = Portrait.objects.exclude(pk__in=Portrait.objects.allowed().values("pk"))
    if (portrait := stale.order_by("pk").first()) is not None:
        let_go(portrait.student)
        return portrait
    photo = _photos().first()
    if photo is None:
        rest.take(PAUSE)
        return None
    try:
        _make(photo)
    except Exception:  # each storage has its own
        rest.take(STORAGE_PAUSE)
        raise
    return photo


@transaction.atomic
def let_go(*students: Student) -> None:
    """Their portraits leave the database now, and the storage once it obeys."""
    portraits = Portrait.objects.filter(student__in=students)
    schedule(portraits.values_list("file", flat=True))
    portraits.delete()


def _photos():
    """Accepted photos of students without a portrait, the latest first."""
    drawn = Portrait.objects.filter(student=OuterRef("student"))
    photos = Document.objects.filter(due(), ~Exists(drawn))
    return photos.order_by("-uploaded_at", "pk")


def _make(photo):
    with photo.file.open() as stored:
        content = stored.read()
    portrait = Portrait(student_id=photo.student_id, document=photo)
    if (drawn := _draw(photo, content)) is not None:
        portrait.file.save("portrait.jpg", ContentFile(drawn), save=False)
    if not _keep(portrait) and portrait.file:
        schedule([portrait.file.name])


def _draw(photo, content):
    """None when it can't be drawn: a portrait without a file says that it was tried."""
    try:
        drawn = run(draw_portrait, content, limits=LIMITS)
    except ValidationError as error:
        if error.code == "unavailable":  # the machine is busy: the photo is not to blame
            raise
        logger.warning("No portrait of the document %s: its child ended, %s", photo.pk, error.code)
        return None
    sound = isinstance(drawn, bytes) and drawn.startswith(JPEG_START) and len(drawn) <= LARGEST
    return drawn if sound else None  # the child may have been taken over by the file


@transaction.atomic
def _keep(portrait):
    """False if it may no longer be, or another was quicker. Whoever takes the word back waits."""
    custodies = Custody.objects.filter(student=portrait.student_id)
    list(custodies.order_by("pk").select_for_update(no_key=True))
    photo = Document.objects.select_for_update(no_key=True).get(pk=portrait.document_id)
    if not _photos().filter(pk=photo.pk).exists():
        return False
    portrait.save(force_insert=True)
    return True
