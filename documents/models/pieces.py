"""What a file must be, why and how it is asked, and from whom."""

import uuid

from django.db import models
from django.db.models import Q

from accounts.models import Establishment, private_storage
from documents.enums import Audience, Formats, Owner
from families.models import Commune
from students.models import SchoolYear


def example_name(_type, filename) -> str:
    """A new name for each picture: what a browser kept of the one before is never shown again."""
    return f"examples/{uuid.uuid4().hex}.{filename.rpartition('.')[2]}"


class DocumentType(models.Model):
    """A kind of supporting document: what its file must be, and what the family reads of it.

    A piece is the household's or the student's, whatever the site and the year: what makes it
    good (its age, its format) is the same wherever it is asked. The rules say from whom.
    """

    name = models.CharField("nom", max_length=100, unique=True)
    owner = models.CharField("pièce de", max_length=10, choices=Owner)
    formats = models.CharField("format", max_length=10, choices=Formats)
    help_text = models.TextField(
        "explication", blank=True, help_text="Ce que la famille lit sous le nom de la pièce."
    )
    purpose = models.CharField(
        "pourquoi elle est demandée",
        max_length=300,
        blank=True,
        help_text="Suite de « Pourquoi nous la demandons : », ainsi « elle fixe le tarif. »",
    )
    valid_months = models.PositiveSmallIntegerField(
        "validité (mois)",
        null=True,
        blank=True,
        help_text="Une pièce envoyée depuis plus longtemps est redemandée ; vide : jamais.",
    )
    shows_quotient = models.BooleanField(
        "montre le quotient familial",
        default=False,
        help_text="L'agent qui l'examine note le quotient familial et son mois.",
    )
    usual_pages = models.PositiveSmallIntegerField(
        "pages d'habitude",
        null=True,
        blank=True,
        help_text="Un indice pour la famille : aucun fichier n'est refusé pour cela.",
    )
    kept_months = models.PositiveSmallIntegerField(
        "conservation (mois)",
        null=True,
        blank=True,
        help_text="Comptés de la fin de la dernière année scolaire où la pièce a servi ; 0 :"
        " jusqu'à cette fin. Vide : tant que le foyer est connu. La famille le lit.",
    )
    example = models.FileField(
        "image d'exemple",
        storage=private_storage,
        upload_to=example_name,
        blank=True,
        help_text="JPEG ou PNG, 2 Mo au plus : un modèle, jamais la pièce d'une vraie personne.",
    )
    example_alt = models.CharField(
        "description de l'exemple",
        max_length=300,
        blank=True,
        help_text="Lue à qui ne voit pas l'image : ce qu'elle montre, et où regarder.",
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
            models.CheckConstraint(
                name="document_type_usual_pages_positive",
                condition=Q(usual_pages=None) | Q(usual_pages__gte=1),
                violation_error_message="Une pièce a au moins une page.",
            ),
            models.CheckConstraint(
                name="document_type_example_is_described",
                condition=Q(example="") | ~Q(example_alt=""),
                violation_error_message="Décrivez l'image d'exemple pour qui ne la voit pas.",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def recency(self) -> str:
        """« de moins de 6 mois », « de moins d'un an »; empty when its age does not count."""
        if not self.valid_months:
            return ""
        years, months = divmod(self.valid_months, 12)
        if months:
            return f"de moins de {self.valid_months}\u00a0mois"
        return "de moins d'un an" if years == 1 else f"de moins de {years}\u00a0ans"

    @property
    def length(self) -> str:
        """« 4 pages d'habitude », empty when nobody said."""
        if not self.usual_pages:
            return ""
        return f"{self.usual_pages}\u00a0page{'s' * (self.usual_pages > 1)} d'habitude"

    @property
    def expected(self) -> str:
        """« Document de moins de 6 mois · 4 pages d'habitude · Format : PDF, 2 Mo au plus. »"""
        age = self.recency and f"Document {self.recency}"
        formats = f"Format\u00a0: {Formats(self.formats).label}, 2\u00a0Mo au plus."
        return " · ".join(filter(None, [age, self.length, formats]))

    @property
    def example_version(self) -> str:
        """Another one for each picture, so that a browser may keep what it has."""
        return self.example.name.rpartition("/")[2][:8]

    @property
    def kept(self) -> str:
        """« Conservée … », as the family reads it."""
        if self.kept_months is None:
            return "Conservée tant que votre foyer est connu du conservatoire."
        until = "la fin de la dernière année scolaire où elle sert"
        if self.kept_months == 0:
            return f"Conservée jusqu'à {until}, puis effacée."
        return f"Conservée {self.kept_months}\u00a0mois après {until}, puis effacée."


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
    each_home = models.BooleanField(
        "demandée aux deux foyers en garde alternée",
        default=True,
        help_text="Décochée : un seul des deux foyers suffit. Sans effet sur une pièce de l'élève,"
        " qui n'est demandée qu'une fois.",
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
