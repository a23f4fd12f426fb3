"""What the staff did with the files: append-only."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.enums import RefusalReason, Verdict
from documents.models.documents import Document


class Review(models.Model):
    """One verdict on a document, who gave it and why: append-only."""

    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="reviews"
    )
    verdict = models.CharField("examen", max_length=10, choices=Verdict)
    reason = models.CharField("motif", max_length=15, choices=RefusalReason, blank=True)
    comment = models.CharField("précision", max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
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
        ]

    def __str__(self):
        return f"{self.document} : {self.get_verdict_display()}"


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
