"""For whom a lesson is, in the words of those who set it."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

OLDEST, LAST_YEAR = 120, 9  # years of age, and of a cycle
CROSSED = "Le maximum doit être au moins égal au minimum."
AGE_HELP = "Ans révolus le 31 décembre qui suit la rentrée."
CYCLE_YEAR_HELP = "Celle de l'élève dans le cycle du cours, cette année-là."


class Audience(models.Model):
    """The ages and the years of the cycle that lessons are for; what is empty excludes nobody.

    The rule that reads them is in students.suitability.
    """

    age_from = models.PositiveSmallIntegerField(
        "âge minimal",
        null=True,
        blank=True,
        validators=[MaxValueValidator(OLDEST)],
        help_text=AGE_HELP,
    )
    age_to = models.PositiveSmallIntegerField(
        "âge maximal",
        null=True,
        blank=True,
        validators=[MaxValueValidator(OLDEST)],
        help_text=AGE_HELP,
    )
    cycle_year_from = models.PositiveSmallIntegerField(
        "année du cycle minimale",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LAST_YEAR)],
        help_text=CYCLE_YEAR_HELP,
    )
    cycle_year_to = models.PositiveSmallIntegerField(
        "année du cycle maximale",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LAST_YEAR)],
        help_text=CYCLE_YEAR_HELP,
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_audience_in_order_and_bounds",  # a null refuses nothing
                condition=Q(age_from__lte=F("age_to"))
                & Q(age_from__lte=OLDEST)
                & Q(age_to__lte=OLDEST)
                & Q(cycle_year_from__lte=F("cycle_year_to"))
                & Q(cycle_year_from__range=(1, LAST_YEAR))
                & Q(cycle_year_to__range=(1, LAST_YEAR)),
                violation_error_message=f"Les âges vont de 0 à {OLDEST} ans, les années du cycle"
                f" de 1 à {LAST_YEAR}, du minimum au maximum.",
            )
        ]

    def clean(self):
        """The constraint again, beside the field at fault."""
        super().clean()
        pairs = [(self.age_from, self.age_to, "age_to")]
        pairs.append((self.cycle_year_from, self.cycle_year_to, "cycle_year_to"))
        crossed = [name for low, high, name in pairs if None not in (low, high) and low > high]
        if crossed:
            raise ValidationError({name: ValidationError(CROSSED, "crossed") for name in crossed})

    @property
    def ages(self) -> tuple[int | None, int | None]:
        return self.age_from, self.age_to

    @property
    def cycle_years(self) -> tuple[int | None, int | None]:
        return self.cycle_year_from, self.cycle_year_to
