"""When lessons are: the days without any, the hours that teachers fix, what became of one lesson.

A lesson is a weekly hour on a day. The hour is a slot (students.Slot), or a LessonTime for a
course without slots; teaching/lessons.py makes the lessons of a week from them. A Lesson is
written only for one that is not as planned, or whose register was called.
"""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from accounts.dates import french_time
from accounts.models import Establishment
from students.enums import Weekday
from students.models import Course, Enrolment, Slot, Teacher
from teaching.enums import ClosureKind, LessonState

SLOT, FIXED = "c", "h"  # the kind of an hour, in the key of a lesson


def lesson_key(kind: str, hour: int, planned_on: dt.date) -> str:
    return f"{kind}{hour}-{planned_on:%Y-%m-%d}"


class Closure(models.Model):
    """Days without lessons: school holidays (zone B for Lille), public holidays, a closed site."""

    establishment = models.ForeignKey(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="closures",
        null=True,
        blank=True,
        help_text="Vide : tous les établissements.",
    )
    kind = models.CharField("nature", max_length=14, choices=ClosureKind)
    name = models.CharField(
        "nom", max_length=100, help_text="Tel que les familles le lisent : « Toussaint »."
    )
    first_on = models.DateField("premier jour sans cours")
    last_on = models.DateField("dernier jour sans cours", help_text="Compris.")

    class Meta:
        verbose_name = "jour sans cours"
        verbose_name_plural = "jours sans cours"
        ordering = ["first_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="closure_kind_known",
                condition=Q(kind__in=ClosureKind.values),
                violation_error_message="Nature inconnue.",
            ),
            models.CheckConstraint(
                name="closure_ends_after_start",
                condition=Q(last_on__gte=F("first_on")),
                violation_error_message="Le dernier jour n'est pas avant le premier.",
            ),
        ]

    def __str__(self):
        return self.name


class LessonTime(models.Model):
    """A weekly hour of a course without slots: of one student's lesson, or of the whole course.

    The teacher fixes it for each student (individual lessons); without an enrolment it is
    everybody's (CHAM, on school time).
    """

    course = models.ForeignKey(
        Course, models.PROTECT, verbose_name="cours", related_name="lesson_times"
    )
    enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        verbose_name="inscription",
        related_name="lesson_times",
        null=True,
        blank=True,
        help_text="Vide : tous les élèves du cours.",
    )
    weekday = models.PositiveSmallIntegerField("jour", choices=Weekday)
    starts_at = models.TimeField("de")
    ends_at = models.TimeField("à")
    room = models.CharField("salle", max_length=50, blank=True)
    starts_on = models.DateField(
        "à partir du", null=True, blank=True, help_text="Vide : dès le premier jour de cours."
    )
    ends_on = models.DateField(
        "jusqu'au", null=True, blank=True, help_text="Compris ; vide : jusqu'à la fin de l'année."
    )
    # One more at each change: what mails and calendars tell apart.
    revision = models.PositiveSmallIntegerField("version", default=1, editable=False)

    class Meta:
        verbose_name = "horaire fixé"
        verbose_name_plural = "horaires fixés"
        ordering = ["weekday", "starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="lesson_time_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="Le cours doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="lesson_time_weekday_known",
                condition=Q(weekday__in=Weekday.values),
                violation_error_message="Jour inconnu.",
            ),
            models.CheckConstraint(
                name="lesson_time_last_day_after_first",
                condition=Q(ends_on__gte=F("starts_on")) | Q(starts_on=None) | Q(ends_on=None),
                violation_error_message="Un horaire ne finit pas avant de commencer.",
            ),
            models.UniqueConstraint(
                name="lesson_time_one_without_end_per_enrolment",
                fields=["enrolment"],
                condition=Q(ends_on=None),
                violation_error_message="Cet élève a déjà un horaire dans ce cours.",
            ),
        ]

    def __str__(self):
        """« Piano – MARDI – 17 h à 17 h 30 », as a slot says it."""
        return f"{self.course.name} – {self.get_weekday_display().upper()} – {self.hours}"

    @property
    def hours(self) -> str:
        return f"{french_time(self.starts_at)} à {french_time(self.ends_at)}"

    @property
    def teacher(self) -> Teacher | None:
        return self.course.teacher

    @property
    def lesson_days(self) -> tuple[dt.date, dt.date]:
        """The first and the last day of its lessons, both included; none if they are crossed."""
        opens, closes = self.course.school_year.lesson_days
        return max(self.starts_on or opens, opens), min(self.ends_on or closes, closes)


class Lesson(models.Model):
    """What became of one lesson; (its weekly hour, `planned_on`) says which one."""

    slot = models.ForeignKey(
        Slot,
        models.PROTECT,
        verbose_name="créneau",
        related_name="lessons",
        null=True,
        blank=True,
    )
    time = models.ForeignKey(
        LessonTime,
        models.PROTECT,
        verbose_name="horaire fixé",
        related_name="lessons",
        null=True,
        blank=True,
    )
    planned_on = models.DateField("jour prévu")
    state = models.CharField(
        "état", max_length=10, choices=LessonState, default=LessonState.PLANNED
    )
    moved_on = models.DateField("nouveau jour", null=True, blank=True)
    starts_at = models.TimeField("de", null=True, blank=True)
    ends_at = models.TimeField("à", null=True, blank=True)
    room = models.CharField("salle", max_length=50, blank=True, help_text="Vide : la même.")
    substitute = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="remplaçant",
        related_name="substituted_lessons",
        null=True,
        blank=True,
    )
    reason = models.CharField(
        "motif", max_length=200, blank=True, help_text="Les familles le lisent."
    )

    class Meta:
        verbose_name = "séance"
        ordering = ["planned_on", "pk"]
        permissions = [("plan_lessons", "Peut annuler, déplacer et faire remplacer des séances")]
        constraints = [
            models.CheckConstraint(
                name="lesson_of_a_slot_or_a_fixed_time",
                condition=Q(slot=None) ^ Q(time=None),
                violation_error_message="Une séance est celle d'un créneau ou d'un horaire fixé.",
            ),
            models.UniqueConstraint(
                name="lesson_one_per_slot_and_day",
                fields=["slot", "planned_on"],
                violation_error_message="Cette séance existe déjà.",
            ),
            models.UniqueConstraint(
                name="lesson_one_per_fixed_time_and_day",
                fields=["time", "planned_on"],
                violation_error_message="Cette séance existe déjà.",
            ),
            models.CheckConstraint(
                name="lesson_state_known",
                condition=Q(state__in=LessonState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="lesson_moved_says_where",
                condition=Q(
                    state=LessonState.MOVED,
                    moved_on__isnull=False,
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                )
                | Q(moved_on=None, starts_at=None, ends_at=None) & ~Q(state=LessonState.MOVED),
                violation_error_message="Une séance déplacée, et elle seule, a un nouvel horaire.",
            ),
            models.CheckConstraint(
                name="lesson_moved_ends_after_start",
                condition=Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
                violation_error_message="Le cours doit finir après avoir commencé.",
            ),
        ]

    def __str__(self):
        return f"{self.slot or self.time}, {self.planned_on:%d/%m/%Y}"

    @property
    def key(self) -> str:
        """« c12-2026-10-14 »: in addresses, and the UID of a calendar; see Occurrence."""
        kind, hour = (SLOT, self.slot_id) if self.slot_id else (FIXED, self.time_id)
        return lesson_key(kind, hour, self.planned_on)
