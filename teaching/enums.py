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


class LessonAct(models.TextChoices):
    """What somebody did with one lesson; its log (LessonChange) says who, when and why."""

    CANCELLED = "cancelled", "annulé"
    MOVED = "moved", "déplacé"
    REPLACED = "replaced", "remplacé"
    RESTORED = "restored", "rétabli"


class Space(models.TextChoices):
    """Whose lessons a calendar holds."""

    FAMILY = "family", "famille"
    TEACHER = "teacher", "enseignant"
