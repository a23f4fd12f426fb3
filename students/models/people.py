"""Students, the households that they live in, and their teachers."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.names import SortNameField
from accounts.references import ReferenceField
from families.models import Family


class Teacher(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="compte",
        related_name="teacher",
        null=True,
        blank=True,
    )
    last_name = models.CharField("nom", max_length=100)
    first_name = models.CharField("prénom", max_length=100)
    sort_name = SortNameField("last_name", "first_name")

    class Meta:
        verbose_name = "enseignant"
        ordering = ["sort_name", "pk"]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"


class StudentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The students of the user's household: either one, in alternating custody."""
        # One row for each: one household has a guardian of that account (Guardian.user is one to
        # one), and one custody of that student.
        return self.filter(custodies__family__guardians__user=user)


class Student(models.Model):
    last_name = models.CharField("nom", max_length=100)
    first_name = models.CharField("prénom", max_length=100)
    birth_date = models.DateField("date de naissance")
    email = models.EmailField("adresse e-mail", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    school = models.CharField("établissement scolaire", max_length=150, blank=True)
    school_class = models.CharField("classe", max_length=30, blank=True)
    reference = ReferenceField()
    families = models.ManyToManyField(
        Family, through="Custody", verbose_name="familles", related_name="students"
    )
    sort_name = SortNameField("last_name", "first_name")

    objects = StudentQuerySet.as_manager()

    class Meta:
        verbose_name = "élève"
        ordering = ["sort_name", "pk"]
        permissions = [
            ("import_student", "Peut importer la liste des élèves"),
            ("export_student", "Peut exporter la liste des élèves"),
        ]

    def __str__(self):
        return f"{self.first_name} {self.last_name}"


class Custody(models.Model):
    """The one or two households of a student (two: alternating custody)."""

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="custodies"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="custodies"
    )
    rank = models.PositiveSmallIntegerField(
        "foyer", choices=[(1, "premier foyer"), (2, "second foyer")], default=1
    )
    image_consent_at = models.DateTimeField(
        "photo autorisée le",
        null=True,
        blank=True,
        editable=False,
        help_text="Par ce foyer, pour les enseignants de l'élève (students/image_consent.py).",
    )

    class Meta:
        verbose_name = "garde"
        ordering = ["student_id", "rank"]
        permissions = [
            ("import_custody", "Peut importer la liste des gardes"),
            ("export_custody", "Peut exporter la liste des gardes"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="custody_one_per_student_and_family",
                fields=["student", "family"],
                violation_error_message="Cet élève est déjà rattaché à cette famille.",
            ),
            models.UniqueConstraint(
                name="custody_one_household_per_rank",
                fields=["student", "rank"],
                violation_error_message="Cet élève a déjà un foyer de ce rang.",
            ),
            models.CheckConstraint(
                name="custody_two_households_at_most",
                condition=Q(rank__in=[1, 2]),
                violation_error_message="Un élève a un ou deux foyers.",
            ),
        ]

    def __str__(self):
        return f"{self.student} chez {self.family}"
