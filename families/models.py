from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Mail
from accounts.names import SortNameField
from families.enums import MergeKind, Zone


class Commune(models.Model):
    """A town with its INSEE code and its zone: chosen from a list, never typed."""

    insee_code = models.CharField("code INSEE", max_length=5, unique=True)
    postal_code = models.CharField("code postal", max_length=5)
    name = models.CharField("nom", max_length=100)
    zone = models.CharField("zone", max_length=12, choices=Zone, default=Zone.OUTSIDE)
    sort_name = SortNameField("name")

    class Meta:
        verbose_name = "commune"
        ordering = ["sort_name"]
        constraints = [
            models.CheckConstraint(
                name="commune_zone_known",
                condition=Q(zone__in=Zone.values),
                violation_error_message="Zone inconnue.",
            )
        ]

    def __str__(self):
        return f"{self.name} ({self.postal_code})"


class FamilyQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(guardians__user=user)  # at most one: Guardian.user is one to one


class Family(models.Model):
    """A household: the people at one address who answer for students."""

    name = models.CharField("nom", max_length=100)
    address = models.CharField("adresse", max_length=200)
    address_more = models.CharField("complément d'adresse", max_length=200, blank=True)
    commune = models.ForeignKey(
        Commune, models.PROTECT, verbose_name="commune", related_name="families"
    )
    sort_name = SortNameField("name")

    objects = FamilyQuerySet.as_manager()

    class Meta:
        verbose_name = "famille"
        ordering = ["sort_name", "pk"]
        permissions = [("merge_families", "Peut fusionner des doublons")]

    def __str__(self):
        return self.name


class GuardianQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The guardians of the user's own household, himself included."""
        return self.filter(family__in=Family.objects.visible_to(user))


class Guardian(models.Model):
    """Someone who answers for the household's students; an adult student answers for himself."""

    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="guardians"
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="compte",
        related_name="guardian",
        null=True,
        blank=True,
    )
    last_name = models.CharField("nom", max_length=100)
    first_name = models.CharField("prénom", max_length=100)
    email = models.EmailField("adresse e-mail", blank=True)
    mobile_phone = models.CharField("téléphone portable", max_length=20, blank=True)
    home_phone = models.CharField("téléphone fixe", max_length=20, blank=True)
    sort_name = SortNameField("last_name", "first_name")

    objects = GuardianQuerySet.as_manager()

    class Meta:
        verbose_name = "responsable"
        ordering = ["sort_name", "pk"]
        permissions = [("manage_accounts", "Peut inviter un responsable et fermer son compte")]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"


class Invitation(models.Model):
    """The staff told a responsable how to sign in. Append-only."""

    guardian = models.ForeignKey(
        Guardian, models.PROTECT, verbose_name="responsable", related_name="invitations"
    )
    mail = models.OneToOneField(
        Mail, models.PROTECT, verbose_name="message", related_name="invitation"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le")

    class Meta:
        verbose_name = "invitation d'un responsable"
        verbose_name_plural = "invitations de responsables"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.guardian}, {self.at:%d/%m/%Y %H:%M}"


class Merge(models.Model):
    """Two rows that were one and the same household, or person: what went into what. Append-only.

    `family` is the household as it is now, and moves with it if it is absorbed in its turn.
    """

    kind = models.CharField("genre", max_length=10, choices=MergeKind)
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="merges"
    )
    kept_key = models.BigIntegerField("clé de la fiche gardée")
    kept_name = models.CharField("fiche gardée", max_length=210)
    absorbed_key = models.BigIntegerField("clé du doublon")
    absorbed_name = models.CharField("doublon", max_length=210)
    details = models.JSONField(
        "détails", help_text="Les deux fiches avant la fusion, et ce qui a été déplacé."
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "fusion de doublons"
        verbose_name_plural = "fusions de doublons"
        ordering = ["-at", "-pk"]
        default_permissions = ["view"]
        constraints = [
            models.UniqueConstraint(
                name="merge_a_double_goes_once",
                fields=["kind", "absorbed_key"],
                violation_error_message="Ce doublon a déjà été fusionné.",
            ),
            models.CheckConstraint(
                name="merge_kind_known",
                condition=Q(kind__in=MergeKind.values),
                violation_error_message="Genre de fusion inconnu.",
            ),
            models.CheckConstraint(
                name="merge_of_two_rows",
                condition=~Q(kept_key=F("absorbed_key")),
                violation_error_message="Une fiche ne se fusionne pas avec elle-même.",
            ),
        ]

    def __str__(self):
        return f"{self.absorbed_name} → {self.kept_name}"
