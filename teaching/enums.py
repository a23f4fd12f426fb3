from django.db import models


class ClosureKind(models.TextChoices):
    HOLIDAYS = "holidays", "vacances scolaires"
    PUBLIC_HOLIDAY = "public_holiday", "jour férié"
    CLOSED = "closed", "fermeture"


class LessonState(models.TextChoices):
    """What became of one lesson; a lesson without a row is as planned."""

    PLANNED = "planned", "prévu"
    CANCELLED = "cancelled", "annulé"
    MOVED = "moved", "déplacé"
