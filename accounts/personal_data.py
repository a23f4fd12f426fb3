"""What this app holds about a person: told to him, or emptied when his household is erased.

families/holdings.py brings the apps together; this one knows no family.
"""

import logging

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import QuerySet

from accounts import second_factor
from accounts.mails import MAX_ATTEMPTS
from accounts.models import Connection, EmailChange, Mail, SignInAttempt, User
from accounts.records import record
from accounts.services import forget_mailed_secrets
from accounts.throttling import fingerprint

security = logging.getLogger("accounts.security")

EXPORTED = {
    User: [
        *["username", "last_name", "first_name", "email", "establishments"],
        *["date_joined", "last_login", "is_active", "must_choose_password", "is_staff"],
    ],
    Connection: [
        *["started_at", "seen_at", "ended_at", "means", "second_factor", "device", "address"],
    ],
    EmailChange: ["email", "asked_at", "expires_at"],
    Mail: ["kind", "to", "subject", "body", "created_at", "sent_at"],
}
NOT_EXPORTED = {
    "accounts.Establishment": "le service, pas une personne",
    "accounts.User.password": "une empreinte, secrète",
    "accounts.User.is_superuser": "un droit d'agent",
    "accounts.User.groups": "un droit d'agent",
    "accounts.User.user_permissions": "un droit d'agent",
    "accounts.User.session_generation": "sert à fermer les sessions",
    "accounts.Connection.user": "dit où la ligne est rangée",
    "accounts.Connection.generation": "sert à fermer les sessions",
    "accounts.EmailChange.user": "dit où la ligne est rangée",
    "accounts.EmailChange.hash": "une empreinte, secrète",
    "accounts.ListImport": "le travail d'un agent, sans les lignes de la liste",
    "accounts.ListExport": "le travail d'un agent, sans les lignes de la liste",
    "accounts.OneTimePassword": "une empreinte, secrète, qui vit 24 heures",
    "accounts.PasswordRequest": "peut venir d'un inconnu ; gardée un jour",
    "accounts.SignInAttempt": "peut venir d'un inconnu ; gardé un jour, sous une empreinte",
    "accounts.Mail.key": "ne dit rien de plus que le genre et le dossier",
    "accounts.Mail.user": "dit où la ligne est rangée",
    "accounts.Mail.way_out": "elle est dans le texte",
    "accounts.Mail.due_at": "le travail de l'expéditeur",
    "accounts.Mail.attempts": "le travail de l'expéditeur",
    "accounts.Mail.taken_until": "le travail de l'expéditeur",
    "accounts.Mail.last_error": "le travail de l'expéditeur",
}
EMPTIED = "Texte effacé."


def export_account(user: User) -> dict:
    return {
        **record(user, EXPORTED[User]),
        "validation en deux étapes": second_factor.is_set_up(user),
        "adresse à confirmer": [
            record(row, EXPORTED[EmailChange]) for row in EmailChange.objects.filter(user=user)
        ],
        "connexions": [record(row, EXPORTED[Connection]) for row in _connections(user)],
    }


def export_mail(mail: Mail) -> dict:
    return record(mail, EXPORTED[Mail])


def _connections(user):
    return user.connections.order_by("-started_at", "-pk")


@transaction.atomic
def close_account(user: User) -> None:
    """Nobody signs in with it any more, and it says of nobody whose it was.

    The row stays: what was done with it stays signed, by « efface.12 ».
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    SignInAttempt.objects.filter(account=fingerprint(user.username)).delete()
    second_factor.remove(user)
    forget_mailed_secrets(user)
    user.mails.all().delete()
    user.password_requests.all().delete()
    user.connections.all().delete()
    user.establishments.clear()
    user.username = f"efface.{user.pk}"
    user.first_name = user.last_name = user.email = ""
    user.is_active = user.must_choose_password = False
    user.last_login = None
    user.set_unusable_password()  # ends the sessions too
    user.save(
        update_fields=[
            *["username", "first_name", "last_name", "email", "password"],
            *["is_active", "must_choose_password", "last_login"],
        ]
    )
    forget_in_admin_log(User, [user.pk])
    security.info("Account closed and emptied: %s", user.pk)


def empty_mails(mails: QuerySet[Mail]) -> None:
    """Neither address nor text is left; what had not left yet will not."""
    mails = Mail.objects.filter(pk__in=list(mails.values_list("pk", flat=True)), user=None)
    mails.filter(sent_at=None).update(attempts=MAX_ATTEMPTS)
    mails.update(to="", subject="", body=EMPTIED, way_out="", last_error="")


def forget_in_admin_log(model: type[models.Model], pks: list) -> None:
    """The admin's log keeps who changed which row and when, but no longer its name."""
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=map(str, pks)
    ).update(object_repr=EMPTIED, change_message="")
