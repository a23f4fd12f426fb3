"""The files handed in."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import private_storage
from documents.enums import SCANNED, UNSAFE, FileGone, Preview, Scan, Verdict
from documents.models.pieces import DocumentType
from families.models import Family
from students.models import Student


def storage_name(document, _filename) -> str:
    """The name on disk says nothing of the family: the row's own random key."""
    return f"{document.pk.hex[:2]}/{document.pk.hex}"


class DocumentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household's own pieces, and those of its students; never the other household's."""
        keys = Document.objects.order_by().values("pk")
        of_family = keys.filter(family__in=Family.objects.visible_to(user))
        of_students = keys.filter(student__in=Student.objects.visible_to(user))
        # A union, each half by its index: an OR reads every document of the town.
        return self.filter(pk__in=of_family.union(of_students))

    def current(self):
        return self.filter(replaced_by=None, removed_at=None)

    def with_file(self):
        return self.filter(file_gone_at=None)

    def for_list(self):
        return self.select_related("type")


class Document(models.Model):
    """A file handed in. It never changes: a new upload is a new row that replaces this one."""

    id = models.UUIDField("clé", primary_key=True, default=uuid.uuid4, editable=False)
    type = models.ForeignKey(
        DocumentType, models.PROTECT, verbose_name="type", related_name="documents"
    )
    family = models.ForeignKey(
        Family,
        models.PROTECT,
        verbose_name="famille",
        related_name="documents",
        null=True,
        blank=True,
    )
    student = models.ForeignKey(
        Student,
        models.PROTECT,
        verbose_name="élève",
        related_name="documents",
        null=True,
        blank=True,
    )
    name = models.CharField("nom du fichier", max_length=100)
    file = models.FileField("fichier", storage=private_storage, upload_to=storage_name, blank=True)
    file_gone_at = models.DateTimeField("fichier effacé le", null=True, blank=True)
    file_gone_reason = models.CharField(
        "fichier effacé parce que", max_length=10, choices=FileGone, blank=True
    )
    content_type = models.CharField("type de contenu", max_length=30)
    size = models.PositiveIntegerField("taille (octets)")
    pages = models.PositiveSmallIntegerField("pages", null=True, blank=True)
    received_sha256 = models.CharField("empreinte du fichier reçu", max_length=64)
    sha256 = models.CharField("empreinte du fichier gardé", max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="envoyé par", related_name="+"
    )
    uploaded_at = models.DateTimeField("envoyé le", auto_now_add=True)
    replaced_by = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name="remplacé par",
        related_name="replaces",
        null=True,
        blank=True,
    )
    removed_at = models.DateTimeField("retiré le", null=True, blank=True)
    verdict = models.CharField("examen", max_length=10, choices=Verdict, default=Verdict.PENDING)
    refusal = models.CharField(
        "motif du refus", max_length=400, blank=True, help_text="Tel que la famille le lit."
    )
    scan = models.CharField(
        "contrôle de sécurité", max_length=10, choices=Scan, default=Scan.NOT_ANALYSED
    )
    scanned_at = models.DateTimeField("analysé le", null=True, blank=True)
    # The one part of the row that documents.previews.queue moves by itself.
    preview = models.CharField(
        "aperçu", max_length=10, choices=Preview, default=Preview.WAITING, editable=False
    )
    preview_attempts = models.PositiveSmallIntegerField(
        "essais de l'aperçu", default=0, editable=False
    )
    preview_due_at = models.DateTimeField(
        "aperçu à faire dès", default=timezone.now, editable=False
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "pièce"
        ordering = ["-uploaded_at"]
        permissions = [
            ("review_document", "Peut examiner les pièces"),
            ("read_document", "Peut ouvrir le fichier d'une pièce"),
        ]
        constraints = [
            models.CheckConstraint(
                name="document_of_a_family_or_of_a_student",
                condition=Q(family=None) ^ Q(student=None),
                violation_error_message="Une pièce est celle d'une famille ou d'un élève.",
            ),
            models.UniqueConstraint(
                name="document_one_current_per_type_and_family",
                fields=["type", "family"],
                condition=Q(replaced_by=None, removed_at=None, family__isnull=False),
                violation_error_message="Cette pièce vient d'être envoyée : rechargez la page.",
            ),
            models.UniqueConstraint(
                name="document_one_current_per_type_and_student",
                fields=["type", "student"],
                condition=Q(replaced_by=None, removed_at=None, student__isnull=False),
                violation_error_message="Cette pièce vient d'être envoyée : rechargez la page.",
            ),
            models.CheckConstraint(
                name="document_verdict_known",
                condition=Q(verdict__in=Verdict.values),
                violation_error_message="Examen inconnu.",
            ),
            models.CheckConstraint(
                name="document_refused_iff_told_why",
                condition=Q(verdict=Verdict.REFUSED) ^ Q(refusal=""),
                violation_error_message="Un refus dit son motif.",
            ),
            models.CheckConstraint(
                name="document_scan_known",
                condition=Q(scan__in=Scan.values),
                violation_error_message="Contrôle de sécurité inconnu.",
            ),
            models.CheckConstraint(
                name="document_scanned_at_iff_scanned",
                condition=Q(scan__in=SCANNED) ^ Q(scanned_at=None),
                violation_error_message="La date de l'analyse suit le contrôle de sécurité.",
            ),
            models.CheckConstraint(
                name="document_accepted_is_not_quarantined",
                condition=~Q(verdict=Verdict.ACCEPTED, scan__in=UNSAFE),
                violation_error_message="Une pièce en quarantaine ne peut pas être acceptée.",
            ),
            models.CheckConstraint(
                name="document_infected_is_refused_and_gone",
                condition=~Q(scan=Scan.INFECTED) | Q(verdict=Verdict.REFUSED, file=""),
                violation_error_message="Une pièce infectée est effacée et refusée.",
            ),
            models.CheckConstraint(
                name="document_preview_known",
                condition=Q(preview__in=Preview.values),
                violation_error_message="État de l'aperçu inconnu.",
            ),
            models.CheckConstraint(
                name="document_file_empty_iff_gone",
                condition=Q(file="", file_gone_at__isnull=False) & ~Q(file_gone_reason="")
                | ~Q(file="") & Q(file_gone_at=None, file_gone_reason=""),
                violation_error_message="Une pièce sans fichier dit depuis quand et pourquoi.",
            ),
            models.CheckConstraint(
                name="document_file_gone_reason_known",
                condition=Q(file_gone_reason__in=["", *FileGone.values]),
                violation_error_message="Motif d'effacement inconnu.",
            ),
            models.CheckConstraint(
                name="document_current_has_its_file",
                condition=Q(file_gone_at=None)
                | Q(replaced_by__isnull=False)
                | Q(removed_at__isnull=False)
                | Q(scan=Scan.INFECTED),  # the family must see why it is refused
                violation_error_message="Une pièce en vigueur a son fichier.",
            ),
        ]
        indexes = [
            models.Index(
                name="document_in_quarantine",
                fields=["uploaded_at"],
                condition=Q(scan=Scan.WAITING),
            ),
            models.Index(
                name="document_preview_due",
                fields=["preview_due_at"],
                condition=Q(preview=Preview.WAITING),
            ),
            # The same file sent by others; what was erased has no print.
            models.Index(
                name="document_same_file",
                fields=["received_sha256"],
                condition=~Q(received_sha256=""),
            ),
        ]

    def __str__(self):
        return f"{self.type} : {self.name}"

    @property
    def is_quarantined(self) -> bool:
        """It waits for the antivirus."""
        return self.scan == Scan.WAITING

    @property
    def is_infected(self) -> bool:
        return self.scan == Scan.INFECTED

    @property
    def may_be_lent(self) -> bool:
        """May its bytes be shown to anybody? `documents.lending` refuses the others."""
        return self.scan not in UNSAFE and self.file_gone_at is None

    @property
    def why_gone(self) -> str:
        """« retiré, le 3 mars 2026 » once the store has no file of it any more; else nothing."""
        if self.file_gone_at is None:
            return ""
        day = date_format(timezone.localtime(self.file_gone_at), "j F Y")
        return f"{self.get_file_gone_reason_display()}, le {day}"
