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
