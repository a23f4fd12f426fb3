"""The rows of a tariff grid: rates, deductions, fees, rentals."""

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce

from billing.models.tariffs import TariffCategory, TariffGrid
from billing.money import euros
from billing.tariffs.enums import FeePer, ModifierReason, RateAudience
from families.enums import Zone

POSITIVE = [MinValueValidator(Decimal(0), "Un montant n'est pas négatif.")]
PERCENT = [
    MinValueValidator(Decimal("0.01"), "Écrivez un pourcentage de plus de 0."),
    MaxValueValidator(Decimal(100), "Écrivez un pourcentage de 100 au plus."),
]
RANK = [MinValueValidator(1, "Le premier enfant du foyer a le rang 1.")]
CODES = RegexValidator(
    r"^[a-z0-9_-]+(,\s*[a-z0-9_-]+)*$",
    "Écrivez des codes en minuscules sans accent, séparés par des virgules.",
)
ZONES_IN_ORDER = Case(
    *(When(zone=zone, then=Value(rank)) for rank, zone in enumerate(["", *Zone.values])),
    output_field=models.PositiveSmallIntegerField(),
)
NO_LOW, NO_HIGH, NO_RANK = Value(Decimal(-1)), Value(Decimal(-1)), Value(0)


def _euros(name, **kwargs):
    return models.DecimalField(name, max_digits=8, decimal_places=2, validators=POSITIVE, **kwargs)


def _percent(name, **kwargs):
    return models.DecimalField(name, max_digits=5, decimal_places=2, validators=PERCENT, **kwargs)


class TariffRate(models.Model):
    """One line of a grid: an amount for a term, or a « taux d'effort ». Empty: every case."""

    grid = models.ForeignKey(
        TariffGrid,
        models.CASCADE,  # a draft goes with its lines; a published grid is never deleted
        verbose_name="grille",
        related_name="rates",
    )
    category = models.ForeignKey(
        TariffCategory, models.PROTECT, verbose_name="catégorie", related_name="rates"
    )
    zone = models.CharField("zone", max_length=15, choices=Zone, blank=True)
    audience = models.CharField(
        "public", max_length=10, choices=RateAudience, default=RateAudience.ALL
    )
    band_low = _euros("QF à partir de", null=True, blank=True)
    band_high = _euros("QF jusqu'à (exclu)", null=True, blank=True)
    rank = models.PositiveSmallIntegerField(
        "rang de l'élève", null=True, blank=True, validators=RANK
    )
    amount = _euros("montant (€)", null=True, blank=True)
    effort_percent = _percent("taux d'effort (%)", null=True, blank=True)
    effort_floor = _euros("plancher (€)", null=True, blank=True)
    effort_ceiling = _euros("plafond (€)", null=True, blank=True)

    class Meta:
        verbose_name = "tarif"
        ordering = [
            *["grid", "category__position", "category__code"],
            *[ZONES_IN_ORDER, "-audience"],  # children, everybody, adults
            *[F("band_low").asc(nulls_first=True), F("rank").asc(nulls_first=True), "pk"],
        ]
        permissions = [
            ("import_tariffrate", "Peut importer les tarifs"),
            ("export_tariffrate", "Peut exporter les tarifs"),
        ]
        constraints = [
            models.UniqueConstraint(
                *["grid", "category", "zone", "audience"],
                Coalesce("band_low", NO_LOW),
                Coalesce("band_high", NO_HIGH),
                Coalesce("rank", NO_RANK),
                name="tariff_rate_one_per_case",
                violation_error_message="Ce cas a déjà son tarif dans la grille.",
            ),
            models.CheckConstraint(
                name="tariff_rate_amount_or_effort",
                condition=Q(
                    amount__isnull=False,
                    effort_percent=None,
                    effort_floor=None,
                    effort_ceiling=None,
                )
                | Q(
                    amount=None,
                    effort_percent__isnull=False,
                    effort_floor__isnull=False,
                    effort_ceiling__isnull=False,
                ),
                violation_error_message="Donnez un montant, ou bien un taux d'effort avec son"
                " plancher et son plafond.",
            ),
            models.CheckConstraint(
                name="tariff_rate_not_negative",
                condition=(Q(amount=None) | Q(amount__gte=0))
                & (Q(effort_percent=None) | Q(effort_percent__gt=0, effort_percent__lte=100))
                & (Q(effort_floor=None) | Q(effort_floor__gte=0))
                & (Q(band_low=None) | Q(band_low__gte=0)),
                violation_error_message="Un montant n'est pas négatif.",
            ),
            models.CheckConstraint(
                name="tariff_rate_floor_under_ceiling",
                condition=Q(effort_floor=None) | Q(effort_ceiling__gte=F("effort_floor")),
                violation_error_message="Le plafond est au moins le plancher.",
            ),
            models.CheckConstraint(
                name="tariff_rate_band_in_order",
                condition=Q(band_low=None) | Q(band_high=None) | Q(band_high__gt=F("band_low")),
                violation_error_message="La tranche de quotient finit après avoir commencé.",
            ),
            models.CheckConstraint(
                name="tariff_rate_zone_and_audience_known",
                condition=Q(zone__in=["", *Zone.values], audience__in=RateAudience.values),
                violation_error_message="Zone ou public inconnus.",
            ),
        ]

    def __str__(self):
        return f"{self.category}, {self.case}"

    def clean(self):
        """What the constraints say, beside the field at fault, without a query."""
        effort = [self.effort_percent, self.effort_floor, self.effort_ceiling]
        if self.amount is not None and any(each is not None for each in effort):
            raise ValidationError(
                {
                    "amount": ValidationError(
                        "Un montant ou un taux d'effort, pas les deux.", code="both"
                    )
                }
            )
        if self.amount is None:
            if all(each is None for each in effort):
                raise ValidationError(
                    {
                        "amount": ValidationError(
                            "Donnez un montant, ou un taux d'effort avec son plancher et son"
                            " plafond.",
                            code="no_price",
                        )
                    }
                )
            lacking = {
                name: ValidationError("Le taux, le plancher et le plafond vont ensemble.", "effort")
                for name in ("effort_percent", "effort_floor", "effort_ceiling")
                if getattr(self, name) is None
            }
            if lacking:
                raise ValidationError(lacking)
            if self.effort_ceiling < self.effort_floor:
                raise ValidationError(
                    {
                        "effort_ceiling": ValidationError(
                            "Le plafond est au moins le plancher.", "ceiling"
                        )
                    }
                )
        if None not in (self.band_low, self.band_high) and self.band_high <= self.band_low:
            raise ValidationError(
                {
                    "band_high": ValidationError(
                        "La tranche de quotient finit après avoir commencé.", "band"
                    )
                }
            )

    @property
    def band(self) -> str:
        """« QF de 600 à moins de 1 000 », « QF de 1 000 et plus »; empty: every quotient."""
        low, high = self.band_low, self.band_high
        if low and high:
            return f"QF de {_bare(low)} à moins de {_bare(high)}"
        if high:
            return f"QF de moins de {_bare(high)}"
        return f"QF de {_bare(low)} et plus" if low else ""

    @property
    def for_whom(self) -> str:
        """« hors territoire, adultes », « tous »: whatever the quotient."""
        rank = f"{self.rank}{'er' if self.rank == 1 else 'e'} élève" if self.rank else ""
        audience = "" if self.audience == RateAudience.ALL else self.get_audience_display()
        zone = self.get_zone_display() if self.zone else ""
        return ", ".join(filter(None, (zone, audience, rank))) or "tous"

    @property
    def case(self) -> str:
        return ", ".join(filter(None, (self.for_whom, self.band)))

    @property
    def price(self) -> str:
        """« 603,00 € », « 6,4 % du QF, de 76,00 € à 285,00 € »."""
        if self.amount is not None:
            return euros(self.amount)
        return (
            f"{_bare(self.effort_percent)}\u00a0% du QF, de {euros(self.effort_floor)}"
            f" à {euros(self.effort_ceiling)}"
        )


class TariffModifier(models.Model):
    """A deduction; they apply in their order, each on what the former left."""

    grid = models.ForeignKey(
        TariffGrid,
        models.CASCADE,  # as its rates
        verbose_name="grille",
        related_name="modifiers",
    )
    position = models.PositiveSmallIntegerField("ordre", default=1)
    reason = models.CharField("motif", max_length=15, choices=ModifierReason)
    label = models.CharField("libellé", max_length=100)
    percent = _percent("%", null=True, blank=True)
    amount = _euros("ou €", null=True, blank=True)
    from_rank = models.PositiveSmallIntegerField(
        "du rang", default=2, validators=RANK, help_text="Pour le rang dans le foyer."
    )
    to_rank = models.PositiveSmallIntegerField("au rang", null=True, blank=True, validators=RANK)
    codes = models.CharField("situations", max_length=200, blank=True, validators=[CODES])
    categories = models.ManyToManyField(
        TariffCategory,
        verbose_name="catégories",
        blank=True,
        related_name="+",
        help_text="Aucune\u00a0: toutes.",
    )
    keeps_floor = models.BooleanField("garde le plancher", default=True)

    class Meta:
        verbose_name = "réduction"
        ordering = ["grid", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="tariff_modifier_percent_or_amount",
                condition=Q(percent__isnull=False, amount=None)
                | Q(percent=None, amount__isnull=False),
                violation_error_message="Donnez un pourcentage ou un montant, l'un des deux.",
            ),
            models.CheckConstraint(
                name="tariff_modifier_within_bounds",
                condition=(Q(percent=None) | Q(percent__gt=0, percent__lte=100))
                & (Q(amount=None) | Q(amount__gte=0)),
                violation_error_message="Une réduction est de 100 % au plus, jamais négative.",
            ),
            models.CheckConstraint(
                name="tariff_modifier_ranks_in_order",
                condition=Q(from_rank__gte=1) & (Q(to_rank=None) | Q(to_rank__gte=F("from_rank"))),
                violation_error_message="Le dernier rang est au moins le premier.",
            ),
            models.CheckConstraint(
                name="tariff_modifier_codes_iff_situation",
                condition=Q(reason=ModifierReason.SITUATION) ^ Q(codes=""),
                violation_error_message="Une réduction selon la situation dit lesquelles, et elle"
                " seule.",
            ),
            models.CheckConstraint(
                name="tariff_modifier_reason_known",
                condition=Q(reason__in=ModifierReason.values),
                violation_error_message="Motif inconnu.",
            ),
        ]

    def __str__(self):
        return self.label

    def clean(self):
        """What the constraints say, beside the field at fault, without a query."""
        errors = {}
        if (self.percent is None) == (self.amount is None):
            errors["percent"] = ("Donnez un pourcentage ou un montant, l'un des deux.", "value")
        if None not in (self.from_rank, self.to_rank) and self.to_rank < self.from_rank:
            errors["to_rank"] = ("Le dernier rang est au moins le premier.", "ranks")
        if self.reason and (self.reason == ModifierReason.SITUATION) != bool(self.codes):
            errors["codes"] = (
                "Une réduction selon la situation dit lesquelles, et elle seule.",
                "codes",
            )
        if errors:
            raise ValidationError(
                {name: ValidationError(text, code) for name, (text, code) in errors.items()}
            )


class TariffFee(models.Model):
    """« Frais de dossier », « adhésion »: never reduced."""

    grid = models.ForeignKey(
        TariffGrid,
        models.CASCADE,  # as its rates
        verbose_name="grille",
        related_name="fees",
    )
    label = models.CharField("libellé", max_length=100)
    amount = _euros("montant (€)")
    per = models.CharField("dû", max_length=10, choices=FeePer, default=FeePer.HOUSEHOLD)

    class Meta:
        verbose_name = "frais"
        verbose_name_plural = "frais"
        ordering = ["grid", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="tariff_fee_label_unique_per_grid",
                fields=["grid", "label"],
                violation_error_message="Ces frais sont déjà dans la grille.",
            ),
            models.CheckConstraint(
                name="tariff_fee_known_and_not_negative",
                condition=Q(per__in=FeePer.values, amount__gte=0),
                violation_error_message="Des frais ne sont pas négatifs.",
            ),
        ]

    def __str__(self):
        return self.label


class TariffRental(models.Model):
    """What a kind of instrument costs to rent for a year."""

    grid = models.ForeignKey(
        TariffGrid,
        models.CASCADE,  # as its rates
        verbose_name="grille",
        related_name="rentals",
    )
    instrument = models.CharField(
        "instrument",
        max_length=50,
        help_text="Le genre, comme dans le parc\u00a0: «\u00a0Violon\u00a0».",
    )
    amount = _euros("montant par an (€)")
    deposit = _euros("caution (€)", default=Decimal(0))
    pro_rata = models.BooleanField(
        "au prorata", default=True, help_text="En cours d'année, par mois commencé."
    )

    class Meta:
        verbose_name = "tarif de location"
        verbose_name_plural = "tarifs de location"
        ordering = ["grid", "instrument"]
        constraints = [
            models.UniqueConstraint(
                name="tariff_rental_one_per_instrument",
                fields=["grid", "instrument"],
                violation_error_message="Cet instrument est déjà dans la grille.",
            ),
            models.CheckConstraint(
                name="tariff_rental_not_negative",
                condition=Q(amount__gte=0, deposit__gte=0),
                violation_error_message="Un montant n'est pas négatif.",
            ),
        ]

    def __str__(self):
        return self.instrument


def _bare(number):
    """« 600 », « 6,4 », « 1 000 »."""
    return f"{number.normalize():,f}".replace(",", "\u202f").replace(".", ",")
