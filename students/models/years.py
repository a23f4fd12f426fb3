"""School years: 1 September to 31 August."""

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
            )
        ]

    def __str__(self):
        return f"{self.starts_on.year}-{self.ends_on.year}"
