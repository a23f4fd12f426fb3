"""What a teacher writes to a class, the administration to its sites; who got it and read it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Establishment, Mail, private_storage
from families.models import Guardian
from students.models import Course, Discipline, SchoolYear, Slot, Teacher
from teaching.enums import READABLE, AnnouncementKind, AnnouncementState, Delivery

SUBJECT_LENGTH = 120  # characters
TEXT_LENGTH = 4000
MOST_FILES = 3

_UNSENT = [AnnouncementState.DRAFT, AnnouncementState.PLANNED]


class AnnouncementQuerySet(models.QuerySet):
    def readable(self):
        """By those who have it; one that is withdrawn is nobody's any more."""
        return self.filter(state__in=READABLE)

    def visible_to(self, user):
        """Those that were sent to the user as a responsable."""
        ours = AnnouncementRecipient.objects.filter(announcement=OuterRef("pk"))
        return self.readable().filter(Exists(ours.filter(guardian__user=user)))

    def sent_to(self, teacher):
        ours = AnnouncementRecipient.objects.filter(announcement=OuterRef("pk"), teacher=teacher)
        return self.readable().filter(Exists(ours))


class Announcement(models.Model):
    """A message to many: a draft, then sent by the queue to whoever it aims at on that day.

    `courses`, `slots` and `classes_of` add up; `disciplines` and `cycles`, where both are given,
    narrow each other (« piano » and « cycle 1 »: those of piano in cycle 1). `cursor` is the last
    household that the queue has told.
    """

    key = models.UUIDField(
        "clé d'envoi",
        unique=True,
        default=uuid.uuid4,
        editable=False,
        help_text="Celle de la page où il s'écrit\u00a0: envoyée deux fois, elle fait un message.",
    )
    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="announcements"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="announcements"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="par",
        related_name="+",
        editable=False,
    )
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="enseignant",
        related_name="announcements",
        null=True,
        editable=False,
        help_text="Vide\u00a0: l'administration.",
    )
    kind = models.CharField("nature", max_length=10, choices=AnnouncementKind, blank=True)
    subject = models.CharField("objet", max_length=SUBJECT_LENGTH, blank=True)
    text = models.TextField("texte", max_length=TEXT_LENGTH, blank=True)
    signed = models.CharField(
        "signature", max_length=100, help_text="«\u00a0Le secrétariat\u00a0», «\u00a0La direction»."
    )
    everyone = models.BooleanField("toutes les familles de l'établissement", default=False)
    courses = models.ManyToManyField(
        Course, verbose_name="familles de ces cours", related_name="+", blank=True
    )
    slots = models.ManyToManyField(
        Slot, verbose_name="familles de ces créneaux", related_name="+", blank=True
    )
    classes_of = models.ManyToManyField(
        Teacher, verbose_name="familles des classes de", related_name="+", blank=True
    )
    disciplines = models.ManyToManyField(
        Discipline, verbose_name="familles de ces disciplines", related_name="+", blank=True
    )
    cycles = models.JSONField("familles de ces cycles", default=list, blank=True)
    to_teachers = models.BooleanField("tous les enseignants de l'établissement", default=False)
    addressed_to = models.CharField(
        "adressé à",
        max_length=300,
        blank=True,
        editable=False,
        help_text="Tel que ceux qui le reçoivent le lisent.",
    )
    state = models.CharField(
        "état",
        max_length=10,
        choices=AnnouncementState,
        default=AnnouncementState.DRAFT,
        editable=False,
    )
    edition = models.PositiveIntegerField("édition", default=1, editable=False)
    created_at = models.DateTimeField("commencé le", auto_now_add=True)
    planned_for = models.DateTimeField("à envoyer le", null=True, editable=False)
    sent_at = models.DateTimeField("envoyé le", null=True, editable=False)
    ended_at = models.DateTimeField("fin de l'envoi", null=True, editable=False)
    cursor = models.PositiveBigIntegerField("dernier foyer traité", default=0, editable=False)
    purged_at = models.DateTimeField("lecteurs et fichiers effacés le", null=True, editable=False)

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = "message du conservatoire"
        verbose_name_plural = "messages du conservatoire"
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("send_announcement", "Peut envoyer et retirer un message, et voir qui l'a lu")
        ]
        indexes = [
            models.Index(
                "planned_for",
                name="announcement_to_send",
                condition=Q(state__in=[AnnouncementState.PLANNED, AnnouncementState.SENDING]),
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="announcement_state_known",
                condition=Q(state__in=AnnouncementState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="announcement_whole_once_sent",
                condition=Q(state=AnnouncementState.DRAFT)
                | (Q(kind__in=AnnouncementKind.values) & ~Q(subject="") & ~Q(text="")),
                violation_error_message="Un message envoyé a une nature, un objet et un texte.",
            ),
            models.CheckConstraint(
                name="announcement_kind_known",
                condition=Q(kind__in=["", *AnnouncementKind.values]),
                violation_error_message="Nature inconnue.",
            ),
            models.CheckConstraint(
                name="announcement_planned_for_iff_no_draft",
                condition=Q(state=AnnouncementState.DRAFT) ^ Q(planned_for__isnull=False),
                violation_error_message="Un message à envoyer a son moment.",
            ),
            models.CheckConstraint(
                name="announcement_sent_at_iff_begun",
                condition=Q(state__in=_UNSENT) ^ Q(sent_at__isnull=False),
                violation_error_message="La date d'envoi suit l'état.",
            ),
            models.CheckConstraint(
                name="announcement_ended_at_once_sent",
                condition=Q(state=AnnouncementState.SENT, ended_at__isnull=False)
                | Q(state=AnnouncementState.WITHDRAWN)
                | Q(state__in=[*_UNSENT, AnnouncementState.SENDING], ended_at=None),
                violation_error_message="La fin de l'envoi suit l'état.",
            ),
        ]

    def __str__(self):
        return self.subject or "message sans objet"

    @property
    def is_draft(self) -> bool:
        return self.state == AnnouncementState.DRAFT

    @property
    def is_planned(self) -> bool:
        return self.state == AnnouncementState.PLANNED

    @property
    def is_readable(self) -> bool:
        return self.state in READABLE

    @property
    def is_withdrawn(self) -> bool:
        return self.state == AnnouncementState.WITHDRAWN

    @property
    def may_be_refused(self) -> bool:
        """By mail, by whoever wants none."""
        return self.kind == AnnouncementKind.LIFE


def file_name(file, _filename) -> str:
    """Nothing in it tells what it is."""
    return f"announcements/{file.pk.hex}"


class AnnouncementFileQuerySet(models.QuerySet):
    def kept(self):
        return self.exclude(file="")

    def visible_to(self, user):
        return self.kept().filter(announcement__in=Announcement.objects.visible_to(user))


class AnnouncementFile(models.Model):
    """Joined to an announcement, checked as the families' own files; it never changes."""

    id = models.UUIDField("clé", primary_key=True, default=uuid.uuid4, editable=False)
    announcement = models.ForeignKey(
        Announcement, models.PROTECT, verbose_name="message", related_name="files"
    )
    name = models.CharField("nom du fichier", max_length=100)
    file = models.FileField(
        "fichier",
        storage=private_storage,
        upload_to=file_name,
        blank=True,
        help_text="Vide une fois effacé.",
    )
    content_type = models.CharField("type de contenu", max_length=30)
    size = models.PositiveIntegerField("taille (octets)")
    sha256 = models.CharField("empreinte du fichier gardé", max_length=64)
    joined_at = models.DateTimeField("joint le", default=timezone.now, editable=False)

    objects = AnnouncementFileQuerySet.as_manager()

    class Meta:
        verbose_name = "pièce jointe"
        verbose_name_plural = "pièces jointes"
        ordering = ["joined_at", "pk"]

    def __str__(self):
        return self.name


class AnnouncementRecipientQuerySet(models.QuerySet):
    def readable(self):
        return self.filter(announcement__state__in=READABLE)

    def visible_to(self, user):
        """The user's own, as a responsable."""
        return self.readable().filter(guardian__user=user)

    def unread(self):
        return self.filter(read_at=None)

    def newest_first(self):
        return self.order_by("-announcement__sent_at", "-pk")


class AnnouncementRecipient(models.Model):
    """Somebody to whom it was sent: written by the queue, together with his mail."""

    announcement = models.ForeignKey(
        Announcement, models.PROTECT, verbose_name="message", related_name="recipients"
    )
    guardian = models.ForeignKey(
        Guardian,
        models.PROTECT,
        verbose_name="responsable",
        related_name="announcements",
        null=True,
    )
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="enseignant",
        related_name="announcements_received",
        null=True,
    )
    delivery = models.CharField("envoi", max_length=10, choices=Delivery)
    mail = models.OneToOneField(
        Mail, models.PROTECT, verbose_name="e-mail", related_name="announcement_to", null=True
    )
    read_at = models.DateTimeField("lu le", null=True)

    objects = AnnouncementRecipientQuerySet.as_manager()

    class Meta:
        verbose_name = "destinataire"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="announcement_recipient_is_one_person",
                condition=Q(guardian=None) ^ Q(teacher=None),
                violation_error_message="Un destinataire est un responsable ou un enseignant.",
            ),
            models.UniqueConstraint(
                name="announcement_once_per_guardian",
                fields=["announcement", "guardian"],
                violation_error_message="Ce responsable a déjà ce message.",
            ),
            models.UniqueConstraint(
                name="announcement_once_per_teacher",
                fields=["announcement", "teacher"],
                violation_error_message="Cet enseignant a déjà ce message.",
            ),
            models.CheckConstraint(
                name="announcement_delivery_known",
                condition=Q(delivery__in=Delivery.values),
                violation_error_message="Envoi inconnu.",
            ),
            models.CheckConstraint(
                name="announcement_mail_iff_mailed",
                condition=Q(delivery=Delivery.MAILED) ^ Q(mail=None),
                violation_error_message="Un envoi par e-mail a son e-mail.",
            ),
        ]

    def __str__(self):
        return f"{self.guardian or self.teacher}"


class AnnouncementMove(models.Model):
    """Append-only: who moved an announcement, when, from where and to where."""

    announcement = models.ForeignKey(
        Announcement, models.PROTECT, verbose_name="message", related_name="moves"
    )
    at = models.DateTimeField("le", default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="par",
        related_name="+",
        null=True,  # sent by the queue
    )
    from_state = models.CharField("de", max_length=10, choices=AnnouncementState)
    to_state = models.CharField("à", max_length=10, choices=AnnouncementState)

    class Meta:
        verbose_name = "mouvement d'un message"
        verbose_name_plural = "mouvements des messages"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="announcement_move_states_known",
                condition=Q(from_state__in=AnnouncementState.values)
                & Q(to_state__in=AnnouncementState.values),
                violation_error_message="État inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"


class NewsRefusalQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(guardian__user=user)


class NewsRefusal(models.Model):
    """A responsable who wants no mail of the conservatoire's life; he reads it on the site."""

    guardian = models.OneToOneField(
        Guardian, models.PROTECT, verbose_name="responsable", related_name="news_refusal"
    )
    at = models.DateTimeField("refusé le", default=timezone.now, editable=False)

    objects = NewsRefusalQuerySet.as_manager()

    class Meta:
        verbose_name = "refus des e-mails de la vie du conservatoire"
        verbose_name_plural = "refus des e-mails de la vie du conservatoire"

    def __str__(self):
        return f"{self.guardian}"
