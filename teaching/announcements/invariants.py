"""What must stay true of the announcements (imuse/invariants.py)."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from accounts.enums import MailKind
from teaching.enums import AnnouncementState
from teaching.models import Announcement, AnnouncementRecipient


def announcements() -> Iterator[str]:
    """What was sent has its recipients; a mail written is of its kind; a draft has told nobody."""
    recipients = AnnouncementRecipient.objects.filter(announcement=OuterRef("pk"))
    sent = Announcement.objects.filter(state=AnnouncementState.SENT, purged_at=None)
    for announcement in sent.filter(~Exists(recipients)).order_by("pk"):
        yield f"Le message «\u00a0{announcement}\u00a0» est envoyé et n'a aucun destinataire."
    unsent = [AnnouncementState.DRAFT, AnnouncementState.PLANNED]
    early = Announcement.objects.filter(Exists(recipients), state__in=unsent)
    for announcement in early.order_by("pk"):
        yield f"Le message «\u00a0{announcement}\u00a0» n'est pas envoyé et a des destinataires."
    astray = AnnouncementRecipient.objects.exclude(mail=None).exclude(
        mail__kind=MailKind.ANNOUNCEMENT
    )
    for recipient in astray.select_related("announcement", "guardian", "teacher").order_by("pk"):
        yield f"{recipient}, «\u00a0{recipient.announcement}\u00a0»\u00a0: l'e-mail est un autre."
