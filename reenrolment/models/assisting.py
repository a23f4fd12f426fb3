"""The counter: an agent fills in for a family, under his own name."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from families.models import Family
from students.models import Student


class AssistedSession(models.Model):
    """At the counter, an agent fills in a student's dossier for one household. Never deleted."""

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="agent", related_name="+"
    )
    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="assisted_sessions"
    )
    family = models.ForeignKey(Family, models.PROTECT, verbose_name="foyer", related_name="+")
    started_at = models.DateTimeField("ouverte le")
    ends_at = models.DateTimeField("jusqu'au")  # brought forward by « Terminer »

    class Meta:
        verbose_name = "saisie au guichet"
        verbose_name_plural = "saisies au guichet"
        ordering = ["-started_at", "-pk"]
        default_permissions = ["view"]
        permissions = [("assist_family", "Peut remplir une réinscription au guichet")]
        constraints = [
            models.CheckConstraint(
                name="assisted_session_starts_before_it_ends",
                condition=Q(started_at__lte=F("ends_at")),
                violation_error_message="La fin précède le début.",
            )
        ]

    def __str__(self):
        return f"{self.student} ({self.family})"
