"""Every write on announcements but the sending itself (sending.py) and their files (files.py)."""

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import mails
from accounts.models import Mail, User
from families.files_to_delete import schedule
from families.models import Guardian
from students.models import Course, Slot, Teacher
from teaching.announcements.aiming import in_words, reach_of
from teaching.announcements.moves import lock, lock_draft, move
from teaching.enums import AnnouncementState
from teaching.models import Announcement, AnnouncementRecipient, NewsRefusal

FARTHEST = dt.timedelta(days=366)
WITHDRAWN = "Message retiré avant son envoi."
TYPED = ["kind", "subject", "text"]


@transaction.atomic
def write_to_class(
    group: Slot | Course, *, teacher: Teacher, key: uuid.UUID, typed: dict[str, str]
) -> Announcement:
    """The draft of this page, by its key: the same page sent twice writes one.

    `typed` holds what is right of `kind`, `subject`, `text`; what is missing stays as it was.
    Raises ValidationError `not_yours`, for a key of somebody else's; `already`.
    """
    course = group.course if isinstance(group, Slot) else group
    announcement, is_new = Announcement.objects.get_or_create(
        key=key,
        defaults={
            "establishment": course.establishment,
            "school_year": course.school_year,
            "author": teacher.user,
            "teacher": teacher,
            "signed": str(teacher),
        },
    )
    if announcement.teacher_id != teacher.pk:
        raise ValidationError("Ce message n'est pas le vôtre.", code="not_yours")
    if is_new:
        aims = announcement.slots if isinstance(group, Slot) else announcement.courses
        aims.add(group)
    return rewrite(announcement, typed)


@transaction.atomic
def rewrite(announcement: Announcement, typed: dict[str, str]) -> Announcement:
    """Of a draft. Raises ValidationError `already`."""
    announcement = lock_draft(announcement)
    changed = [
        name
        for name in TYPED
        if typed.get(name, getattr(announcement, name)) != getattr(announcement, name)
    ]
    if changed:
        for name in changed:
            setattr(announcement, name, typed[name])
        announcement.edition += 1
        announcement.save(update_fields=[*changed, "edition"])
    return announcement


@transaction.atomic
def plan(
    announcement: Announcement,
    *,
    edition: int,
    actor: User,
    planned_for: dt.datetime | None = None,
) -> Announcement:
    """To send now, or at `planned_for`; `edition` is the one that was read again.

    Raises ValidationError: `already` (sent twice is sent once), `stale`, `unfinished`, `nobody`,
    `past`, `too_far`.
    """
    announcement = lock_draft(announcement)
    if announcement.edition != edition:
        raise ValidationError(
            "Ce message vient de changer, sur une autre page\u00a0: relisez-le avant de l'envoyer.",
            code="stale",
        )
    if not all(getattr(announcement, name) for name in TYPED):
        raise ValidationError(
            "Il manque la nature, l'objet ou le texte du message.", code="unfinished"
        )
    if reach_of(announcement).is_nobody:
        raise ValidationError("Personne ne recevrait ce message.", code="nobody")
    now = timezone.now()
    if planned_for is not None and planned_for <= now:
        raise ValidationError("Le moment choisi est passé.", code="past")
    if planned_for is not None and planned_for > now + FARTHEST:
        raise ValidationError("Choisissez un moment dans l'année qui vient.", code="too_far")
    move(
        announcement,
        AnnouncementState.PLANNED,
        actor=actor,
        planned_for=planned_for or now,
        addressed_to=in_words(announcement),
    )
    return announcement


@transaction.atomic
def take_up(announcement: Announcement, *, actor: User) -> None:
    """What is planned is a draft again. Raises ValidationError `bad_transition`: it has begun."""
    announcement = lock(announcement)
    move(announcement, AnnouncementState.DRAFT, actor=actor, planned_for=None, addressed_to="")


@transaction.atomic
def withdraw(announcement: Announcement, *, actor: User) -> int:
    """Nobody reads it on the site any more, and the mails that have not left do not; how many.

    Raises ValidationError `bad_transition`.
    """
    announcement = lock(announcement)
    move(announcement, AnnouncementState.WITHDRAWN, actor=actor)
    waiting = mails.waiting().filter(announcement_to__announcement=announcement)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True))
    return mails.give_up_all(Mail.objects.filter(pk__in=keys), WITHDRAWN)


@transaction.atomic
def discard(announcement: Announcement) -> None:
    """A draft goes, with its files. Raises ValidationError `already`."""
    announcement = lock_draft(announcement)
    schedule(announcement.files.values_list("file", flat=True))
    announcement.files.all().delete()
    announcement.moves.all().delete()  # planned, then taken up: nobody had it
    announcement.delete()


def mark_read(recipient: AnnouncementRecipient) -> None:
    """The first time counts."""
    unread = AnnouncementRecipient.objects.filter(pk=recipient.pk, read_at=None)
    unread.update(read_at=timezone.now())


@transaction.atomic
def want_news(guardian: Guardian, wanted: bool) -> None:
    """By mail; whatever he chooses, he reads them on the site."""
    Guardian.objects.select_for_update(no_key=True).get(pk=guardian.pk)  # two clicks
    if wanted:
        NewsRefusal.objects.filter(guardian=guardian).delete()
    else:
        NewsRefusal.objects.get_or_create(guardian=guardian)
