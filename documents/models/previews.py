"""What the staff's viewer shows of a document: the images of its pages, what its text says."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import private_storage
from documents.models.documents import Document, storage_name

LARGEST_QUOTIENT = 99_999  # euros; the CAF's own table stops far below


class PageImage(models.Model):
    """One page of a document, drawn; it goes with the document's file (previews.queue)."""

    id = models.UUIDField("clé", primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="page_images"
    )
    number = models.PositiveSmallIntegerField("numéro")
    file = models.FileField("fichier", storage=private_storage, upload_to=storage_name)
    width = models.PositiveSmallIntegerField("largeur (pixels)")
    height = models.PositiveSmallIntegerField("hauteur (pixels)")

    class Meta:
        verbose_name = "image d'une page"
        verbose_name_plural = "images des pages"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                name="page_image_one_per_page",
                fields=["document", "number"],
                violation_error_message="Cette page a déjà son image.",
            ),
            models.CheckConstraint(
                name="page_image_has_a_number_and_a_size",
                condition=Q(number__gte=1, width__gte=1, height__gte=1),
                violation_error_message="Une image de page a un numéro et une taille.",
            ),
        ]

    def __str__(self):
        return f"{self.document}, page {self.number}"


class Reading(models.Model):
    """The date and the QF of a document: as its text says, then as an agent confirms them.

    What is read is a proposal: no verdict, no tariff follows from it. The QF of the CAF changes
    each month: it is kept with its month, and with the document that shows it.
    """

    document = models.OneToOneField(
        Document, models.PROTECT, verbose_name="pièce", related_name="reading"
    )
    date_read = models.DateField("date lue", null=True, blank=True)
    quotient_read = models.DecimalField(
        "quotient familial lu", max_digits=8, decimal_places=2, null=True, blank=True
    )
    month_read = models.DateField(
        "mois lu du quotient", null=True, blank=True, help_text="Son premier jour."
    )
    issued_on = models.DateField("date du document", null=True, blank=True)
    quotient = models.DecimalField(
        "quotient familial",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "Un quotient familial n'est pas négatif.")],
    )
    quotient_month = models.DateField(
        "mois du quotient", null=True, blank=True, help_text="Son premier jour."
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="confirmé par",
        related_name="+",
        null=True,
        blank=True,
    )
    confirmed_at = models.DateTimeField("confirmé le", null=True, blank=True)

    class Meta:
        verbose_name = "lecture d'une pièce"
        verbose_name_plural = "lectures des pièces"
        constraints = [
            models.CheckConstraint(
                name="reading_confirmed_by_someone_at_a_time",
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                violation_error_message="Une lecture confirmée dit par qui et quand.",
            ),
            models.CheckConstraint(
                name="reading_kept_iff_confirmed",
                condition=Q(confirmed_at=None, issued_on=None, quotient=None, quotient_month=None)
                | Q(confirmed_at__isnull=False),
                violation_error_message="Seul un agent donne la date et le quotient familial.",
            ),
            models.CheckConstraint(
                name="reading_quotient_with_its_month",
                condition=Q(quotient=None, quotient_month=None)
                | Q(quotient__isnull=False, quotient_month__isnull=False),
                violation_error_message="Le quotient familial se note avec son mois.",
            ),
            models.CheckConstraint(
                name="reading_quotient_plausible",
                condition=Q(quotient=None) | Q(quotient__gte=0, quotient__lte=LARGEST_QUOTIENT),
                violation_error_message="Le quotient familial est un nombre d'euros de 0 à 99 999.",
            ),
            models.CheckConstraint(
                name="reading_quotient_read_plausible",
                condition=Q(quotient_read=None)
                | Q(quotient_read__gte=0, quotient_read__lte=LARGEST_QUOTIENT),
                violation_error_message="Le quotient familial lu est un nombre d'euros.",
            ),
        ]

    def __str__(self):
        return f"Lecture de {self.document}"

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    @property
    def found_something(self) -> bool:
        return self.date_read is not None or self.quotient_read is not None
