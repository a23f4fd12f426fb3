"""The dossier of a student, its wishes, its pieces and the log of its moves."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models import Document, DocumentType
from documents.pieces import piece_key
from families.models import Family
from reenrolment.enums import DECIDED, Status
from reenrolment.models.campaigns import Campaign, Terms
from students.models import Enrolment, Slot, Student

COMMENT_LENGTH = 1000  # characters, « informations complémentaires »


class ReenrolmentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Either household's, in alternating custody."""
        return self.filter(student__in=Student.objects.visible_to(user))


class Reenrolment(models.Model):
    """A dossier: one student in one campaign. services/ alone writes it."""

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, verbose_name="campagne", related_name="reenrolments"
    )
    student = models.ForeignKey(
        Student, models.PROTECT, verbose_name="élève", related_name="reenrolments"
    )
    status = models.CharField("état", max_length=10, choices=Status, default=Status.DRAFT)
    administrative = models.BooleanField("réinscription administrative", default=False)
    comment = models.TextField(
        "informations complémentaires", max_length=COMMENT_LENGTH, blank=True
    )
    terms = models.ForeignKey(
        Terms,
        models.PROTECT,
        verbose_name="conditions acceptées",
        related_name="+",
        null=True,
        blank=True,
    )
    missing_pieces = models.PositiveSmallIntegerField(
        "pièces manquantes", default=0, help_text="Au dernier dépôt du dossier."
    )
    top_rate = models.BooleanField(
        "tarif haut",
        default=False,
        help_text="Validé alors qu'une pièce manquait ou était refusée (mode d'emploi, étape 7).",
    )
    submitted_at = models.DateTimeField("déposé le", null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="déposé par",
        related_name="+",
        null=True,
        blank=True,
    )
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="décidé par",
        related_name="+",
        null=True,
        blank=True,
    )
    complement_until = models.DateTimeField("complément attendu avant le", null=True, blank=True)

    objects = ReenrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier de réinscription"
        verbose_name_plural = "dossiers de réinscription"
        ordering = ["-submitted_at", "-pk"]
        permissions = [("decide_reenrolment", "Peut examiner et décider un dossier")]
        constraints = [
            models.UniqueConstraint(
                name="reenrolment_one_per_student_and_campaign",
                fields=["campaign", "student"],
                violation_error_message="Cet élève a déjà un dossier dans cette campagne.",
            ),
            models.CheckConstraint(
                name="reenrolment_status_known",
                condition=Q(status__in=Status.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="reenrolment_draft_iff_not_submitted",
                condition=Q(status=Status.DRAFT, submitted_at=None, submitted_by=None, terms=None)
                | ~Q(status=Status.DRAFT)
                & Q(submitted_at__isnull=False, submitted_by__isnull=False, terms__isnull=False),
                violation_error_message="Un dossier déposé a date, auteur et conditions.",
            ),
            models.CheckConstraint(
                name="reenrolment_decided_at_and_by_iff_decided",
                condition=Q(status__in=DECIDED, decided_at__isnull=False, decided_by__isnull=False)
                | ~Q(status__in=DECIDED) & Q(decided_at=None, decided_by=None),
                violation_error_message="La date et l'auteur de la décision suivent l'état.",
            ),
            models.CheckConstraint(
                name="reenrolment_complement_until_iff_incomplete",
                condition=Q(status=Status.INCOMPLETE) ^ Q(complement_until=None),
                violation_error_message="Le délai du complément suit l'état.",
            ),
        ]

    def __str__(self):
        return f"{self.reference} {self.student}"

    @property
    def reference(self) -> str:
        """What the family keeps and quotes on the phone: « R-00042 »."""
        return f"R-{self.pk:05}"


class CourseChoice(models.Model):
    """One line of a dossier (un vœu): does the student go on with this course, and when."""

    reenrolment = models.ForeignKey(
        Reenrolment, models.PROTECT, verbose_name="dossier", related_name="choices"
    )
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="cours suivi", related_name="choices"
    )
    wanted = models.BooleanField("réinscription", default=False)
    slot = models.ForeignKey(
        Slot,
        models.PROTECT,
        verbose_name="créneau choisi",
        related_name="choices",
        null=True,
        blank=True,
    )
    stop_reason = models.CharField("motif d'arrêt", max_length=200, blank=True)
    granted = models.OneToOneField(
        Enrolment,
        models.PROTECT,
        verbose_name="inscription de l'année préparée",
        related_name="granted_by",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "vœu"
        verbose_name_plural = "vœux"
        ordering = ["enrolment__course__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="course_choice_one_per_course",
                fields=["reenrolment", "enrolment"],
                violation_error_message="Ce cours est déjà dans le dossier.",
            ),
            models.CheckConstraint(
                name="course_choice_stopped_takes_no_slot",
                condition=Q(wanted=True) | Q(slot=None, granted=None),
                violation_error_message="Un cours arrêté n'a pas de créneau.",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment.course}"


class Transition(models.Model):
    """One move of a dossier: who, when, from, to, why. Append-only."""

    reenrolment = models.ForeignKey(
        Reenrolment, models.PROTECT, verbose_name="dossier", related_name="transitions"
    )
    from_status = models.CharField("de", max_length=10, choices=Status)
    to_status = models.CharField("à", max_length=10, choices=Status)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    at = models.DateTimeField("le", auto_now_add=True)
    reason = models.TextField("motif", blank=True)

    class Meta:
        verbose_name = "mouvement"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="transition_statuses_known",
                condition=Q(from_status__in=Status.values, to_status__in=Status.values),
                violation_error_message="État inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"


class SuppliedPiece(models.Model):
    """A document as it was when the dossier was submitted, whatever is uploaded later.

    `in_force` is false once a later submission of the same dossier replaced it.
    """

    reenrolment = models.ForeignKey(
        Reenrolment, models.PROTECT, verbose_name="dossier", related_name="supplied_pieces"
    )
    document = models.ForeignKey(
        Document, models.PROTECT, verbose_name="pièce", related_name="supplied_pieces"
    )
    in_force = models.BooleanField("en vigueur", default=True)

    class Meta:
        verbose_name = "pièce fournie"
        verbose_name_plural = "pièces fournies"
        constraints = [
            models.UniqueConstraint(
                name="supplied_piece_once_per_dossier",
                fields=["reenrolment", "document"],
                violation_error_message="Cette pièce est déjà dans le dossier.",
            )
        ]

    def __str__(self):
        return f"{self.document}"


class RequestedPiece(models.Model):
    """A piece asked for again by « Demander un complément », and from which household."""

    transition = models.ForeignKey(
        Transition, models.PROTECT, verbose_name="demande", related_name="requested_pieces"
    )
    document_type = models.ForeignKey(
        DocumentType, models.PROTECT, verbose_name="type de pièce", related_name="+"
    )
    family = models.ForeignKey(
        Family,
        models.PROTECT,
        verbose_name="famille",
        related_name="+",
        null=True,
        blank=True,
        help_text="Vide\u00a0: une pièce de l'élève.",
    )

    class Meta:
        verbose_name = "pièce redemandée"
        verbose_name_plural = "pièces redemandées"
        constraints = [
            models.UniqueConstraint(
                name="requested_piece_once_per_demand",
                fields=["transition", "document_type", "family"],
                violation_error_message="Cette pièce est déjà demandée.",
            ),
            models.UniqueConstraint(
                name="requested_piece_once_per_demand_and_student",
                fields=["transition", "document_type"],
                condition=Q(family=None),
                violation_error_message="Cette pièce est déjà demandée.",
            ),
        ]

    def __str__(self):
        return f"{self.document_type}"

    @property
    def key(self) -> str:
        """The key of the piece asked for (documents.pieces.Piece.key)."""
        return piece_key(self.document_type_id, self.family_id)
