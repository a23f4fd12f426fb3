"""What families tell of absences: beforehand, and afterwards to justify them."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from families.models import Family
from students.models import Course, Custody, Student
from teaching.enums import Verdict


class Justification(models.Model):
    """What a household wrote of an absence, and the administration's answer; the other household
    never reads it. Without a household: what the administration noted itself."""

    absence = models.ForeignKey(
        "teaching.Absence", models.PROTECT, verbose_name="absence", related_name="justifications"
    )
    family = models.ForeignKey(
        Family,
        models.PROTECT,
        verbose_name="foyer",
        related_name="justifications",
        null=True,
        blank=True,
    )
    text = models.CharField("justification", max_length=500, blank=True)
    at = models.DateTimeField("le")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    verdict = models.CharField("réponse", max_length=10, choices=Verdict, default=Verdict.PENDING)
    reason = models.CharField(
        "motif du refus", max_length=200, blank=True, help_text="La famille le lit."
    )
    decided_at = models.DateTimeField("répondu le", null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="répondu par",
        related_name="+",
        null=True,
    )

    class Meta:
        verbose_name = "justification"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="justification_verdict_known",
                condition=Q(verdict__in=Verdict.values),
                violation_error_message="Réponse inconnue.",
            ),
            models.CheckConstraint(
                name="justification_decided_iff_answered",
                condition=Q(verdict=Verdict.PENDING, decided_at=None, decided_by=None)
                | (
                    ~Q(verdict=Verdict.PENDING)
                    & Q(decided_at__isnull=False, decided_by__isnull=False)
                ),
                violation_error_message="La réponse dit quand et par qui.",
            ),
            models.CheckConstraint(
                name="justification_refused_says_why",
                condition=~Q(verdict=Verdict.REFUSED) ^ ~Q(reason=""),
                violation_error_message="Un refus, et lui seul, a un motif.",
            ),
            models.CheckConstraint(
                name="justification_of_the_administration_is_accepted",
                condition=Q(family__isnull=False) | Q(verdict=Verdict.ACCEPTED),
                violation_error_message="Ce que l'administration note est accepté.",
            ),
            models.UniqueConstraint(
                name="justification_one_pending_per_household",
                fields=["absence", "family"],
                condition=Q(verdict=Verdict.PENDING),
                violation_error_message="Une justification attend déjà une réponse.",
            ),
        ]

    def __str__(self):
        return f"Justification, {self.absence}"


class AbsenceNoticeQuerySet(models.QuerySet):
    def live(self):
        return self.filter(withdrawn_at=None)

    def visible_to(self, user):
        """Those of the students of the user's household; the words, only of his own household."""
        ours = Custody.objects.filter(student=OuterRef("student"), family__guardians__user=user)
        return self.filter(Exists(ours))


class AbsenceNotice(models.Model):
    """A family tells beforehand that a student will not come; teachers never read why."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="absence_notices"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="foyer", related_name="absence_notices"
    )
    first_on = models.DateField("du")
    last_on = models.DateField("au", help_text="Compris.")
    course = models.ForeignKey(
        Course,
        models.PROTECT,
        verbose_name="cours",
        related_name="absence_notices",
        null=True,
        blank=True,
        help_text="Vide\u00a0: tous les cours de ces jours.",
    )
    reason = models.CharField("motif", max_length=300, blank=True)
    created_at = models.DateTimeField("annoncée le")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    withdrawn_at = models.DateTimeField("retirée le", null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="retirée par",
        related_name="+",
        null=True,
    )

    objects = AbsenceNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = "absence annoncée"
        verbose_name_plural = "absences annoncées"
        ordering = ["-first_on", "-pk"]
        indexes = [models.Index(fields=["student", "last_on"], name="absence_notice_of_a_day")]
        constraints = [
            models.CheckConstraint(
                name="absence_notice_ends_after_start",
                condition=Q(last_on__gte=F("first_on")),
                violation_error_message="Le dernier jour n'est pas avant le premier.",
            ),
            models.CheckConstraint(
                name="absence_notice_withdrawn_by_somebody",
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                violation_error_message="Un retrait dit quand et par qui.",
            ),
        ]

    def __str__(self):
        return f"{self.student}, du {self.first_on:%d/%m/%Y} au {self.last_on:%d/%m/%Y}"
