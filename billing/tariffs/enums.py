"""Choices of the tariff tables; their values are those of `billing.pricing.grids`."""

from django.db import models

from billing.pricing import grids


class GridStatus(models.TextChoices):
    DRAFT = "draft", "brouillon"
    PUBLISHED = "published", "publiée"


class RateAudience(models.TextChoices):
    ALL = grids.Audience.ALL.value, "tous"
    CHILD = grids.Audience.CHILD.value, "enfants"
    ADULT = grids.Audience.ADULT.value, "adultes"


class StudentsOrder(models.TextChoices):
    DEAREST = grids.Order.DEAREST.value, "du plus cher au moins cher"
    ELDEST = grids.Order.ELDEST.value, "de l'aîné au plus jeune"
    YOUNGEST = grids.Order.YOUNGEST.value, "du plus jeune à l'aîné"


class FeePer(models.TextChoices):
    HOUSEHOLD = grids.FeePer.HOUSEHOLD.value, "par foyer"
    STUDENT = grids.FeePer.STUDENT.value, "par élève"


class ModifierReason(models.TextChoices):
    RANK = grids.Reason.RANK.value, "rang de l'élève dans le foyer"
    SECOND_DISCIPLINE = grids.Reason.SECOND_DISCIPLINE.value, "seconde discipline"
    SITUATION = grids.Reason.SITUATION.value, "situation (étudiant, minima sociaux…)"
    SCHOOL_HOURS = grids.Reason.SCHOOL_HOURS.value, "horaires aménagés (CHAM, CHAD)"


class Rounding(models.TextChoices):
    """To what a copied amount is rounded, half up; the value is in euros."""

    CENT = "0.01", "au centime"
    TEN_CENTS = "0.10", "à 10 centimes"
    HALF_EURO = "0.50", "à 50 centimes"
    EURO = "1.00", "à l'euro"
