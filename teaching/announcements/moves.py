"""The one way from one state of an announcement to the next: locked, checked, logged."""

from django.core.exceptions import ValidationError

from teaching.enums import NEXT_ANNOUNCEMENT, AnnouncementState
from teaching.models import Announcement


def lock(announcement: Announcement) -> Announcement:
    """Read anew: the caller's copy may be stale. Before its recipients and their responsables."""
    rows = Announcement.objects.select_for_update(of=["self"], no_key=True)
    return rows.select_related("establishment", "school_year").get(pk=announcement.pk)


def lock_draft(announcement: Announcement) -> Announcement:
    """Raises ValidationError `already` for one that is no draft any more."""
    announcement = lock(announcement)
    if not announcement.is_draft:
        raise ValidationError(
            "Ce message est déjà envoyé, ou son envoi est prévu\u00a0: il ne change plus.",
            code="already",
        )
    return announcement


def move(announcement: Announcement, state: AnnouncementState, *, actor, **changes) -> None:
    """Of a locked row. Raises ValidationError `bad_transition`."""
    before = announcement.state
    if state not in NEXT_ANNOUNCEMENT[before]:
        raise ValidationError("Action déjà faite ou impossible.", code="bad_transition")
    announcement.state = state
    for name, value in changes.items():
        setattr(announcement, name, value)
    announcement.save(update_fields=["state", *changes])
    announcement.moves.create(actor=actor, from_state=before, to_state=state)
