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
    PLACE_OFFERED = "place_offered", "place proposée"
    PLACE_ACCEPTED = "place_accepted", "place acceptée"
    ALLOTTED = "allotted", "résultat de la répartition"
    LAUNCH = "launch", "lancement des réinscriptions"
    PIECE_REMINDER = "piece_reminder", "rappel des pièces"
    PAYMENT_REMINDER = "payment_reminder", "relance de paiement"
    EXTENSION = "extension", "prolongation des réinscriptions"
    EVALUATIONS = "evaluations", "évaluations publiées"
    PAYMENT_RECEIPT = "payment_receipt", "reçu d'un paiement en ligne"
    PAYMENT_BOUNCED = "payment_bounced", "paiement rejeté par la banque"
    PAYMENT_ALERT = "payment_alert", "paiement en ligne à vérifier"
    PAYMENT_CHECKED = "payment_checked", "paiement en ligne vérifié"
    INVOICE = "invoice", "facture émise"
    LESSON_CHANGED = "lesson_changed", "cours annulé, déplacé ou remplacé"
    LESSON_TIME = "lesson_time", "horaire d'un cours individuel"
    ABSENCE = "absence", "absence signalée"
    ANNOUNCEMENT = "announcement", "message du conservatoire"
    CONCERT = "concert", "audition"
    DATA_EXPORT = "data_export", "copie de mes données"
    ERASURE = "erasure", "demande d'effacement"
    INVITATION = "invitation", "invitation"
    EMAIL_CHANGE = "email_change", "confirmation d'une adresse e-mail"
    EMAIL_CHANGE_ASKED = "email_change_asked", "demande de changement d'adresse"
    EMAIL_CHANGED = "email_changed", "adresse e-mail changée"


# Kept without a text: the secret that they carry is made while they are being sent.
WITH_A_SECRET = [MailKind.ONE_TIME_PASSWORD, MailKind.EMAIL_CHANGE]
