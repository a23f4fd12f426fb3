"""What the staff did with the files: append-only."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.enums import RefusalReason, Verdict
from documents.models.documents import Document

AUTOMATIC = "contrôle automatique"  # who signs for the antivirus


class Review(models.Model):
    """One verdict on a document, who gave it and why: append-only."""

    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="reviews"
    )
    verdict = models.CharField("examen", max_length=10, choices=Verdict)
    reason = models.CharField("motif", max_length=15, choices=RefusalReason, blank=True)
    comment = models.CharField("précision", max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="par",
        related_name="+",
        null=True,  # the antivirus
        blank=True,
    )
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "examen d'une pièce"
        verbose_name_plural = "examens des pièces"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="review_refusal_has_a_reason",
                condition=Q(verdict=Verdict.REFUSED) ^ Q(reason=""),
                violation_error_message="Un refus dit son motif.",
            ),
            models.CheckConstraint(
                name="review_verdict_known",
                condition=Q(verdict__in=[Verdict.ACCEPTED, Verdict.REFUSED]),
                violation_error_message="Examen inconnu.",
            ),
            models.CheckConstraint(
                name="review_by_an_agent_or_by_the_antivirus",
                condition=Q(reason=RefusalReason.SECURITY) ^ Q(actor__isnull=False),
                violation_error_message="Ce motif est celui du contrôle automatique.",
            ),
        ]

    def __str__(self):
        return f"{self.document} : {self.get_verdict_display()}"

    @property
    def is_automatic(self) -> bool:
        """By the antivirus, and not by an agent."""
        return self.actor_id is None

    @property
    def signed(self) -> str:
        """Who gave it, in words."""
        if self.is_automatic:
            return AUTOMATIC
        return self.actor.get_full_name() or self.actor.get_username()


class Access(models.Model):
    """A staff member opened a document: who, which, when (RGPD); append-only."""

    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="accesses"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "consultation d'une pièce"
        verbose_name_plural = "consultations des pièces"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.document} par {self.actor}"
