"""The outbox: the door by which every mail leaves (docs/decisions.md says why it is ours)."""

from django.utils import timezone

from accounts.enums import MailKind
from accounts.models import Mail


def queue(kind: MailKind, *, key: str, to: str, subject: str, body: str) -> None:
    """Writes a mail to send, in the caller's transaction; nothing is written without an address.

    `key` names the object and the move that the mail tells of: the same one is written once.
    """
    if to:
        Mail.objects.get_or_create(
            key=f"{kind}:{key}",
            defaults={
                "kind": kind,
                "to": to,
                "subject": subject,
                "body": body,
                "due_at": timezone.now(),
            },
        )
