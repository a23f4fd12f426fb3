"""A new e-mail address is the account's once it is confirmed from there; the old one is told.

Lock order: the rows that copy the address (settings.EMAIL_FOLLOWERS), the account, the demand.
"""

import datetime as dt
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import email_links, emails, mails
from accounts.enums import MailKind
from accounts.models import EmailChange, Mail, User
from accounts.services import forget_mailed_secrets
from accounts.throttling import security

BETWEEN = dt.timedelta(minutes=1)  # a double click sends one mail
PER_DAY = 10  # mails to addresses that are perhaps not the person's


def pending(user: User) -> EmailChange | None:
    """The demand that still waits to be confirmed."""
    return EmailChange.objects.filter(user=user, expires_at__gt=timezone.now()).first()


@transaction.atomic
def ask(email: str, *, actor: User) -> EmailChange:
    """Writes the demand, a mail to the new address and one to the old; a former demand dies.

    A form has checked the address and the password. That another account has the address changes
    nothing and shows nowhere. Raises ValidationError `too_often`.
    """
    user = User.objects.select_for_update().get(pk=actor.pk)
    now = timezone.now()
    change = EmailChange.objects.filter(user=user).first()
    if change and change.email == email and now - change.asked_at < BETWEEN:
        return change
    change = _renew(user, email, now)
    subject, body = emails.email_change_asked(user)
    _tell(MailKind.EMAIL_CHANGE_ASKED, user, user.email, subject, body)
    security.info("E-mail change asked: account %s", user.username)
    return change


@transaction.atomic
def send_again(*, actor: User) -> EmailChange:
    """« Renvoyer »: another link, for another day. Raises ValidationError `gone`, `too_often`."""
    user = User.objects.select_for_update().get(pk=actor.pk)
    change, now = pending(user), timezone.now()
    if change is None:
        raise ValidationError("Il n'y a plus d'adresse à confirmer.", code="gone")
    if now - change.asked_at < BETWEEN:
        raise ValidationError(
            "Un message vient de partir\u00a0: attendez une minute avant d'en demander un autre.",
            code="too_often",
        )
    return _renew(user, change.email, now)


@transaction.atomic
def cancel(*, actor: User) -> None:
    """The link no longer works, what waits does not leave. Nothing to cancel: nothing happens."""
    User.objects.select_for_update().get(pk=actor.pk)
    EmailChange.objects.filter(user=actor).delete()
    Mail.objects.filter(kind=MailKind.EMAIL_CHANGE, user=actor, sent_at=None).delete()


def confirm(token: str) -> User:
    """The address becomes the account's. Raises ValidationError `gone`: see `email_links.find`."""
    change = email_links.find(token)
    if change is None:
        raise _gone()
    return set_email(change.user, change.email, confirmed=change)


@transaction.atomic
def set_email(user: User, email: str, *, confirmed: EmailChange | None = None) -> User:
    """Writes the address of an account and of what copies it, and tells the former address.

    What was mailed to the former one dies. Without a confirmed demand it is the staff's doing, who
    checked who asks. Raises ValidationError `gone` when the demand is no longer there.
    """
    for follow in map(import_string, settings.EMAIL_FOLLOWERS):
        follow(user, email)
    user = User.objects.select_for_update().get(pk=user.pk)
    if confirmed and not EmailChange.objects.filter(pk=confirmed.pk, hash=confirmed.hash).exists():
        raise _gone()
    former, user.email = user.email, email
    if former != email:
        user.save(update_fields=["email"])
        forget_mailed_secrets(user)
        subject, body = emails.email_changed(user, by_staff=confirmed is None)
        _tell(MailKind.EMAIL_CHANGED, user, former, subject, body)
        security.info("E-mail changed: account %s", user.username)
    return user


def _renew(user, email, now):
    day = Mail.objects.filter(
        kind=MailKind.EMAIL_CHANGE, user=user, created_at__gt=now - dt.timedelta(days=1)
    )
    if day.count() >= PER_DAY:
        raise ValidationError(
            "Trop de messages ont été demandés aujourd'hui\u00a0: réessayez demain, ou"
            " adressez-vous au secrétariat.",
            code="too_often",
        )
    change, _ = EmailChange.objects.update_or_create(
        user=user,
        defaults={
            "email": email,
            "hash": "",
            "asked_at": now,
            "expires_at": now + dt.timedelta(hours=settings.EMAIL_CHANGE_HOURS),
        },
    )
    mails.queue_email_change(change)
    return change


def _tell(kind, user, to, subject, body):
    key = f"{user.pk}:{uuid.uuid4().hex}"
    mails.queue(kind, key=key, to=to, subject=subject, body=body)


def _gone():
    return ValidationError("Ce lien ne fonctionne plus.", code="gone")
