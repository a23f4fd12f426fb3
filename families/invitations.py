"""A responsable's account: made, and told to him."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts import mails
from accounts import services as accounts
from accounts.enums import MailKind
from accounts.models import Establishment, User
from families import emails
from families.models import Guardian, Invitation
from families.services import copy_email_to_account

BETWEEN = dt.timedelta(minutes=1)  # two agents, or two clicks, send one mail
REPLACED = "Remplacé par une nouvelle invitation."


@transaction.atomic
def invite(guardian: Guardian, *, actor: User, establishment: Establishment) -> Invitation:
    """« Inviter », « Renvoyer l'invitation »: an account if there is none, and one mail.

    Raises ValidationError `gone`, `no_email`, `above`, `too_soon`, and what `give_account` raises.
    """
    guardian = Guardian.objects.select_for_update().filter(pk=guardian.pk).first()
    if guardian is None:
        raise ValidationError("Cette fiche vient d'être supprimée.", code="gone")
    if not guardian.email:
        raise ValidationError("Ce responsable n'a pas d'adresse e-mail.", code="no_email")
    if guardian.user_id:
        accounts.check_not_above(guardian.user, actor, "invite cette personne")
    now, last = timezone.now(), guardian.invitations.select_related("mail").first()
    if last and last.at > now - BETWEEN:
        raise ValidationError(
            "Une invitation vient de partir\u00a0: attendez une minute.", code="too_soon"
        )
    user = give_account(guardian, establishment)
    if last:
        mails.give_up(last.mail, REPLACED)
    subject, body = emails.invitation(guardian, user, establishment)
    mail = mails.queue(
        MailKind.INVITATION,
        key=f"{guardian.pk}:{last.pk if last else 0}",
        to=guardian.email,
        subject=subject,
        body=body,
    )
    return Invitation.objects.create(guardian=guardian, mail=mail, actor=actor, at=now)


def give_account(guardian: Guardian, establishment: Establishment) -> User:
    """The responsable's account, open to the establishment; made if he has none.

    The caller has locked the responsable. Raises ValidationError `inactive` or `staff`: see
    accounts.services.let_in.
    """
    if guardian.user_id:
        user = guardian.user
        accounts.let_in(user, establishment)
        if not user.email:
            copy_email_to_account(guardian)
            user.email = guardian.email
        return user
    user = accounts.create_account(
        first_name=guardian.first_name,
        last_name=guardian.last_name,
        email=guardian.email,
        establishment=establishment,
    )
    guardian.user = user
    guardian.save(update_fields=["user"])
    return user
