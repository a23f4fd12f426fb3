"""The instrument park: what it holds, and what is away for a repair."""

import datetime as dt

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Establishment
from accounts.names import SortNameField
from billing.instruments.enums import Condition
from billing.money import ZERO


class InstrumentKind(models.Model):
    """« Violon », « Violoncelle »: the town's own list, by which the grid prices a rental."""

    name = models.CharField(
        "nom",
        max_length=80,
        unique=True,
        error_messages={"unique": "Ce genre d'instrument existe déjà."},
    )
    sort_name = SortNameField("name")

    class Meta:
        verbose_name = "genre d'instrument"
        verbose_name_plural = "genres d'instruments"
        ordering = ["sort_name", "pk"]

    def __str__(self):
        return self.name


class Instrument(models.Model):
    """One instrument of an establishment's park, known by the number of its inventory."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="instruments"
    )
    inventory_number = models.CharField(
        "numéro d'inventaire", max_length=30, help_text="Celui de l'étiquette, unique."
    )
    kind = models.ForeignKey(
        InstrumentKind, models.PROTECT, verbose_name="genre", related_name="instruments"
    )
    size = models.CharField(
        "taille", max_length=20, blank=True, help_text="Par exemple 3/4\u00a0; vide\u00a0: entier."
    )
    brand = models.CharField("marque", max_length=80, blank=True)
    model = models.CharField("modèle", max_length=80, blank=True)
    serial_number = models.CharField("numéro de série", max_length=60, blank=True)
    condition = models.CharField("état", max_length=10, choices=Condition, default=Condition.GOOD)
    value = models.DecimalField(
        "valeur (€)",
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(ZERO, "Une valeur n'est pas négative.")],
        help_text="Celle que l'assurance de la famille couvre.",
    )
    bought_on = models.DateField("acheté le", null=True, blank=True)
    notes = models.TextField("notes", blank=True, help_text="Lues par l'administration seule.")
    retired_on = models.DateField("hors service depuis le", null=True, editable=False)
    sort_name = SortNameField("inventory_number", "brand", "model", "serial_number")

    class Meta:
        verbose_name = "instrument"
        ordering = ["kind__sort_name", "inventory_number", "pk"]
        permissions = [
            ("import_instrument", "Peut importer la liste des instruments"),
            ("export_instrument", "Peut exporter la liste des instruments"),
            ("rent_instrument", "Peut louer, remettre et reprendre un instrument"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="instrument_inventory_number_unique_per_establishment",
                fields=["establishment", "inventory_number"],
                violation_error_message="Ce numéro d'inventaire est déjà pris.",
            ),
            models.CheckConstraint(
                name="instrument_condition_known",
                condition=Q(condition__in=Condition.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="instrument_value_not_negative",
                condition=Q(value=None) | Q(value__gte=0),
                violation_error_message="Une valeur n'est pas négative.",
            ),
        ]

    def __str__(self):
        return f"{self.name} ({self.inventory_number})"

    @property
    def name(self) -> str:
        """« Violon 3/4 Stentor Student II »."""
        words = [self.kind.name, self.size, self.brand, self.model]
        return " ".join(word for word in words if word)


class RepairQuerySet(models.QuerySet):
    def under_way(self, on: dt.date):
        """Those during which the instrument is away on this day."""
        return self.between(on, on)

    def between(self, starts_on: dt.date, ends_on: dt.date):
        """Those that share a day with this period, its last day included."""
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gte=starts_on),
            starts_on__lte=ends_on,
        )


class Repair(models.Model):
    """A period during which the instrument is at the luthier's, and cannot be handed over."""

    instrument = models.ForeignKey(
        Instrument, models.PROTECT, verbose_name="instrument", related_name="repairs"
    )
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField(
        "jusqu'au", null=True, blank=True, help_text="Vide tant que le retour n'est pas connu."
    )
    workshop = models.CharField("atelier", max_length=120, blank=True)
    reason = models.CharField("motif", max_length=200)

    objects = RepairQuerySet.as_manager()

    class Meta:
        verbose_name = "réparation"
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="repair_ends_after_start",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                violation_error_message="La réparation doit finir après avoir commencé.",
            )
        ]

    def __str__(self):
        return f"{self.instrument}\u00a0: {self.reason}"
