from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.enums import MailKind


class Establishment(models.Model):
    """A site of the town (« Sélectionnez le site ») and the service that answers for it."""

    name = models.CharField("nom", max_length=100, unique=True)
    address = models.TextField("adresse")
    email = models.EmailField("adresse e-mail du service")
    phone = models.CharField("téléphone du service", max_length=20)

    class Meta:
        verbose_name = "établissement"
        ordering = ["name"]

    def __str__(self):
        return self.name


class User(AbstractUser):
    """Somebody who signs in. What he may do follows from Guardian.user, Teacher.user and groups."""

    username = models.CharField(
        "identifiant",
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "Cet identifiant existe déjà."},
        help_text="En minuscules : lettres, chiffres et . + - _ @ seulement.",
    )
    establishments = models.ManyToManyField(
        Establishment, verbose_name="établissements", related_name="users", blank=True
    )
    must_choose_password = models.BooleanField(
        "doit choisir un mot de passe",
        default=False,
        help_text="Après un mot de passe provisoire : rien d'autre ne s'ouvre avant.",
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "compte"
        verbose_name_plural = "comptes"
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                name="user_username_lower_case",  # it is typed on phones, which like capitals
                condition=Q(username=Lower("username")),
                violation_error_message="L'identifiant s'écrit en minuscules.",
            )
        ]
        permissions = [
            ("unlock_user", "Peut débloquer un compte après trop d'échecs"),
            ("manage_agents", "Peut gérer les comptes des agents"),
        ]

    @classmethod
    def normalize_username(cls, username):
        """What was typed, as it is kept: without capitals nor spaces around."""
        return super().normalize_username(username).strip().lower()


class OneTimePassword(models.Model):
    """What « mot de passe perdu » sends: hashed, used once, short-lived; a newer one kills it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,  # worth nothing without its account
        verbose_name="compte",
        related_name="one_time_password",
    )
    hash = models.CharField("empreinte", max_length=128)
    expires_at = models.DateTimeField("expire le")

    class Meta:
        verbose_name = "mot de passe provisoire"
        verbose_name_plural = "mots de passe provisoires"

    def __str__(self):
        return f"{self.user} jusqu'au {self.expires_at:%d/%m/%Y %H:%M}"


class PasswordRequest(models.Model):
    """What « mot de passe perdu » asked: a row whatever was typed, answered after the page.

    accounts.mails turns it into a mail; accounts.throttling counts it for a day.
    """

    pair = models.CharField("empreinte de l'identifiant et de l'adresse e-mail", max_length=64)
    address = models.CharField("adresse du demandeur", max_length=45, blank=True)
    at = models.DateTimeField("demandé le")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,  # a request of nobody
        verbose_name="compte",
        null=True,
        blank=True,
        related_name="password_requests",
        help_text="Vide si l'identifiant et l'adresse ne sont pas ceux d'un compte ouvert.",
    )
    answered = models.BooleanField("traité", default=False)

    class Meta:
        verbose_name = "demande de mot de passe"
        verbose_name_plural = "demandes de mot de passe"
        indexes = [
            models.Index("pair", "at", name="password_request_pair"),
            models.Index("address", "at", name="password_request_address"),
            models.Index("at", name="password_request_waiting", condition=Q(answered=False)),
        ]

    def __str__(self):
        return f"{self.user or 'inconnu'}, {self.at:%d/%m/%Y %H:%M}"


class SignInAttemptQuerySet(models.QuerySet):
    def failed(self):
        """Without those after which the person got in."""
        return self.exclude(rank=None)


class SignInAttempt(models.Model):
    """A password that was looked at and was wrong, or is being looked at; kept for a day."""

    account = models.CharField("empreinte de l'identifiant saisi", max_length=64)
    address = models.CharField("adresse du demandeur", max_length=45, blank=True)
    at = models.DateTimeField("le")
    rank = models.PositiveSmallIntegerField(
        "rang dans la suite d'échecs", null=True, blank=True, help_text="Vide : suite terminée."
    )
    refused = models.PositiveIntegerField("essais refusés ensuite, sans être examinés", default=0)

    objects = SignInAttemptQuerySet.as_manager()

    class Meta:
        verbose_name = "essai de connexion"
        verbose_name_plural = "essais de connexion"
        indexes = [models.Index("address", "at", name="sign_in_attempt_address")]
        constraints = [
            models.UniqueConstraint(
                name="sign_in_attempt_one_per_rank",  # of two at the same instant, one waits
                fields=["account", "rank"],
                violation_error_message="Cet essai est déjà compté.",
            ),
            models.CheckConstraint(
                name="sign_in_attempt_ten_in_a_row",
                condition=Q(rank=None) | Q(rank__gte=1, rank__lte=10),
                violation_error_message="Dix essais de suite au plus.",
            ),
        ]

    def __str__(self):
        return f"{self.account[:12]}, {self.at:%d/%m/%Y %H:%M}"


class Mail(models.Model):
    """The outbox: a mail waits here, written in the very transaction of the move it tells of."""

    key = models.CharField(
        "clé",
        max_length=150,
        unique=True,
        help_text="Genre, objet et mouvement : le même message ne part jamais deux fois.",
    )
    kind = models.CharField("genre", max_length=30, choices=MailKind)
    to = models.EmailField("destinataire")
    subject = models.CharField("objet", max_length=200, blank=True)
    body = models.TextField("texte", blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,  # a password for nobody
        verbose_name="compte",
        null=True,
        blank=True,
        related_name="mails",
        help_text="Pour un mot de passe provisoire, qui naît à l'envoi et n'est gardé nulle part.",
    )
    created_at = models.DateTimeField("écrit le", auto_now_add=True)
    due_at = models.DateTimeField("à envoyer à partir du")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    taken_until = models.DateTimeField("pris par un expéditeur jusqu'au", null=True, blank=True)
    sent_at = models.DateTimeField("envoyé le", null=True, blank=True)
    last_error = models.CharField("dernière erreur", max_length=200, blank=True)

    class Meta:
        verbose_name = "message"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index("due_at", name="mail_waiting", condition=Q(sent_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_kind_known",
                condition=Q(kind__in=MailKind.values),
                violation_error_message="Genre de message inconnu.",
            ),
            models.CheckConstraint(
                name="mail_secret_never_stored",
                condition=Q(kind=MailKind.ONE_TIME_PASSWORD, body="", user__isnull=False)
                | (~Q(kind=MailKind.ONE_TIME_PASSWORD) & ~Q(body="") & Q(user=None)),
                violation_error_message="Un mot de passe provisoire n'est jamais conservé.",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} à {self.to}"
