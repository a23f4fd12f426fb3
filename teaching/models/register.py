"""The register of a lesson: who was not there, and who wrote it, when."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from accounts.models import Establishment
from students.models import Course, Custody, Enrolment, Teacher
from teaching.enums import AbsenceState, Presence, Verdict
from teaching.models.absences import Justification
from teaching.models.calendar import Lesson

MAX_MINUTES = 240
NOTE_LENGTH = 200


class RegisterSettings(models.Model):
    """What one establishment decides of its absences; edited, never coded."""

    establishment = models.OneToOneField(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="register_settings",
    )
    mail_delay = models.PositiveSmallIntegerField(
        "minutes avant le message à la famille",
        default=15,
        validators=[MaxValueValidator(24 * 60)],
        help_text="Le temps de corriger une faute de frappe\u00a0: corrigée avant, rien ne part.",
    )
    repeated_from = models.PositiveSmallIntegerField(
        "absences répétées à partir de",
        default=3,
        validators=[MinValueValidator(2)],
        help_text="Nombre d'absences non justifiées d'un élève dans l'année.",
    )

    class Meta:
        verbose_name = "réglages des absences"
        verbose_name_plural = "réglages des absences"
        ordering = ["establishment"]
        constraints = [
            models.CheckConstraint(
                name="register_settings_repeated_is_more_than_one",
                condition=Q(repeated_from__gte=2),
                violation_error_message="Une absence seule ne se répète pas.",
            )
        ]

    def __str__(self):
        return f"Absences de {self.establishment}"


class Register(models.Model):
    """A lesson whose register was called; `version` is one more at each change.

    `void` follows the lesson (teaching/register/voiding.py): the absences then count for nothing.
    """

    lesson = models.OneToOneField(
        Lesson, models.PROTECT, verbose_name="séance", related_name="register"
    )
    course = models.ForeignKey(
        Course, models.PROTECT, verbose_name="cours", related_name="registers"
    )
    held_on = models.DateField("jour du cours", db_index=True)
    teacher = models.ForeignKey(
        Teacher,
        models.PROTECT,
        verbose_name="enseignant",
        related_name="registers",
        null=True,
        help_text="Qui donnait ce cours\u00a0: le remplaçant, s'il y en avait un.",
    )
    version = models.PositiveIntegerField("version", default=1)
    void = models.BooleanField(
        "sans objet",
        default=False,
        help_text="La séance est annulée, ou a changé de jour\u00a0: personne n'était absent.",
    )
    called_at = models.DateTimeField("appel fait le")
    called_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )

    class Meta:
        verbose_name = "appel"
        verbose_name_plural = "appels"
        ordering = ["-held_on", "-pk"]

    def __str__(self):
        return f"Appel, {self.lesson}"


class RegisterEntry(models.Model):
    """One sending that was recorded: append-only. `key` is the sender's: twice, it counts once."""

    register = models.ForeignKey(
        Register, models.PROTECT, verbose_name="appel", related_name="entries"
    )
    version = models.PositiveIntegerField("version")
    key = models.UUIDField("envoi")
    digest = models.CharField("empreinte", max_length=64)
    at = models.DateTimeField("le")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="par", related_name="+"
    )

    class Meta:
        verbose_name = "saisie de l'appel"
        verbose_name_plural = "saisies de l'appel"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="register_entry_once",
                fields=["register", "key"],
                violation_error_message="Cet envoi est déjà enregistré.",
            ),
            models.UniqueConstraint(
                name="register_entry_one_per_version",
                fields=["register", "version"],
                violation_error_message="L'appel a changé entre-temps.",
            ),
        ]

    def __str__(self):
        return f"{self.register}, version {self.version}"


class AbsenceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those of the students of the user's household: either one, in alternating custody."""
        ours = Custody.objects.filter(
            student=OuterRef("enrolment__student"), family__guardians__user=user
        )
        return self.filter(Exists(ours))

    def live(self):
        """Without those that were taken back: the student was there after all, or nobody was."""
        return self.filter(register__void=False).exclude(kind=Presence.PRESENT)

    def with_state(self):
        """Adds `state`, an AbsenceState; None of who was late or present, or of a void register."""
        said = Justification.objects.filter(absence=OuterRef("pk"))
        return self.annotate(
            state=Case(
                When(register__void=True, then=Value(None)),
                When(kind=Presence.EXCUSED, then=Value(AbsenceState.EXCUSED.value)),
                When(~Q(kind=Presence.ABSENT), then=Value(None)),
                *[
                    When(Exists(said.filter(verdict=verdict)), then=Value(state.value))
                    for verdict, state in [
                        (Verdict.ACCEPTED, AbsenceState.JUSTIFIED),
                        (Verdict.PENDING, AbsenceState.PENDING),
                        (Verdict.REFUSED, AbsenceState.REFUSED),
                    ]
                ],
                default=Value(AbsenceState.TO_JUSTIFY.value),
                output_field=CharField(null=True),
            )
        )

    def to_justify(self):
        """Those of the states TO_JUSTIFY, without computing the state of all the others."""
        answered = Justification.objects.filter(absence=OuterRef("pk")).exclude(
            verdict=Verdict.REFUSED
        )
        return self.live().filter(~Exists(answered), kind=Presence.ABSENT)

    def for_list(self):
        return self.select_related(
            "enrolment__student",
            "enrolment__course__establishment",
            "register__teacher",
        )


class Absence(models.Model):
    """A student who was not there, or not from the beginning, or of whom it was believed."""

    register = models.ForeignKey(
        Register, models.PROTECT, verbose_name="appel", related_name="absences"
    )
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="inscription", related_name="absences"
    )
    kind = models.CharField("nature", max_length=10, choices=Presence)
    minutes = models.PositiveSmallIntegerField(
        "minutes de retard",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_MINUTES)],
    )
    note = models.CharField("remarque de l'enseignant", max_length=NOTE_LENGTH, blank=True)
    announced = models.BooleanField("annoncée par la famille", default=False)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = "absence"
        ordering = ["-register__held_on", "-pk"]
        permissions = [
            ("decide_absence", "Peut accepter ou refuser la justification d'une absence"),
            ("export_absence", "Peut exporter la liste des absences"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="absence_one_per_student_and_lesson",
                fields=["register", "enrolment"],
                violation_error_message="Cet élève est déjà dans cet appel.",
            ),
            models.CheckConstraint(
                name="absence_kind_known",
                condition=Q(kind__in=Presence.values),
                violation_error_message="Nature inconnue.",
            ),
            models.CheckConstraint(
                name="absence_minutes_of_who_is_late",
                condition=Q(minutes=None) | Q(kind=Presence.LATE, minutes__range=(1, MAX_MINUTES)),
                violation_error_message="Des minutes, pour un retard seulement.",
            ),
            models.CheckConstraint(
                name="absence_announced_is_excused",
                condition=Q(announced=False) | Q(kind=Presence.EXCUSED),
                violation_error_message="Une absence annoncée est excusée.",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment}, {self.register.held_on:%d/%m/%Y}"


class AbsenceMove(models.Model):
    """What one entry changed of one student: append-only."""

    entry = models.ForeignKey(
        RegisterEntry, models.PROTECT, verbose_name="saisie", related_name="moves"
    )
    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="inscription", related_name="absence_moves"
    )
    from_kind = models.CharField("avant", max_length=10, choices=Presence)
    to_kind = models.CharField("après", max_length=10, choices=Presence)
    minutes = models.PositiveSmallIntegerField("minutes de retard", null=True)

    class Meta:
        verbose_name = "mouvement d'une absence"
        verbose_name_plural = "mouvements des absences"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="absence_move_kinds_known",
                condition=Q(from_kind__in=Presence.values, to_kind__in=Presence.values),
                violation_error_message="Nature inconnue.",
            ),
            models.UniqueConstraint(
                name="absence_move_one_per_entry_and_student",
                fields=["entry", "enrolment"],
                violation_error_message="Un mouvement par élève et par saisie.",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment} : {self.get_from_kind_display()} → {self.get_to_kind_display()}"
