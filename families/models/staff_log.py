"""What the staff did for good: people invited, doubles merged."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Mail
from families.enums import MergeKind
from families.models.households import Family, Guardian


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

    @property
    def closed_accounts(self) -> list[int]:
        """The keys of the accounts of the two responsables that neither of them has any more."""
        return self.details.get("closed_accounts", [])
