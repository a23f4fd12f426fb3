"""The link of each mail that may be refused: it says whose choice it is, and nothing else.

It needs no session, as the law wants it simple: who has it can only refuse mails. It has no end:
an old mail must still be refused. The key of the responsable is signed by SECRET_KEY.
"""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from families.enums import MergeKind
from families.models import Guardian, Merge

SIGNER = Signer(sep=".", salt="teaching.announcements.opting_out")


def address_of(guardian: Guardian) -> str:
    token = SIGNER.sign(str(guardian.pk))
    return settings.SITE_URL + reverse("teaching:unsubscribe", args=[token])


def guardian_of(token: str) -> Guardian | None:
    """Whoever the link was written to; of one that was merged, the one kept. None: no such."""
    try:
        key = int(SIGNER.unsign(token))
    except (BadSignature, ValueError):
        return None
    while (found := Guardian.objects.filter(pk=key).first()) is None:
        merge = Merge.objects.filter(kind=MergeKind.GUARDIAN, absorbed_key=key).first()
        if merge is None:
            return None
        key = merge.kept_key
    return found
