"""Every write on evaluations. Lock order: the enrolment, then its evaluation."""

import datetime as dt
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.dates import moment
from accounts.models import User
from students.enums import EnrolmentStatus
from students.models import Course, Enrolment, Teacher
from students.services import lock_enrolment
from teaching.enums import NEXT_EVALUATION, EvaluationState
from teaching.evaluations.emails import tell_published
from teaching.models import Criterion, Evaluation, Mark, Period


@dataclass(frozen=True)
class Said:
    """What a teacher writes of a student. `marks`: the value in words of each criterion answered.

    `edition` is that of the evaluation which his page showed, 0 if there was none.
    """

    edition: int
    comment: str = ""
    exam_result: str = ""
    next_course: Course | None = None
    marks: dict[Criterion, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.comment or self.exam_result or self.next_course or self.marks)


@transaction.atomic
def write(
    enrolment: Enrolment, period: Period, said: Said, *, teacher: Teacher, finished: bool
) -> Evaluation:
    """Writes the draft, or the finished evaluation; one that was finished and is not any more is a
    draft again.

    Raises ValidationError: `not_enrolled`, `other_year` (the period is not the course's),
    `published` (an agent opens it again), `stale` (another page wrote meanwhile; `params` has
    `current`, its edition), `empty` (nothing to finish).
    """
    enrolment = lock_enrolment(enrolment)
    _check_enrolment(enrolment, period)
    evaluation = (
        Evaluation.objects.select_for_update().filter(enrolment=enrolment, period=period).first()
    )
    _check_edition(evaluation, said)
    if finished and said.is_empty:
        raise ValidationError(
            "Rien n'est encore écrit\u00a0: répondez aux critères ou écrivez une appréciation.",
            code="empty",
        )
    state = EvaluationState.READY if finished else EvaluationState.DRAFT
    evaluation = evaluation or Evaluation(enrolment=enrolment, period=period, edition=0)
    before = evaluation.state
    evaluation.comment = said.comment
    evaluation.exam_result = said.exam_result
    evaluation.next_course = said.next_course
    evaluation.teacher_name = str(teacher)
    evaluation.edition += 1
    evaluation.updated_at = timezone.now()
    evaluation.state = state
    evaluation.full_clean()
    evaluation.save()
    _write_marks(evaluation, said.marks)
    if state != before:
        evaluation.moves.create(actor=teacher.user, from_state=before, to_state=state)
    return evaluation


@transaction.atomic
def reopen(evaluation: Evaluation, *, actor: User, reason: str) -> Evaluation:
    """A published one is a draft again, for its teacher to correct; families no longer read it.

    What it proposed for next year stays proposed until it is published again. Raises
    ValidationError `bad_transition`.
    """
    lock_enrolment(evaluation.enrolment)
    evaluation = Evaluation.objects.select_for_update(of=["self"]).get(pk=evaluation.pk)
    if evaluation.state != EvaluationState.PUBLISHED:
        raise ValidationError("Cette évaluation n'est pas publiée.", code="bad_transition")
    evaluation.published_at = None
    _move(evaluation, EvaluationState.DRAFT, actor=actor, reason=reason)
    return evaluation


def publish_next(now: dt.datetime | None = None) -> Evaluation | None:
    """Publishes what is finished of one student in one period that is due; None: nothing to do.

    Run by `send_mails` between two mails; one query then. All that is ready of him leaves together
    with one mail to each responsable; killed in between, nothing is done and the next worker takes
    it again.
    """
    now = now or timezone.now()
    ready = Evaluation.objects.filter(
        state=EvaluationState.READY, period__publish_at__lte=now
    ).order_by("period_id", "enrolment__student_id", "pk")
    first = ready.select_related("enrolment").first()
    if first is None:
        return None
    with transaction.atomic():
        same = {"student": first.enrolment.student_id}
        ours = Enrolment.objects.filter(**same, evaluations__period=first.period_id)
        locked = ours.select_for_update(of=["self"], skip_locked=True).order_by("pk")
        enrolments = {each.pk: each for each in locked}
        evaluations = list(
            ready.filter(enrolment__in=enrolments, period=first.period_id)
            .select_related("enrolment__student", "enrolment__course", "period__establishment")
            .select_related("period__school_year")
            .select_for_update(of=["self"])
        )
        for evaluation in evaluations:
            evaluation.published_at = now
            _move(evaluation, EvaluationState.PUBLISHED, actor=None)
            _propose(enrolments[evaluation.enrolment_id], evaluation.next_course_id)
        if evaluations:
            tell_published(evaluations)
    return first


def _check_enrolment(enrolment, period):
    if enrolment.status != EnrolmentStatus.CONFIRMED:
        raise ValidationError("Cet élève n'est plus inscrit à ce cours.", code="not_enrolled")
    course = enrolment.course
    if (course.school_year_id, course.establishment_id) != (
        period.school_year_id,
        period.establishment_id,
    ):
        raise ValidationError("Cette période n'est pas celle du cours.", code="other_year")


def _check_edition(evaluation, said):
    if evaluation is None:
        return
    if evaluation.state == EvaluationState.PUBLISHED:
        raise ValidationError(
            "Cette évaluation est publiée. Pour la corriger, demandez à l'administration de la"
            " rouvrir.",
            code="published",
        )
    if evaluation.edition != said.edition:
        raise ValidationError(
            "%(who)s a modifié cette évaluation le %(when)s, depuis une autre page. Ce que vous"
            " avez saisi est gardé ci-dessous\u00a0; enregistrer de nouveau remplacera l'autre"
            " version.",
            code="stale",
            params={
                "who": evaluation.teacher_name,
                "when": moment(evaluation.updated_at),
                "current": evaluation.edition,
            },
        )


def _write_marks(evaluation, marks):
    evaluation.marks.all().delete()
    Mark.objects.bulk_create(
        Mark(
            evaluation=evaluation,
            criterion=criterion,
            name=criterion.name,
            value=value,
            position=position,
        )
        for position, (criterion, value) in enumerate(marks.items(), start=1)
    )


def _propose(enrolment, course_pk):
    """What re-enrolment proposes from now on (Enrolment.next_course); none leaves it as it was."""
    if course_pk:
        enrolment.next_course_id = course_pk
        enrolment.save(update_fields=["next_course"])


def _move(evaluation, state, *, actor, reason=""):
    before = evaluation.state
    if state not in NEXT_EVALUATION[before]:
        raise ValidationError("Action déjà faite ou impossible.", code="bad_transition")
    evaluation.state = state
    evaluation.save(update_fields=["state", "published_at"])
    evaluation.moves.create(actor=actor, from_state=before, to_state=state, reason=reason)
