"""The households and the people who answer for the students."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.names import SortNameField
from accounts.references import ReferenceField
from families.enums import Zone


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

    def erased(self):
        return self.filter(erasure_requests__erasure__isnull=False).distinct()

    def not_erased(self):
        return self.exclude(pk__in=Family.objects.erased().order_by().values("pk"))


class Family(models.Model):
    """A household: the people at one address who answer for students."""

    name = models.CharField("nom", max_length=100)
    address = models.CharField("adresse", max_length=200)
    address_more = models.CharField("complément d'adresse", max_length=200, blank=True)
    commune = models.ForeignKey(
        Commune, models.PROTECT, verbose_name="commune", related_name="families"
    )
    reference = ReferenceField()
    sort_name = SortNameField("name")

    objects = FamilyQuerySet.as_manager()

    class Meta:
        verbose_name = "famille"
        ordering = ["sort_name", "pk"]
        permissions = [
            ("import_family", "Peut importer la liste des familles"),
            ("export_family", "Peut exporter la liste des familles"),
            ("merge_families", "Peut fusionner des doublons"),
        ]

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
    reference = ReferenceField()
    sort_name = SortNameField("last_name", "first_name")

    objects = GuardianQuerySet.as_manager()

    class Meta:
        verbose_name = "responsable"
        ordering = ["sort_name", "pk"]
        permissions = [
            ("import_guardian", "Peut importer la liste des responsables"),
            ("export_guardian", "Peut exporter la liste des responsables"),
            ("manage_accounts", "Peut inviter un responsable et fermer son compte"),
        ]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"
