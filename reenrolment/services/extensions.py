"""« Prolonger »: a campaign closes later, even one that has just closed; families may be told."""

import datetime as dt
from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import mails
from accounts.dates import moment
from accounts.enums import MailKind
from families.models import Guardian
from reenrolment import emails
from reenrolment.enums import Status
from reenrolment.models import Campaign, Reenrolment


@transaction.atomic
def extend(campaign: Campaign, *, closes_at: dt.datetime, tell: bool) -> int:
    """The campaign closes at that moment; gives how many mails were written.

    `tell`: those of `guardians_to_tell`. Raises ValidationError, code `past`, or `not_later` than
    the closing of now (a colleague may have extended meanwhile).
    """
    campaign = (
        # NO KEY: a family that begins its dossier meanwhile need not wait for our mails.
        Campaign.objects.select_for_update(of=["self"], no_key=True)
        .select_related("establishment", "school_year")
        .get(pk=campaign.pk)
    )
    if closes_at <= timezone.now():
        raise ValidationError("La nouvelle fermeture doit être à venir.", code="past")
    if closes_at <= campaign.closes_at:
        raise ValidationError(
            f"La campagne ferme déjà le {moment(campaign.closes_at)}\u00a0: prolonger demande une"
            " date plus lointaine.",
            code="not_later",
        )
    campaign.closes_at = closes_at
    campaign.save(update_fields=["closes_at"])
    return _tell(campaign) if tell else 0


def guardians_to_tell(campaign: Campaign):
    """The responsables, with an e-mail address, of students whose dossier is still a draft."""
    theirs = drafts_of(campaign).order_by().values("student__families__guardians")
    return Guardian.objects.filter(pk__in=theirs).exclude(email="").order_by("pk")


def drafts_of(campaign: Campaign):
    """Begun and not submitted."""
    return Reenrolment.objects.filter(campaign=campaign, status=Status.DRAFT)


def _tell(campaign):
    """One mail a responsable, whatever the number of his children."""
    students = defaultdict(list)
    drafts = drafts_of(campaign).select_related("student").order_by("student__sort_name", "pk")
    for draft in drafts.annotate(guardian=F("student__families__guardians")):
        students[draft.guardian].append(draft.student)
    move = f"{campaign.pk}:{campaign.closes_at.astimezone(dt.UTC):%Y%m%dT%H%M}"
    return mails.queue_many(
        MailKind.EXTENSION,
        (
            (
                f"{move}:{guardian.pk}",
                guardian.email,
                *emails.extension(campaign, guardian, students[guardian.pk]),
            )
            for guardian in guardians_to_tell(campaign)
        ),
    )
