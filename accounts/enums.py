from django.db import models


class Means(models.TextChoices):
    """What let somebody in; the values also stand in the security log."""

    PASSWORD = "password", "mot de passe"
    ONE_TIME_PASSWORD = "one-time password", "mot de passe provisoire"


class MailKind(models.TextChoices):
    """What a mail tells; accounts.emails says how the ones without a stored body are made."""

    ONE_TIME_PASSWORD = "one_time_password", "mot de passe provisoire"
    ACKNOWLEDGEMENT = "acknowledgement", "accusé de réception"
    COMPLEMENT = "complement", "demande de complément"
    VALIDATED = "validated", "réinscription validée"
    REFUSED = "refused", "réinscription refusée"
    WITHDRAWN = "withdrawn", "demande retirée"
    LAUNCH = "launch", "lancement des réinscriptions"
    DATA_EXPORT = "data_export", "copie de mes données"
    ERASURE = "erasure", "demande d'effacement"
