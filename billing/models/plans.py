"""In how many parts families may pay a year's fees, and what each household chose."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Establishment
from billing.models.invoices import PARTS
from families.models import Family
from students.models import SchoolYear


class PaymentPlan(models.Model):
    """What an establishment offers for a year; without one, the invoice alone says its parts.

    The parts are due each month from the first one on, as those of any invoice
    (`billing.schedule.spread`).
    """

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="payment_plans"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="payment_plans"
    )
    in_two = models.BooleanField("en 2 fois", default=True)
    in_three = models.BooleanField("en 3 fois", default=True)
    in_four = models.BooleanField("en 4 fois", default=False)
    in_six = models.BooleanField("en 6 fois", default=False)
    minimum = models.DecimalField(
        "montant minimal d'une part (€)",
        max_digits=8,
        decimal_places=2,
        default=Decimal(15),
        validators=[MinValueValidator(Decimal(0), "Un montant n'est pas négatif.")],
        help_text="Un montant trop petit se paie en moins de fois.",
    )
    first_due_on = models.DateField(
        "première échéance prévue",
        help_text="Les suivantes sont le même jour des mois suivants. Montrée dans les estimations"
        "\u00a0; la facture a la sienne.",
    )
    choose_until = models.DateField(
        "les familles choisissent jusqu'au",
        help_text="Ce jour compris. Avant de préparer la facturation.",
    )

    class Meta:
        verbose_name = "paiement en plusieurs fois"
        verbose_name_plural = "paiements en plusieurs fois"
        ordering = ["establishment__name", "-school_year__starts_on"]
        constraints = [
            models.UniqueConstraint(
                name="payment_plan_one_per_establishment_and_year",
                fields=["establishment", "school_year"],
                violation_error_message="Cet établissement a déjà son réglage de cette année.",
            ),
            models.CheckConstraint(
                name="payment_plan_minimum_not_negative",
                condition=Q(minimum__gte=0),
                violation_error_message="Un montant n'est pas négatif.",
            ),
            models.CheckConstraint(
                name="payment_plan_chosen_before_due",
                condition=Q(choose_until__lte=F("first_due_on")),
                violation_error_message="Les familles choisissent avant la première échéance.",
            ),
        ]

    def __str__(self):
        return f"{self.establishment}, {self.school_year}"

    def clean(self):
        """What the constraint says, beside the field."""
        if self.choose_until and self.first_due_on and self.choose_until > self.first_due_on:
            message = "Les familles choisissent avant la première échéance."
            raise ValidationError({"choose_until": ValidationError(message, code="too_late")})

    @property
    def parts(self) -> list[int]:
        """In how many a family may choose to pay; at once always."""
        allowed = {2: self.in_two, 3: self.in_three, 4: self.in_four, 6: self.in_six}
        return [1, *(number for number, is_allowed in allowed.items() if is_allowed)]


class PaymentPlanChoiceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household's own: the other one of a shared custody chooses for itself."""
        return self.filter(family__in=Family.objects.visible_to(user))


class PaymentPlanChoice(models.Model):
    """The last one of a household; who made it stands beside."""

    plan = models.ForeignKey(
        PaymentPlan, models.PROTECT, verbose_name="réglage", related_name="choices"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="payment_plan_choices"
    )
    parts = models.PositiveSmallIntegerField(
        "payer en", choices=[(number, f"{number}\u00a0fois") for number in PARTS]
    )
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="choisi par", related_name="+"
    )
    chosen_at = models.DateTimeField("choisi le")

    objects = PaymentPlanChoiceQuerySet.as_manager()

    class Meta:
        verbose_name = "choix de paiement"
        verbose_name_plural = "choix de paiement"
        ordering = ["-chosen_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="payment_plan_choice_one_per_family",
                fields=["plan", "family"],
                violation_error_message="Ce foyer a déjà choisi.",
            ),
            models.CheckConstraint(
                name="payment_plan_choice_in_known_parts",
                condition=Q(parts__in=PARTS),
                violation_error_message="Une facture se paie en 1, 2, 3, 4 ou 6 fois.",
            ),
        ]

    def __str__(self):
        return f"{self.family}\u00a0: {self.get_parts_display()}"
