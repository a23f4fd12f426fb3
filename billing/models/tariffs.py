"""The tariffs of an establishment: what a délibération votes each year, as rows that staff edit."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Establishment
from billing.tariffs.enums import GridStatus, StudentsOrder
from students.models import Course, SchoolYear

MONTHS = [MinValueValidator(1), MaxValueValidator(12)]


class TariffCategory(models.Model):
    """A kind of lesson as the délibération names it; the grids of all years share it."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="+"
    )
    code = models.SlugField(
        "code", max_length=30, help_text="Court, sans accent ni espace\u00a0: celui des fichiers."
    )
    label = models.CharField("libellé", max_length=100, help_text="Tel que les familles le lisent.")
    position = models.PositiveSmallIntegerField("rang", default=1)
    includes = models.ManyToManyField(
        "self",
        verbose_name="comprend",
        symmetrical=False,
        blank=True,
        related_name="included_in",
        help_text="Les catégories gratuites pour un élève qui paie déjà celle-ci.",
    )
    once = models.BooleanField(
        "payée une fois",
        default=False,
        help_text="Un second cours de la catégorie n'est pas payé à nouveau.",
    )

    class Meta:
        verbose_name = "catégorie tarifaire"
        verbose_name_plural = "catégories tarifaires"
        ordering = ["establishment", "position", "code"]
        constraints = [
            models.UniqueConstraint(
                name="tariff_category_code_unique_per_establishment",
                fields=["establishment", "code"],
                violation_error_message="Ce code est déjà celui d'une autre catégorie.",
            )
        ]

    def __str__(self):
        return self.label


class CourseCategory(models.Model):
    """What a course is billed as."""

    course = models.OneToOneField(
        Course, models.PROTECT, verbose_name="cours", related_name="tariff_category"
    )
    category = models.ForeignKey(
        TariffCategory, models.PROTECT, verbose_name="catégorie", related_name="courses"
    )

    class Meta:
        verbose_name = "catégorie d'un cours"
        verbose_name_plural = "catégories des cours"

    def __str__(self):
        return f"{self.course}\u00a0: {self.category}"


class TariffGrid(models.Model):
    """What a délibération votes for a school year. Once published it never changes."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="tariff_grids"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="tariff_grids"
    )
    label = models.CharField("nom", max_length=100)
    valid_from = models.DateField("valable du")
    valid_until = models.DateField("au", help_text="Ce jour compris.")
    deliberation_number = models.CharField("délibération n°", max_length=50, blank=True)
    deliberation_date = models.DateField("votée le", null=True, blank=True)
    deliberation_url = models.URLField(
        "lien vers la délibération",
        blank=True,
        validators=[URLValidator(["https"], message="L'adresse commence par https://.")],
    )
    order = models.CharField(
        "ordre des élèves d'un foyer",
        max_length=10,
        choices=StudentsOrder,
        default=StudentsOrder.DEAREST,
        help_text="Pour ce qui dépend du rang.",
    )
    terms = models.PositiveSmallIntegerField(
        "périodes par an",
        default=1,
        validators=MONTHS,
        help_text="3 si les montants sont votés par trimestre.",
    )
    months = models.PositiveSmallIntegerField(
        "mois de cours",
        default=10,
        validators=MONTHS,
        help_text="Dans une année entière\u00a0; un mois commencé est dû.",
    )
    top_within_zone = models.BooleanField(
        "tarif haut par zone",
        default=False,
        help_text="Coché\u00a0: le plus cher de la zone du foyer\u00a0; sinon celui de toute la"
        " grille.",
    )
    adult_age = models.PositiveSmallIntegerField(
        "âge adulte",
        default=18,
        validators=[MinValueValidator(15), MaxValueValidator(30)],
        help_text="Ans révolus à partir desquels le tarif des adultes s'applique.",
    )
    status = models.CharField(
        "état", max_length=10, choices=GridStatus, default=GridStatus.DRAFT, editable=False
    )
    published_at = models.DateTimeField("publiée le", null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="publiée par",
        related_name="+",
        null=True,
        editable=False,
    )

    class Meta:
        verbose_name = "grille tarifaire"
        verbose_name_plural = "grilles tarifaires"
        ordering = ["-valid_from", "-pk"]
        permissions = [("publish_tariffgrid", "Peut publier une grille tarifaire")]
        constraints = [
            models.UniqueConstraint(
                name="tariff_grid_label_unique_per_establishment_and_year",
                fields=["establishment", "school_year", "label"],
                violation_error_message="Une grille de cette année porte déjà ce nom.",
            ),
            models.CheckConstraint(
                name="tariff_grid_ends_after_start",
                condition=Q(valid_until__gte=F("valid_from")),
                violation_error_message="La validité doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="tariff_grid_dated_and_voted_iff_published",
                condition=Q(status=GridStatus.DRAFT, published_at=None, published_by=None)
                | Q(
                    status=GridStatus.PUBLISHED,
                    published_at__isnull=False,
                    published_by__isnull=False,
                    deliberation_date__isnull=False,
                )
                & ~Q(deliberation_number=""),
                violation_error_message="Une grille publiée a une date et une délibération.",
            ),
            models.CheckConstraint(
                name="tariff_grid_order_known",
                condition=Q(order__in=StudentsOrder.values),
                violation_error_message="Ordre des élèves inconnu.",
            ),
            models.CheckConstraint(
                name="tariff_grid_terms_and_months_of_a_year",
                condition=Q(terms__range=(1, 12), months__range=(1, 12)),
                violation_error_message="Une année a de 1 à 12 périodes, et de 1 à 12 mois.",
            ),
        ]

    def __str__(self):
        return f"{self.label} ({self.school_year})"

    @property
    def is_published(self) -> bool:
        return self.status == GridStatus.PUBLISHED
