"""Concerts (« auditions »): when and where, who plays what, in which order."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Establishment
from students.models import Custody, Enrolment, RepertoirePiece, SchoolYear, Teacher
from teaching.enums import ConcertAct, ConcertState

LONGEST = 90  # minutes of one turn


def _as_played(name):
    """The length of the same column of the repertoire, where what was played ends."""
    return RepertoirePiece._meta.get_field(name).max_length


class ConcertQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those that were announced, where a student of the user's household plays."""
        ours = Custody.objects.filter(
            student=OuterRef("enrolment__student"), family__guardians__user=user
        )
        plays = ConcertPerformer.objects.filter(Exists(ours), turn__concert=OuterRef("pk"))
        return self.filter(Exists(plays)).exclude(state=ConcertState.DRAFT)

    def open_to_proposals(self, today=None):
        """Those in which teachers may still write their students' turns."""
        today = today or timezone.localdate()
        return self.filter(state=ConcertState.DRAFT, proposals_until__gte=today)


class Concert(models.Model):
    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="concerts"
    )
    school_year = models.ForeignKey(
        SchoolYear,
        models.PROTECT,
        verbose_name="année scolaire",
        related_name="+",
        editable=False,
    )
    title = models.CharField(
        "titre",
        max_length=_as_played("occasion"),
        help_text="«\u00a0Audition de Noël\u00a0»\u00a0: l'occasion écrite au répertoire des"
        " élèves.",
    )
    starts_at = models.DateTimeField("date et heure", help_text="À l'heure de Paris.")
    place = models.CharField(
        "lieu", max_length=150, help_text="La salle, et l'adresse si ce n'est pas la vôtre."
    )
    proposals_until = models.DateField(
        "propositions jusqu'au",
        null=True,
        blank=True,
        help_text="Compris\u00a0: les enseignants proposent leurs élèves. Vide\u00a0: vous seuls"
        " écrivez le programme.",
    )
    state = models.CharField(
        "état", max_length=10, choices=ConcertState, default=ConcertState.DRAFT, editable=False
    )
    cancel_reason = models.CharField("motif de l'annulation", max_length=200, blank=True)
    revision = models.PositiveIntegerField("changements annoncés", default=0, editable=False)
    published_at = models.DateTimeField("annoncée le", null=True, editable=False)
    recorded_at = models.DateTimeField("inscrite aux répertoires le", null=True, editable=False)

    objects = ConcertQuerySet.as_manager()

    class Meta:
        verbose_name = "audition"
        ordering = ["-starts_at", "-pk"]
        permissions = [("publish_concert", "Peut annoncer et annuler une audition")]
        constraints = [
            models.CheckConstraint(
                name="concert_state_known",
                condition=Q(state__in=ConcertState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="concert_published_at_iff_announced",
                condition=Q(state=ConcertState.DRAFT) ^ Q(published_at__isnull=False),
                violation_error_message="La date d'annonce doit suivre l'état.",
            ),
            models.CheckConstraint(
                name="concert_reason_iff_cancelled",
                condition=Q(state=ConcertState.CANCELLED) ^ Q(cancel_reason=""),
                violation_error_message="Une annulation a un motif.",
            ),
        ]

    def __str__(self):
        return f"{self.title} – {timezone.localtime(self.starts_at):%d/%m/%Y}"

    @property
    def is_cancelled(self) -> bool:
        return self.state == ConcertState.CANCELLED

    @property
    def is_past(self) -> bool:
        return self.starts_at <= timezone.now()


class ConcertTurn(models.Model):
    """One piece on the programme. Turns that follow one another by the same people print as one."""

    concert = models.ForeignKey(
        Concert,
        models.CASCADE,  # a draft goes with its programme; what was announced is never deleted
        verbose_name="audition",
        related_name="turns",
    )
    position = models.PositiveSmallIntegerField("rang")
    composer = models.CharField("compositeur", max_length=_as_played("composer"))
    title = models.CharField("œuvre", max_length=_as_played("title"))
    movement = models.CharField("mouvement", max_length=_as_played("movement"), blank=True)
    minutes = models.PositiveSmallIntegerField(
        "durée (minutes)", validators=[MinValueValidator(1), MaxValueValidator(LONGEST)]
    )
    accompanist = models.CharField(
        "accompagnement", max_length=100, blank=True, help_text="Qui accompagne, s'il y a lieu."
    )
    proposed_by = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="proposé par",
        related_name="+",
        null=True,
        editable=False,
    )
    sending = models.UUIDField("envoi", null=True, editable=False)  # twice is once
    edition = models.PositiveIntegerField("édition", default=1, editable=False)

    class Meta:
        verbose_name = "passage"
        ordering = ["concert_id", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="concert_turn_once_per_sending",
                fields=["concert", "sending"],
                violation_error_message="Ce passage est déjà proposé.",
            ),
            models.CheckConstraint(
                name="concert_turn_lasts",
                condition=Q(minutes__gte=1, minutes__lte=LONGEST),
                violation_error_message=f"Un passage dure de 1 à {LONGEST} minutes.",
            ),
        ]

    def __str__(self):
        return f"{self.composer}, {self.title}"


class ConcertPerformers(models.Manager):
    """Each with the student whom it names: the page that deletes a draft reads them by this too."""

    def get_queryset(self):
        return super().get_queryset().select_related("enrolment__student")


class ConcertPerformer(models.Model):
    """A student who plays, from the course that prepares him."""

    turn = models.ForeignKey(
        ConcertTurn,
        models.CASCADE,  # part of it
        verbose_name="passage",
        related_name="performers",
    )
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="élève", related_name="concert_turns"
    )
    told_at = models.DateTimeField("famille prévenue le", null=True, editable=False)

    objects = ConcertPerformers()

    class Meta:
        verbose_name = "interprète"
        base_manager_name = "objects"
        ordering = ["turn_id", "enrolment__student__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="concert_performer_once_per_turn",
                fields=["turn", "enrolment"],
                violation_error_message="Cet élève est déjà de ce passage.",
            )
        ]

    def __str__(self):
        return str(self.enrolment.student)


class ConcertMove(models.Model):
    """Append-only: who announced, moved, cancelled or recorded a concert, when and why."""

    concert = models.ForeignKey(
        Concert, models.PROTECT, verbose_name="audition", related_name="moves"
    )
    act = models.CharField("geste", max_length=10, choices=ConcertAct)
    at = models.DateTimeField("le", default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )
    said = models.CharField("ce qui change", max_length=400, blank=True)

    class Meta:
        verbose_name = "mouvement d'une audition"
        verbose_name_plural = "mouvements d'une audition"
        ordering = ["pk"]
        default_permissions = []
        constraints = [
            models.CheckConstraint(
                name="concert_move_act_known",
                condition=Q(act__in=ConcertAct.values),
                violation_error_message="Geste inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.concert}, {self.get_act_display()}"
