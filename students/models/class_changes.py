"""Who came into a class, or left it, and when: teachers see what is new on their lists."""

from django.db import models
from django.db.models import Q

from students.enums import ClassMove
from students.models.courses import Slot
from students.models.enrolments import Enrolment


class ClassChange(models.Model):
    """A confirmed student came into a class, or left it. Append-only, written by the services.

    The class is the slot; of a course without slots, the course of the enrolment.
    """

    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="inscription", related_name="class_changes"
    )
    slot = models.ForeignKey(
        Slot, models.PROTECT, verbose_name="créneau", related_name="+", null=True, blank=True
    )
    kind = models.CharField("mouvement", max_length=10, choices=ClassMove)
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "mouvement d'une classe"
        verbose_name_plural = "mouvements des classes"
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["at"], name="class_change_lately")]
        constraints = [
            models.CheckConstraint(
                name="class_change_kind_known",
                condition=Q(kind__in=ClassMove.values),
                violation_error_message="Mouvement inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.enrolment} – {self.get_kind_display()}"
