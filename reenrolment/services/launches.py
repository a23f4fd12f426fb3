"""« Lancement réinscriptions »: each responsable gets an account and one mail, once.

`launch` writes whom to tell; `prepare_next`, called between two mails by `manage.py send_mails`,
does one of them in one short transaction. Whatever is killed, the rest is done at the next call.
"""

import datetime as dt
import logging

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts import mails
from accounts.enums import MailKind
from accounts.models import User
from families.invitations import give_account
from families.models import Family, Guardian
from reenrolment import emails
from reenrolment.households import (
    families_concerned,
    guardians_concerned,
    load_households,
)
from reenrolment.models import Campaign, Launch, LaunchMail, LaunchResend

logger = logging.getLogger(__name__)

BATCH = 500  # rows of one INSERT
BETWEEN_RESENDS = dt.timedelta(minutes=1)  # a double click sends one mail
REPLACED = "Remplacé par un renvoi."


@transaction.atomic
def launch(campaign: Campaign, *, actor: User, expected: int) -> Launch:
    """Writes one line for each responsable not told yet: all of them, later the newcomers.

    `expected` is how many the page announced. Raises ValidationError: `closed`, `nobody`,
    `changed` when there are more or fewer now.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    now = timezone.now()
    if campaign.closes_at <= now:
        raise ValidationError(
            "La période est finie\u00a0: changez d'abord ses dates.", code="closed"
        )
    guardians = list(not_told_yet(campaign).values_list("pk", flat=True))
    if not guardians:
        raise ValidationError("Il n'y a personne de plus à prévenir.", code="nobody")
    if len(guardians) != expected:
        raise ValidationError(
            f"La page annonçait {expected} responsables, ils sont {len(guardians)}\u00a0:"
            " relisez-la avant de lancer.",
            code="changed",
        )
    row, _ = Launch.objects.get_or_create(campaign=campaign, defaults={"actor": actor, "at": now})
    LaunchMail.objects.bulk_create(
        [LaunchMail(launch=row, guardian_id=pk) for pk in guardians],
        batch_size=BATCH,
        ignore_conflicts=True,  # a resend to a household adds its newcomers too
    )
    return row


def not_told_yet(campaign: Campaign):
    """The responsables concerned who are not in the launch, in the order of the letters."""
    told = LaunchMail.objects.filter(launch__campaign=campaign)
    return (
        guardians_concerned(campaign)
        .exclude(pk__in=told.values("guardian"))
        .order_by("family__sort_name", "family_id", "sort_name", "pk")
    )


def prepare_next() -> LaunchMail | None:
    """Makes one account and writes one mail; None when nothing is left to do.

    Two workers take two lines. One that cannot be prepared is noted, and the next ones go on.
    """
    to_do = LaunchMail.objects.filter(prepared_at=None).order_by("pk")
    if not to_do.exists():  # most of the time: SQLite's one write lock is left to the families
        return None
    with transaction.atomic():
        row = to_do.select_for_update(skip_locked=True).first()
        if row is None:
            return None
        try:
            with transaction.atomic():
                _prepare(row)
        except (OperationalError, InterfaceError):  # not this line's fault: it is tried again
            raise
        except Exception as error:  # whatever is wrong with one household, the others must be told
            logger.exception("Launch mail %s could not be prepared", row.pk)
            _note(row, problem=f"Message impossible à préparer ({type(error).__name__}).")
    return row


@transaction.atomic
def resend(launch: Launch, family: Family, *, actor: User) -> int:
    """« Renvoyer »: a new mail to each responsable of the household, and gives how many.

    One that had not left yet will not leave. Raises ValidationError `not_concerned`, `no_email`,
    `too_soon`, `prevented` by what `accounts.services.let_in` says.
    """
    # The household's row keeps two agents, or two clicks, from sending at the same time.
    family = families_concerned(launch.campaign).select_for_update().filter(pk=family.pk).first()
    if family is None:
        raise ValidationError("Ce foyer n'est plus concerné par la campagne.", code="not_concerned")
    now = timezone.now()
    if launch.resends.filter(family=family, at__gt=now - BETWEEN_RESENDS).exists():
        raise ValidationError(
            "Un message vient d'être renvoyé à ce foyer\u00a0: attendez une minute.",
            code="too_soon",
        )
    again = LaunchResend.objects.create(launch=launch, family=family, actor=actor, at=now)
    rows = [_row(launch, guardian) for guardian in family.guardians.order_by("pk")]
    for row in rows:
        if row.mail:
            mails.give_up(row.mail, REPLACED)
            row.mail = None
        _prepare(row, again)
    sent = [row for row in rows if row.mail]
    if not sent:
        for row in rows:
            if row.problem:
                raise ValidationError(row.problem, code="prevented")
        raise ValidationError(
            "Aucun responsable de ce foyer n'a d'adresse e-mail.", code="no_email"
        )
    return len(sent)


def retry(launch: Launch) -> int:
    """Tries anew the mails that were given up (a server away for days…), and gives how many.

    An address that the server still finds wrong is given up again at once.
    """
    return mails.try_again(mails.given_up().filter(launch_mail__launch=launch))


def _row(launch, guardian):
    """The line of a responsable, made for one who joined the household since the launch."""
    LaunchMail.objects.get_or_create(launch=launch, guardian=guardian)
    rows = LaunchMail.objects.select_for_update(of=["self"]).select_related("mail")
    return rows.get(launch=launch, guardian=guardian)


def _prepare(row, again=None):
    guardian = Guardian.objects.select_for_update().get(pk=row.guardian_id)
    campaign = (
        Campaign.objects.select_related("establishment", "school_year")
        .filter(launch=row.launch_id)
        .get()
    )
    try:
        user = give_account(guardian, campaign.establishment)
    except ValidationError as error:
        _note(row, problem=error.messages[0])
        return
    (household,) = load_households(campaign, [guardian.family])
    subject, body = emails.launch(campaign, household, guardian, user.username)
    key = f"{row.launch_id}:{guardian.pk}" + (f":{again.pk}" if again else "")
    _note(
        row,
        mail=mails.queue(MailKind.LAUNCH, key=key, to=guardian.email, subject=subject, body=body),
    )


def _note(row, *, mail=None, problem=""):
    row.mail, row.problem, row.prepared_at = mail, problem, timezone.now()
    row.save(update_fields=["mail", "problem", "prepared_at"])
