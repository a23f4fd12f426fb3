from django.db import models


class Zone(models.TextChoices):
    """Where a commune stands for the tariffs (a setting of the town, edited by staff)."""

    RESIDENT = "resident", "commune du conservatoire"
    CONVENTIONED = "conventioned", "commune conventionnée"
    OUTSIDE = "outside", "hors territoire"


class MergeKind(models.TextChoices):
    FAMILY = "family", "foyer"
    GUARDIAN = "guardian", "responsable"
