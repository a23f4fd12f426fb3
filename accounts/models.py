import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.enums import WITH_A_SECRET, MailKind, Means


class Establishment(models.Model):
    """A site of the town (« Sélectionnez le site ») and the service that answers for it."""

    name = models.CharField("nom", max_length=100, unique=True)
    address = models.TextField("adresse")
    email = models.EmailField("adresse e-mail du service")
    phone = models.CharField("téléphone du service", max_length=20)
    shows_emergency_phone = models.BooleanField(
        "téléphone d'urgence sur les listes de classe",
        default=False,
        help_text="Coché : chaque enseignant lit, pour ses élèves, le nom et le téléphone de leurs"
        " responsables. Sinon il ne lit rien des familles.",
    )

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
    session_generation = models.PositiveIntegerField(
        "génération des sessions",
        default=0,
        editable=False,
        help_text="Une de plus, et toutes les sessions ouvertes du compte prennent fin.",
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
            ("close_sessions_user", "Peut fermer les sessions d'un compte"),
            ("manage_agents", "Peut gérer les comptes des agents"),
        ]

    @classmethod
    def normalize_username(cls, username):
        """What was typed, as it is kept: without capitals nor spaces around."""
        return super().normalize_username(username).strip().lower()

    def get_session_auth_hash(self):
        """What each session must hold to stay open: of this password and of this generation."""
        return self._of_generation(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self):
        return map(self._of_generation, super().get_session_auth_fallback_hash())

    def _of_generation(self, session_hash):
        return f"{session_hash}-{self.session_generation}"


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


class EmailChange(models.Model):
    """A new address, the account's once it is confirmed from there; a newer demand replaces it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,  # worth nothing without its account
        verbose_name="compte",
        related_name="email_change",
    )
    email = models.EmailField("nouvelle adresse e-mail")
    hash = models.CharField(
        "empreinte du lien",
        max_length=64,
        blank=True,
        help_text="Le lien naît à l'envoi du message et n'est gardé nulle part ; vide avant.",
    )
    asked_at = models.DateTimeField("demandé le")
    expires_at = models.DateTimeField("expire le")

    class Meta:
        verbose_name = "changement d'adresse e-mail"
        verbose_name_plural = "changements d'adresse e-mail"
        constraints = [
            models.UniqueConstraint(
                name="email_change_one_per_link",
                fields=["hash"],
                condition=~Q(hash=""),
                violation_error_message="Ce lien existe déjà.",
            )
        ]

    def __str__(self):
        return f"{self.user}, jusqu'au {self.expires_at:%d/%m/%Y %H:%M}"


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


class ConnectionQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(user=user)


class Connection(models.Model):
    """A sign-in that succeeded, shown to its own account in « Mes connexions »."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="compte",
        related_name="connections",
    )
    started_at = models.DateTimeField("connexion le")
    seen_at = models.DateTimeField("dernière activité le")
    ended_at = models.DateTimeField("déconnexion le", null=True, blank=True)
    means = models.CharField("moyen", max_length=20, choices=Means)
    second_factor = models.BooleanField("validation en deux étapes", default=False)
    device = models.CharField("appareil", max_length=60)
    address = models.CharField(
        "début de l'adresse du réseau", max_length=45, blank=True, help_text="Jamais l'adresse."
    )
    generation = models.PositiveIntegerField(
        "génération", help_text="Celle des sessions du compte à ce moment."
    )

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = "connexion"
        indexes = [
            models.Index(fields=["user", "-started_at"], name="connection_of_account"),
            models.Index("started_at", name="connection_to_purge"),
        ]
        constraints = [
            models.CheckConstraint(
                name="connection_means_known",
                condition=Q(means__in=Means.values),
                violation_error_message="Moyen de connexion inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.user}, {self.started_at:%d/%m/%Y %H:%M}"


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
        models.CASCADE,  # a secret for nobody
        verbose_name="compte",
        null=True,
        blank=True,
        related_name="mails",
        help_text="Pour un message dont le secret naît à l'envoi et n'est gardé nulle part.",
    )
    way_out = models.URLField(
        "adresse de désabonnement",
        max_length=250,
        blank=True,
        help_text="Celle de l'en-tête List-Unsubscribe, d'un message que l'on peut refuser.",
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
            # In the order in which they leave: thousands may wait for one hour.
            models.Index("due_at", "id", name="mail_due", condition=Q(sent_at=None)),
            models.Index(  # looked for first at each turn of the sender, and seldom there
                "due_at",
                name="mail_with_a_secret_waiting",
                condition=Q(sent_at=None, kind__in=WITH_A_SECRET),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="mail_kind_known",
                condition=Q(kind__in=MailKind.values),
                violation_error_message="Genre de message inconnu.",
            ),
            models.CheckConstraint(
                name="mail_secret_never_stored",
                condition=Q(kind__in=WITH_A_SECRET, body="", user__isnull=False)
                | (~Q(kind__in=WITH_A_SECRET) & ~Q(body="") & Q(user=None)),
                violation_error_message="Le texte d'un secret n'est jamais conservé.",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} à {self.to}"


def private_storage():
    return storages["private"]


def list_storage_name(list_import, _filename) -> str:
    """Nothing in it tells whose list it is."""
    return f"lists/{list_import.pk.hex}"


class ListImport(models.Model):
    """A file of a list: checked, then imported or forgotten after a day; the row is the log."""

    id = models.UUIDField("clé", primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    list = models.CharField("liste", max_length=30)
    name = models.CharField("nom du fichier", max_length=200)
    file = models.FileField(
        "fichier",
        storage=private_storage,
        upload_to=list_storage_name,
        blank=True,
        help_text="Vide une fois importé, ou après un jour.",
    )
    sha256 = models.CharField("empreinte", max_length=64)
    received_at = models.DateTimeField("reçu le")
    done_at = models.DateTimeField("importé le", null=True, blank=True)
    created = models.PositiveIntegerField("nouvelles", default=0)
    changed = models.PositiveIntegerField("modifiées", default=0)
    unchanged = models.PositiveIntegerField("inchangées", default=0)

    class Meta:
        verbose_name = "import d'une liste"
        verbose_name_plural = "imports de listes"
        ordering = ["-received_at"]

    def __str__(self):
        return f"{self.list}, {self.received_at:%d/%m/%Y %H:%M}"


class ListExport(models.Model):
    """Who took which list out, and how many rows. Append-only."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    list = models.CharField("liste", max_length=30)
    rows = models.PositiveIntegerField("lignes")
    at = models.DateTimeField("le")

    class Meta:
        verbose_name = "export d'une liste"
        verbose_name_plural = "exports de listes"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.list}, {self.at:%d/%m/%Y %H:%M}"
