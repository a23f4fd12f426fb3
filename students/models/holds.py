"""The places kept while a family finishes its dossier, or answers an offer."""

from django.db import models
from django.db.models import Q

from students.models.courses import Course, Place
from students.models.people import Student
from students.models.waiting import WaitingEntry


class Hold(models.Model):
    """A place kept for a student until a moment; from then on it stands for nothing.

    Nobody need sweep it away: whoever takes a place of the slot does (students.services). With an
    `entry` it is an offer to somebody who waited (students.waiting), without one a family's pick.
    """

    place = models.OneToOneField(Place, models.PROTECT, verbose_name="place", related_name="hold")
    student = models.ForeignKey(Student, models.PROTECT, verbose_name="élève", related_name="holds")
    course = models.ForeignKey(Course, models.PROTECT, verbose_name="cours", related_name="+")
    until = models.DateTimeField("réservée jusqu'au")
    entry = models.OneToOneField(
        WaitingEntry,
        models.PROTECT,
        verbose_name="proposée à",
        related_name="hold",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "place réservée"
        verbose_name_plural = "places réservées"
        ordering = ["until", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="hold_one_per_student_and_course",
                fields=["student", "course"],
                condition=Q(entry=None),
                violation_error_message="Une place de ce cours est déjà réservée à cet élève.",
            )
        ]

    def __str__(self):
        return f"{self.place} : {self.student}"
