"""What teachers say of each student, period by period, and what it is said with."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Establishment
from students.enums import Cycle
from students.models import Course, Discipline, Enrolment, SchoolYear, Student
from teaching.enums import EvaluationState, ExamResult

COMMENT_LENGTH = 1000  # characters


class PeriodQuerySet(models.QuerySet):
    def open(self, today=None):
        """Those in which teachers may write: they have begun, and their year is not over."""
        today = today or timezone.localdate()
        return self.filter(starts_on__lte=today, school_year__ends_on__gte=today)


class Period(models.Model):
    """« 1er semestre »: two or three a year, as each establishment decides."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="periods"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="periods"
    )
    name = models.CharField("nom", max_length=50, help_text="« 1er semestre », « 2e trimestre ».")
    starts_on = models.DateField("début")
    ends_on = models.DateField("fin")
    due_on = models.DateField(
        "à rendre avant le",
        help_text="Compris. Les enseignants le lisent ; rien n'est refusé après.",
    )
    publish_at = models.DateTimeField(
        "publication",
        null=True,
        blank=True,
        help_text="À l'heure de Paris. Les évaluations terminées sont publiées à ce moment, les"
        " autres dès qu'elles le sont. Vide : rien n'est publié.",
    )

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = "période d'évaluation"
        verbose_name_plural = "périodes d'évaluation"
        ordering = ["-school_year__starts_on", "starts_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="period_one_name_per_establishment_and_year",
                fields=["establishment", "school_year", "name"],
                violation_error_message="Cette période existe déjà cette année.",
            ),
            models.CheckConstraint(
                name="period_ends_after_start",
                condition=Q(ends_on__gt=F("starts_on")),
                violation_error_message="La période doit finir après avoir commencé.",
            ),
            models.CheckConstraint(
                name="period_due_after_start",
                condition=Q(due_on__gte=F("starts_on")),
                violation_error_message="Les évaluations se rendent une fois la période commencée.",
            ),
        ]

    def __str__(self):
        return f"{self.name} {self.school_year}"


class Scale(models.Model):
    """What a criterion is said with: levels (« acquis »), or a mark out of `maximum`."""

    name = models.CharField("nom", max_length=60, unique=True)
    maximum = models.PositiveSmallIntegerField(
        "note maximale",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="« 20 » ; vide : des niveaux, listés ci-dessous.",
    )

    class Meta:
        verbose_name = "barème"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="scale_maximum_is_positive",
                condition=Q(maximum=None) | Q(maximum__gte=1),
                violation_error_message="La note maximale est au moins 1.",
            )
        ]

    def __str__(self):
        return self.name


class ScaleLevel(models.Model):
    scale = models.ForeignKey(
        Scale,
        models.CASCADE,  # a scale goes with its levels; Criterion protects one that serves
        verbose_name="barème",
        related_name="levels",
    )
    position = models.PositiveSmallIntegerField("rang")
    name = models.CharField("niveau", max_length=40)

    class Meta:
        verbose_name = "niveau"
        verbose_name_plural = "niveaux"
        ordering = ["scale_id", "position"]
        constraints = [
            models.UniqueConstraint(
                name="scale_level_one_per_position",
                fields=["scale", "position"],
                violation_error_message="Deux niveaux ne peuvent pas avoir le même rang.",
            ),
            models.UniqueConstraint(
                name="scale_level_one_per_name",
                fields=["scale", "name"],
                violation_error_message="Ce niveau existe déjà.",
            ),
        ]

    def __str__(self):
        return self.name


class CriterionQuerySet(models.QuerySet):
    def asked_of(self, course: Course):
        """Those of the course's discipline and cycle, in order."""
        return self.filter(
            Q(discipline=None) | Q(discipline=course.discipline_id),
            Q(cycle="") | Q(cycle=course.cycle),
            establishment=course.establishment_id,
            retired=False,
        )


class Criterion(models.Model):
    """« Déchiffrage »: what is looked at, in a discipline and a cycle."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="criteria"
    )
    discipline = models.ForeignKey(
        Discipline,
        models.PROTECT,
        verbose_name="discipline",
        related_name="+",
        null=True,
        blank=True,
        help_text="Vide : toutes.",
    )
    cycle = models.CharField(
        "cycle", max_length=10, choices=Cycle, blank=True, help_text="Vide : tous."
    )
    name = models.CharField("nom", max_length=80)
    scale = models.ForeignKey(Scale, models.PROTECT, verbose_name="barème", related_name="criteria")
    position = models.PositiveSmallIntegerField("rang", default=1)
    retired = models.BooleanField(
        "retiré",
        default=False,
        help_text="N'est plus demandé ; ce qui a été écrit avec lui reste lisible.",
    )

    objects = CriterionQuerySet.as_manager()

    class Meta:
        verbose_name = "critère d'évaluation"
        verbose_name_plural = "critères d'évaluation"
        ordering = ["position", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="criterion_cycle_known",
                condition=Q(cycle__in=["", *Cycle.values]),
                violation_error_message="Cycle inconnu.",
            )
        ]

    def __str__(self):
        return self.name


class EvaluationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """What families read: of their household's students, once published."""
        students = Student.objects.visible_to(user).values("pk")
        return self.filter(enrolment__student__in=students, state=EvaluationState.PUBLISHED)

    def for_list(self):
        return self.select_related(
            "enrolment__student", "enrolment__course__discipline", "period__school_year"
        )


class Evaluation(models.Model):
    """What is said of one student's course at the end of a period."""

    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="inscription", related_name="evaluations"
    )
    period = models.ForeignKey(
        Period, models.PROTECT, verbose_name="période", related_name="evaluations"
    )
    state = models.CharField(
        "état", max_length=10, choices=EvaluationState, default=EvaluationState.DRAFT
    )
    comment = models.TextField("appréciation", max_length=COMMENT_LENGTH, blank=True)
    exam_result = models.CharField(
        "examen de fin de cycle", max_length=10, choices=ExamResult, blank=True
    )
    next_course = models.ForeignKey(
        Course,
        models.PROTECT,
        verbose_name="cours proposé l'an prochain",
        related_name="+",
        null=True,
        blank=True,
        help_text="Proposé à la réinscription une fois publié ; vide : celui que prévoit le cours.",
    )
    teacher_name = models.CharField("enseignant", max_length=201, editable=False)
    edition = models.PositiveIntegerField("édition", default=1, editable=False)
    updated_at = models.DateTimeField("modifiée le", editable=False)
    published_at = models.DateTimeField("publiée le", null=True, editable=False)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        verbose_name = "évaluation"
        permissions = [("reopen_evaluation", "Peut rouvrir une évaluation publiée")]
        ordering = ["-period__starts_on", "enrolment__course__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="evaluation_one_per_enrolment_and_period",
                fields=["enrolment", "period"],
                violation_error_message="Cette évaluation existe déjà.",
            ),
            models.CheckConstraint(
                name="evaluation_state_known",
                condition=Q(state__in=EvaluationState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="evaluation_exam_result_known",
                condition=Q(exam_result__in=ExamResult.values),
                violation_error_message="Résultat inconnu.",
            ),
            models.CheckConstraint(
                name="evaluation_published_at_iff_published",
                condition=Q(state=EvaluationState.PUBLISHED) ^ Q(published_at=None),
                violation_error_message="La date de publication doit suivre l'état.",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment}, {self.period.name}"


class Mark(models.Model):
    """One criterion's answer, copied in words: a criterion changed later rewrites no bulletin."""

    evaluation = models.ForeignKey(
        Evaluation,
        models.CASCADE,  # part of it, and nothing without it
        verbose_name="évaluation",
        related_name="marks",
    )
    criterion = models.ForeignKey(
        Criterion, models.PROTECT, verbose_name="critère", related_name="+"
    )
    name = models.CharField("critère", max_length=80)
    value = models.CharField(
        "niveau ou note", max_length=40, help_text="« acquis », « 14,5 / 20 »."
    )
    position = models.PositiveSmallIntegerField("rang")

    class Meta:
        verbose_name = "niveau atteint"
        verbose_name_plural = "niveaux atteints"
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="mark_one_per_evaluation_and_criterion",
                fields=["evaluation", "criterion"],
                violation_error_message="Ce critère a déjà une réponse.",
            )
        ]

    def __str__(self):
        return f"{self.name} : {self.value}"


class EvaluationMove(models.Model):
    """Append-only: who moved an evaluation, when, from where, to where, and why."""

    evaluation = models.ForeignKey(
        Evaluation, models.PROTECT, verbose_name="évaluation", related_name="moves"
    )
    at = models.DateTimeField("le", default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="par",
        related_name="+",
        null=True,  # published by the clock
    )
    from_state = models.CharField("de", max_length=10, choices=EvaluationState)
    to_state = models.CharField("à", max_length=10, choices=EvaluationState)
    reason = models.CharField("motif", max_length=200, blank=True)

    class Meta:
        verbose_name = "mouvement d'une évaluation"
        verbose_name_plural = "mouvements des évaluations"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="evaluation_move_states_known",
                condition=Q(from_state__in=EvaluationState.values)
                & Q(to_state__in=EvaluationState.values),
                violation_error_message="État inconnu.",
            )
        ]

    def __str__(self):
        return f"{self.get_from_state_display()} → {self.get_to_state_display()}"
