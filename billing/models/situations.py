"""What reduces a household's amounts besides its quotient, and how two households share them."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from billing.enums import SituationCode
from families.models import Family
from students.models import Custody, SchoolYear, Student


class SituationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household's own, and those of its students: either household's, in shared custody."""
        ours = Family.objects.visible_to(user).values("pk")
        students = Student.objects.visible_to(user).values("pk")
        return self.filter(Q(family__in=ours) | Q(student__in=students))


class Situation(models.Model):
    """A fact that an agent saw proved for a school year: the paper itself is not kept."""

    student = models.ForeignKey(
        Student,
        models.PROTECT,
        verbose_name="élève",
        related_name="situations",
        null=True,
        blank=True,
        help_text="Si elle est la sienne\u00a0: étudiant.",
    )
    family = models.ForeignKey(
        Family,
        models.PROTECT,
        verbose_name="famille",
        related_name="situations",
        null=True,
        blank=True,
        help_text="Si elle vaut pour tout le foyer\u00a0: minima sociaux.",
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="+"
    )
    code = models.CharField("situation", max_length=12, choices=SituationCode)
    seen_on = models.DateField(
        "justificatif vu le", help_text="Le justificatif n'est pas conservé."
    )
    note = models.CharField(
        "note", max_length=200, blank=True, help_text="La famille peut la lire dans ses données."
    )
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="noté par",
        related_name="+",
        editable=False,
    )

    objects = SituationQuerySet.as_manager()

    class Meta:
        verbose_name = "situation"
        ordering = ["-school_year__starts_on", "-seen_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="situation_of_a_student_or_a_family",
                condition=Q(student=None) ^ Q(family=None),
                violation_error_message="Une situation est celle d'un élève ou celle d'une"
                " famille, pas des deux.",
            ),
            models.CheckConstraint(
                name="situation_code_known",
                condition=Q(code__in=SituationCode.values),
                violation_error_message="Situation inconnue.",
            ),
            models.UniqueConstraint(
                name="situation_once_per_student_and_year",
                fields=["student", "school_year", "code"],
                violation_error_message="Cette situation de l'élève est déjà notée.",
            ),
            models.UniqueConstraint(
                name="situation_once_per_family_and_year",
                fields=["family", "school_year", "code"],
                violation_error_message="Cette situation de la famille est déjà notée.",
            ),
        ]

    def __str__(self):
        return f"{self.student or self.family}\u00a0: {self.get_code_display()}"


class PayerShare(models.Model):
    """What one of a student's two households pays; without rows the first one pays all."""

    custody = models.OneToOneField(
        Custody,
        models.CASCADE,  # a household that is no longer the student's shares nothing
        verbose_name="garde",
        related_name="payer_share",
    )
    percent = models.PositiveSmallIntegerField(
        "part payée (%)",
        validators=[MaxValueValidator(100)],
        help_text="L'autre foyer de l'élève paie le reste. Sans répartition, le premier foyer paie"
        " tout.",
    )

    class Meta:
        verbose_name = "répartition entre deux foyers"
        verbose_name_plural = "répartitions entre deux foyers"
        ordering = ["custody__student__sort_name", "custody__student", "custody__rank"]
        constraints = [
            models.CheckConstraint(
                name="payer_share_is_a_percentage",
                condition=Q(percent__lte=100),
                violation_error_message="Une part va de 0 à 100\u00a0%.",
            )
        ]

    def __str__(self):
        return f"{self.custody}\u00a0: {self.percent}\u00a0%"
