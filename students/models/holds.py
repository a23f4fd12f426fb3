"""The places kept while a family finishes its dossier."""

from django.db import models

from students.models.courses import Course, Place
from students.models.people import Student


class Hold(models.Model):
    """A place kept for a student until a moment; from then on it stands for nothing.

    Nobody need sweep it away: whoever takes a place of the slot does (students.services).
    """

    place = models.OneToOneField(Place, models.PROTECT, verbose_name="place", related_name="hold")
    student = models.ForeignKey(Student, models.PROTECT, verbose_name="élève", related_name="holds")
    course = models.ForeignKey(Course, models.PROTECT, verbose_name="cours", related_name="+")
    until = models.DateTimeField("réservée jusqu'au")

    class Meta:
        verbose_name = "place réservée"
        verbose_name_plural = "places réservées"
        ordering = ["until", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="hold_one_per_student_and_course",
                fields=["student", "course"],
                violation_error_message="Une place de ce cours est déjà réservée à cet élève.",
            )
        ]

    def __str__(self):
        return f"{self.place} : {self.student}"
