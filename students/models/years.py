"""School years: 1 September to 31 August."""

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class SchoolYearQuerySet(models.QuerySet):
    def current(self):
        """The year under way today, None in a gap between two years."""
        today = timezone.localdate()
        return self.filter(starts_on__lte=today, ends_on__gte=today).first()


class SchoolYear(models.Model):
    starts_on = models.DateField("début", unique=True)
    ends_on = models.DateField("fin", unique=True)
    lessons_start_on = models.DateField(
        "premier jour de cours",
        null=True,
        blank=True,
        help_text="Le plus souvent à la mi-septembre ; vide : le début de l'année.",
    )
    lessons_end_on = models.DateField(
        "dernier jour de cours",
        null=True,
        blank=True,
        help_text="Le plus souvent fin juin ; vide : la fin de l'année.",
    )

    objects = SchoolYearQuerySet.as_manager()

    class Meta:
        verbose_name = "année scolaire"
        verbose_name_plural = "années scolaires"
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(
                name="school_year_ends_after_start",
                condition=Q(ends_on__gt=F("starts_on")),
                violation_error_message="L'année doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="school_year_lessons_within_it",
                condition=(
                    Q(lessons_start_on=None)
                    | Q(lessons_start_on__range=(F("starts_on"), F("ends_on")))
                )
                & (
                    Q(lessons_end_on=None) | Q(lessons_end_on__range=(F("starts_on"), F("ends_on")))
                ),
                violation_error_message="Les jours de cours sont dans l'année scolaire.",
            ),
            models.CheckConstraint(
                name="school_year_lessons_end_after_start",
                condition=Q(lessons_start_on=None)
                | Q(lessons_end_on=None)
                | Q(lessons_end_on__gt=F("lessons_start_on")),
                violation_error_message="Les cours doivent finir après avoir commencé.",
            ),
        ]

    def __str__(self):
        return f"{self.starts_on.year}-{self.ends_on.year}"

    def holds(self, day: dt.date) -> bool:
        return self.starts_on <= day <= self.ends_on

    @property
    def lesson_days(self) -> tuple[dt.date, dt.date]:
        """The first and the last day on which a lesson may be, both included."""
        return self.lessons_start_on or self.starts_on, self.lessons_end_on or self.ends_on
