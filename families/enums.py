from django.db import models


class Zone(models.TextChoices):
    """Where a commune stands for the tariffs (a setting of the town, edited by staff)."""

    RESIDENT = "resident", "commune du conservatoire"
    CONVENTIONED = "conventioned", "commune conventionnée"
    OUTSIDE = "outside", "hors territoire"


class ExportState(models.TextChoices):
    """Where the copy of « Mes données » stands."""

    WAITING = "waiting", "en préparation"
    READY = "ready", "prête"
    FAILED = "failed", "impossible"
    EXPIRED = "expired", "expirée"


class ErasureState(models.TextChoices):
    """What became of a request of erasure."""

    OPEN = "open", "à traiter"
    DONE = "done", "tout est effacé"
    PARTLY = "partly", "effacé en partie"
    REFUSED = "refused", "refusée"


class Fate(models.TextChoices):
    """What an erasure makes of the rows of one kind."""

    ERASED = "erased", "effacé"
    EMPTIED = "emptied", "rendu anonyme"
    DETACHED = "detached", "détaché de ce foyer"
    KEPT = "kept", "gardé"


class MergeKind(models.TextChoices):
    FAMILY = "family", "foyer"
    GUARDIAN = "guardian", "responsable"
