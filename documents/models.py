import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Establishment, private_storage
from documents.enums import Audience, Formats, Owner, RefusalReason, Verdict
from families.models import Commune, Family
from students.models import SchoolYear, Student


def storage_name(document, _filename) -> str:
    """The name on disk says nothing of the family: the row's own random key."""
    return f"{document.pk.hex[:2]}/{document.pk.hex}"


class DocumentType(models.Model):
    """A kind of supporting document, and what its file must be."""

    name = models.CharField("nom", max_length=100, unique=True)
    owner = models.CharField("pièce de", max_length=10, choices=Owner)
    formats = models.CharField("format", max_length=10, choices=Formats)
    help_text = models.TextField(
        "explication", blank=True, help_text="Ce que la famille lit sous le nom de la pièce."
    )
    valid_months = models.PositiveSmallIntegerField(
        "validité (mois)",
        null=True,
        blank=True,
        help_text="Une pièce envoyée depuis plus longtemps est redemandée ; vide : jamais.",
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
        ]

    def __str__(self):
        return self.name


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
    file = models.FileField("fichier", storage=private_storage, upload_to=storage_name)
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
        ]

    def __str__(self):
        return f"{self.type} : {self.name}"


class Review(models.Model):
    """One verdict on a document, who gave it and why: append-only."""

    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="reviews"
    )
    verdict = models.CharField("examen", max_length=10, choices=Verdict)
    reason = models.CharField("motif", max_length=15, choices=RefusalReason, blank=True)
    comment = models.CharField("précision", max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "examen d'une pièce"
        verbose_name_plural = "examens des pièces"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="review_refusal_has_a_reason",
                condition=Q(verdict=Verdict.REFUSED) ^ Q(reason=""),
                violation_error_message="Un refus dit son motif.",
            ),
            models.CheckConstraint(
                name="review_verdict_known",
                condition=Q(verdict__in=[Verdict.ACCEPTED, Verdict.REFUSED]),
                violation_error_message="Examen inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.document} : {self.get_verdict_display()}"


class Access(models.Model):
    """A staff member opened a document: who, which, when (RGPD); append-only."""

    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="accesses"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "consultation d'une pièce"
        verbose_name_plural = "consultations des pièces"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.document} par {self.actor}"
