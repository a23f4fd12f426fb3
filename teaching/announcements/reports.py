"""Who received an announcement and who read it, for a spreadsheet."""

from django.utils import timezone

from accounts.dates import moment
from accounts.models import ListExport, User
from accounts.spreadsheets.writing import CONTENT_TYPES, CSV, write
from teaching.announcements.selectors import delivery_of
from teaching.models import Announcement

HEADERS = ["Foyer", "Destinataire", "Envoi", "Lu le"]
LIST = "lecteurs"  # in the log of what was taken out
CONTENT_TYPE = CONTENT_TYPES[CSV]


def take_out(announcement: Announcement, *, actor: User) -> bytes:
    """As CSV, logged as any list that leaves; `writing` neutralises formulas."""
    recipients = announcement.recipients.select_related("guardian__family", "teacher", "mail")
    recipients = recipients.order_by("guardian__family__sort_name", "guardian__sort_name", "pk")
    rows = [
        [
            str(each.guardian.family) if each.guardian else "(enseignant)",
            str(each),
            delivery_of(each),
            moment(each.read_at) if each.read_at else "",
        ]
        for each in recipients
    ]
    ListExport.objects.create(actor=actor, list=LIST, rows=len(rows), at=timezone.now())
    return write(CSV, HEADERS, rows, title="Lecteurs")
