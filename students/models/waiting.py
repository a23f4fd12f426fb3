"""Who waits for a place of a slot, and what became of each wish."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from students.enums import STILL_WAITING, WaitingState
from students.models.courses import Course, Place, Slot
from students.models.people import Student


class WaitingEntryQuerySet(models.QuerySet):
    def live(self):
        """Waiting, or with a place offered and not answered yet."""
        return self.filter(state__in=STILL_WAITING)

    def waiting(self):
        return self.filter(state=WaitingState.WAITING)

    def for_slot(self, slot):
        """The wishes that a place of the slot would fulfil: for it, or for any of its course."""
        return self.filter(Q(slot=slot) | Q(slot=None, course=slot.course_id))

    def for_outer_slot(self):
        """As `for_slot`, inside a query on slots."""
        return self.filter(Q(slot=OuterRef("pk")) | Q(slot=None, course=OuterRef("course")))

    def visible_to(self, user):
        """Either household's, in alternating custody."""
        return self.filter(student__in=Student.objects.visible_to(user))


class WaitingEntry(models.Model):
    """One wish of a student on the waiting list: a slot of a course, or any slot of it.

    `preference` orders the wishes of one student for one course, 1 first. The order of a slot's
    list is no column: it is computed by the published rule (students.waiting_order).
    """

    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="waiting_entries"
    )
    course = models.ForeignKey(
        Course, models.PROTECT, verbose_name="cours", related_name="waiting_entries"
    )
    slot = models.ForeignKey(
        Slot,
        models.PROTECT,
        verbose_name="créneau",
        related_name="waiting_entries",
        null=True,
        blank=True,
        help_text="Vide\u00a0: n'importe quel créneau du cours.",
    )
    preference = models.PositiveSmallIntegerField("rang du vœu", default=1)
    since = models.DateTimeField("en attente depuis le")
    draw = models.PositiveIntegerField(
        "numéro de tirage",
        null=True,
        blank=True,
        help_text="Départage les élèves à égalité, avant la date\u00a0: le tirage publié.",
    )
    state = models.CharField(
        "état", max_length=10, choices=WaitingState, default=WaitingState.WAITING
    )

    objects = WaitingEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "demande en liste d'attente"
        verbose_name_plural = "liste d'attente"
        ordering = ["course__sort_name", "preference", "pk"]
        permissions = [("manage_waiting", "Peut proposer une place de la liste d'attente")]
        constraints = [
            models.UniqueConstraint(
                name="waiting_entry_one_live_per_student_and_slot",
                fields=["student", "slot"],
                condition=Q(state__in=STILL_WAITING, slot__isnull=False),
                violation_error_message="Cet élève attend déjà une place de ce créneau.",
            ),
            models.UniqueConstraint(
                name="waiting_entry_one_live_for_any_slot",
                fields=["student", "course"],
                condition=Q(state__in=STILL_WAITING, slot=None),
                violation_error_message="Cet élève attend déjà une place de ce cours.",
            ),
            models.CheckConstraint(
                name="waiting_entry_state_known",
                condition=Q(state__in=WaitingState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="waiting_entry_preference_from_1",
                condition=Q(preference__gte=1),
                violation_error_message="Le premier vœu porte le numéro 1.",
            ),
        ]

    def __str__(self):
        return f"{self.student}\u00a0: {self.wish}"

    @property
    def wish(self) -> str:
        """What is waited for, as a family reads it."""
        return str(self.slot) if self.slot_id else f"{self.course}, n'importe quel horaire"

    @property
    def within_course(self) -> str:
        """The same where the course is named already."""
        return self.slot.within_course if self.slot_id else "n'importe quel horaire"

    @property
    def offered_slot(self) -> Slot | None:
        """The slot of the place kept for the answer; None when none is."""
        offered = getattr(self, "hold", None)
        return offered.place.slot if offered else None


class WaitingMove(models.Model):
    """What became of a wish: when, by whom, at which rank of how many, why. Append-only.

    Shown to a family that asks why a place went to another one.
    """

    entry = models.ForeignKey(
        WaitingEntry, models.PROTECT, verbose_name="demande", related_name="moves"
    )
    to_state = models.CharField("devient", max_length=10, choices=WaitingState)
    at = models.DateTimeField("le", auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="par",
        related_name="+",
        null=True,
        blank=True,
        help_text="Vide\u00a0: la règle de la campagne, ou le temps passé.",
    )
    slot = models.ForeignKey(
        Slot, models.PROTECT, verbose_name="créneau", related_name="+", null=True, blank=True
    )
    rank = models.PositiveSmallIntegerField("rang", null=True, blank=True)
    waiting = models.PositiveSmallIntegerField("élèves en attente", null=True, blank=True)
    reason = models.CharField("motif", max_length=300, blank=True)

    class Meta:
        verbose_name = "mouvement de la liste d'attente"
        verbose_name_plural = "mouvements de la liste d'attente"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="waiting_move_state_known",
                condition=Q(to_state__in=WaitingState.values),
                violation_error_message="État inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.entry} – {self.get_to_state_display()}"


def awaited_by(*, but_of: Student | None = None, at: dt.datetime | None = None):
    """For a query on slots: how many others wait for a place of each, and have none kept there."""
    waiting = WaitingEntry.objects.waiting().for_outer_slot()
    if but_of is not None:
        waiting = waiting.exclude(student=but_of)
    kept = Place.objects.filter(slot=OuterRef(OuterRef("pk")), hold__student=OuterRef("student"))
    waiting = waiting.exclude(Exists(kept.filter(hold__until__gt=at or timezone.now())))
    # Counted in a query of its own, without the order and grouping that Meta would bring.
    counted = waiting.order_by().annotate(all=models.Value(1)).values("all")
    return Coalesce(Subquery(counted.annotate(n=Count("student", distinct=True)).values("n")), 0)
