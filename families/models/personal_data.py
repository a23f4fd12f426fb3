"""« Mes données »: the copies that people asked for, and the erasures."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import private_storage
from families.enums import ErasureState, ExportState
from families.models.households import Family

ERASURE_TEXT_LENGTH = 2000  # characters, of the request and of its answer


class DataExportQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own copies alone, and only while one answers for that household."""
        return self.filter(asked_by=user, family__guardians__user=user)

    def to_download(self):
        return self.filter(state=ExportState.READY, expires_at__gt=timezone.now())


class DataExport(models.Model):
    """A copy of « Mes données », asked by one guardian; families/data_exports.py makes it."""

    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="data_exports"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="demandée par",
        related_name="data_exports",
    )
    asked_at = models.DateTimeField("demandée le")
    state = models.CharField(
        "état", max_length=10, choices=ExportState, default=ExportState.WAITING
    )
    key = models.UUIDField("clé du fichier", default=uuid.uuid4, editable=False)
    file = models.FileField("fichier", storage=private_storage, blank=True)
    size = models.PositiveBigIntegerField("taille (octets)", default=0)
    sha256 = models.CharField("empreinte", max_length=64, blank=True)
    expires_at = models.DateTimeField("à télécharger avant le", null=True, blank=True)
    due_at = models.DateTimeField("à préparer à partir du")
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    taken_until = models.DateTimeField("prise par un expéditeur jusqu'au", null=True, blank=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        verbose_name = "copie de mes données"
        verbose_name_plural = "copies de mes données"
        ordering = ["-asked_at", "-pk"]
        default_permissions = []
        indexes = [
            models.Index(
                "due_at", name="data_export_waiting", condition=Q(state=ExportState.WAITING)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="data_export_state_known",
                condition=Q(state__in=ExportState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="data_export_file_iff_ready",
                condition=Q(state=ExportState.READY, expires_at__isnull=False) & ~Q(file="")
                | ~Q(state=ExportState.READY) & Q(file=""),
                violation_error_message="Une copie prête a un fichier et une fin.",
            ),
            models.UniqueConstraint(
                name="data_export_one_waiting_per_person",
                fields=["asked_by"],
                condition=Q(state=ExportState.WAITING),
                violation_error_message="Une copie est déjà en préparation.",
            ),
        ]

    def __str__(self):
        return f"{self.family}, {self.asked_at:%d/%m/%Y %H:%M}"

    @property
    def is_waiting(self) -> bool:
        return self.state == ExportState.WAITING

    @property
    def is_ready(self) -> bool:
        """Prepared, and not expired: the nightly command may not have come by yet."""
        return self.state == ExportState.READY and self.expires_at > timezone.now()

    @property
    def is_failed(self) -> bool:
        return self.state == ExportState.FAILED


class FileToDelete(models.Model):
    """A private file that no row names any more: tried until the storage has let it go."""

    name = models.CharField("nom dans le stockage", max_length=100, unique=True)
    due_at = models.DateTimeField("à supprimer à partir du")
    attempts = models.PositiveSmallIntegerField("essais", default=0)

    class Meta:
        verbose_name = "fichier à supprimer"
        verbose_name_plural = "fichiers à supprimer"
        ordering = ["due_at", "pk"]
        default_permissions = []

    def __str__(self):
        return self.name


class ErasureRequestQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household's."""
        return self.filter(family__guardians__user=user)


class ErasureRequest(models.Model):
    """A household asks to be forgotten (RGPD, article 17); families/erasures.py answers."""

    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="erasure_requests"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="demandée par", related_name="+"
    )
    asked_at = models.DateTimeField("demandée le")
    text = models.TextField(
        "demande", max_length=ERASURE_TEXT_LENGTH, blank=True, help_text="Vide une fois effacée."
    )
    state = models.CharField("état", max_length=10, choices=ErasureState, default=ErasureState.OPEN)
    decided_at = models.DateTimeField("traitée le", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="traitée par",
        related_name="+",
        null=True,
        blank=True,
    )
    answer = models.TextField(
        "réponse",
        max_length=ERASURE_TEXT_LENGTH,
        blank=True,
        help_text="Telle que la famille la lit.",
    )

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "demande d'effacement"
        verbose_name_plural = "demandes d'effacement"
        ordering = ["-asked_at", "-pk"]
        default_permissions = ["view", "add"]
        permissions = [("decide_erasurerequest", "Peut effacer les données d'un foyer")]
        constraints = [
            models.CheckConstraint(
                name="erasure_request_state_known",
                condition=Q(state__in=ErasureState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="erasure_request_decided_iff_not_open",
                condition=Q(state=ErasureState.OPEN, decided_at=None, decided_by=None, answer="")
                | ~Q(state=ErasureState.OPEN)
                & Q(decided_at__isnull=False, decided_by__isnull=False),
                violation_error_message="La date et l'auteur de la réponse suivent l'état.",
            ),
            models.CheckConstraint(
                name="erasure_request_refusal_says_why",
                condition=~Q(state=ErasureState.REFUSED) | ~Q(answer=""),
                violation_error_message="Un refus dit son motif.",
            ),
            models.UniqueConstraint(
                name="erasure_request_one_open_per_family",
                fields=["family"],
                condition=Q(state=ErasureState.OPEN),
                violation_error_message="Une demande est déjà en cours pour ce foyer.",
            ),
        ]

    def __str__(self):
        return f"{self.family}, {self.asked_at:%d/%m/%Y}"

    @property
    def is_open(self) -> bool:
        return self.state == ErasureState.OPEN


class Erasure(models.Model):
    """That a household was erased: when, by whom, how many rows; nothing of it. Append-only."""

    request = models.OneToOneField(
        ErasureRequest, models.PROTECT, verbose_name="demande", related_name="erasure"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le")
    counts = models.JSONField("décompte", help_text="Ce qui était tenu, et ce qu'il en est fait.")

    class Meta:
        verbose_name = "effacement"
        ordering = ["-at", "-pk"]
        default_permissions = []

    def __str__(self):
        return f"{self.at:%d/%m/%Y %H:%M}"
