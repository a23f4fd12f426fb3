"""What a file must be, and from whom it is asked."""

from django.db import models
from django.db.models import Q

from accounts.models import Establishment
from documents.enums import Audience, Formats, Owner
from families.models import Commune
from students.models import SchoolYear


class DocumentType(models.Model):
    """A kind of supporting document, and what its file must be."""

    name = models.CharField("nom", max_length=100, unique=True)
    owner = models.CharField("pièce de", max_length=10, choices=Owner)
    formats = models.CharField("format", max_length=10, choices=Formats)
    help_text = models.TextField(
        "explication", blank=True, help_text="Ce que la famille lit sous le nom de la pièce."
    )
    valid_months = models.PositiveSmallIntegerField(
        "validité (mois)",
        null=True,
        blank=True,
        help_text="Une pièce envoyée depuis plus longtemps est redemandée ; vide : jamais.",
    )
    kept_months = models.PositiveSmallIntegerField(
        "conservation (mois)",
        null=True,
        blank=True,
        help_text="Après la fin de la dernière année scolaire où elle a servi ; vide : toujours.",
    )

    class Meta:
        verbose_name = "type de pièce"
        verbose_name_plural = "types de pièces"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="document_type_owner_known",
                condition=Q(owner__in=Owner.values),
                violation_error_message="Propriétaire inconnu.",
            ),
            models.CheckConstraint(
                name="document_type_formats_known",
                condition=Q(formats__in=Formats.values),
                violation_error_message="Format inconnu.",
            ),
        ]

    def __str__(self):
        return self.name


class PieceRule(models.Model):
    """Which piece is asked from whom, in one establishment for one school year."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="piece_rules"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="piece_rules"
    )
    document_type = models.ForeignKey(
        DocumentType, models.PROTECT, verbose_name="type de pièce", related_name="rules"
    )
    audience = models.CharField("demandée à", max_length=10, choices=Audience, default=Audience.ALL)
    communes = models.ManyToManyField(
        Commune,
        verbose_name="résidents de",
        blank=True,
        related_name="+",
        help_text="Vide : quelle que soit la commune.",
    )
    position = models.PositiveSmallIntegerField("rang", default=1)

    class Meta:
        verbose_name = "pièce demandée"
        verbose_name_plural = "pièces demandées"
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="piece_rule_one_per_type_and_year",
                fields=["establishment", "school_year", "document_type"],
                violation_error_message="Cette pièce est déjà demandée cette année.",
            ),
            models.CheckConstraint(
                name="piece_rule_audience_known",
                condition=Q(audience__in=Audience.values),
                violation_error_message="Public inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.document_type} ({self.school_year})"
