"""What must stay true of the year (imuse/invariants.py); what the database refuses is not here."""

from collections.abc import Iterator
from itertools import pairwise

from django.db.models import Count, F, Max, OuterRef, Prefetch, Q, Subquery, Value
from django.db.models.functions import Coalesce

from teaching.announcements.invariants import announcements
from teaching.concerts.invariants import concerts
from teaching.enums import NEXT_EVALUATION, EvaluationState, LessonAct, LessonState, Presence
from teaching.models import (
    Absence,
    AbsenceMove,
    Evaluation,
    EvaluationMove,
    Lesson,
    LessonChange,
    Portrait,
    Register,
)

_LOG = Prefetch("moves", EvaluationMove.objects.order_by("pk"), to_attr="log")
BECOMES = {
    LessonAct.CANCELLED: LessonState.CANCELLED,
    LessonAct.MOVED: LessonState.MOVED,
    LessonAct.RESTORED: LessonState.PLANNED,
}


def portraits() -> Iterator[str]:
    """Of the student whose photo it was, while it may be shown, with its file. Opens every file.

    The queue lets go of those that may no longer be shown: one of them is a queue that stopped.
    """
    rows = Portrait.objects.select_related("student").order_by("pk")
    for portrait in rows.exclude(document__student=F("student")):
        yield f"{portrait} est copié de la photo de quelqu'un d'autre."
    for portrait in rows.exclude(pk__in=Portrait.objects.allowed().values("pk")):
        yield f"{portrait} ne peut plus être montré, et il est toujours là."
    for portrait in rows.exclude(file="").iterator():
        try:
            with portrait.file.open() as file:
                is_empty = not file.read(1)
        except Exception as error:  # each storage has its own
            yield f"{portrait}\u00a0: le fichier ne se lit pas ({type(error).__name__})."
        else:
            if is_empty:
                yield f"{portrait}\u00a0: le fichier est vide."


def lessons_changed() -> Iterator[str]:
    """A lesson is as its last change left it; one that nobody changed is as planned."""
    changes = LessonChange.objects.filter(lesson=OuterRef("pk")).order_by("-pk")
    rows = Lesson.objects.annotate(act=Subquery(changes.values("act")[:1]))
    for lesson in rows.select_related("slot__course", "time__course").order_by("pk").iterator():
        state, act = LessonState(lesson.state), lesson.act
        if act == LessonAct.REPLACED:
            agrees = lesson.substitute_id and state != LessonState.CANCELLED
        else:
            agrees = state == (BECOMES[LessonAct(act)] if act else LessonState.PLANNED)
            agrees = agrees and (state != LessonState.PLANNED or lesson.substitute_id is None)
        if not agrees:
            then = f"«\u00a0{LessonAct(act).label}\u00a0»" if act else "rien"
            now = f"«\u00a0{lesson.get_state_display()}\u00a0»"
            yield f"{lesson}\u00a0: l'état est {now} et le journal dit {then}."


def registers() -> Iterator[str]:
    """Each has as many entries as its version says, and counts while its lesson is that day's."""
    rows = Register.objects.select_related("lesson__slot__course", "lesson__time__course")
    rows = rows.annotate(
        count=Count("entries"),
        last=Max("entries__version"),
        on=Coalesce("lesson__moved_on", "lesson__planned_on"),
    )
    for register in rows.order_by("pk").iterator():
        if not register.version == register.count == register.last:
            yield f"{register}\u00a0: la version est {register.version}, le journal n'y mène pas."
        cancelled = register.lesson.state == LessonState.CANCELLED
        if register.void != (cancelled or register.on != register.held_on):
            if register.void:
                yield f"{register}\u00a0: il est sans objet et sa séance est de ce jour."
            else:
                yield f"{register}\u00a0: il compte et sa séance n'est plus de ce jour."


def absences() -> Iterator[str]:
    """Each is of somebody of that course, and says what its log says of him last."""
    rows = Absence.objects.select_related(
        "enrolment__student",
        "enrolment__course",
        *("register__lesson__slot__course", "register__lesson__time__course"),
    ).order_by("pk")
    for absence in rows.exclude(enrolment__course=F("register__course")):
        yield f"{absence}\u00a0: l'appel est celui d'un autre cours."
    moves = AbsenceMove.objects.filter(
        entry__register=OuterRef("register"), enrolment=OuterRef("enrolment")
    ).order_by("-pk")
    logged = Coalesce(Subquery(moves.values("to_kind")[:1]), Value(Presence.PRESENT.value))
    for absence in rows.annotate(logged=logged).exclude(kind=F("logged")):
        now = f"«\u00a0{absence.get_kind_display()}\u00a0»"
        then = f"«\u00a0{Presence(absence.logged).label}\u00a0»"
        yield f"{absence}\u00a0: l'appel dit {now} et le journal {then}."


def evaluations() -> Iterator[str]:
    """The log leads from the draft to the present state, by allowed moves; the course proposed is
    one of a later year."""
    rows = Evaluation.objects.select_related(
        "enrolment__student", "enrolment__course", "period"
    ).order_by("pk")
    for evaluation in rows.prefetch_related(_LOG).iterator(chunk_size=500):
        states = [EvaluationState.DRAFT]
        states += [EvaluationState(move.to_state) for move in evaluation.log]
        left = [EvaluationState(move.from_state) for move in evaluation.log]
        follows = all(after in NEXT_EVALUATION[before] for before, after in pairwise(states))
        if left != states[:-1] or not follows:
            yield f"{evaluation}\u00a0: le journal ne suit pas les états d'une évaluation."
        elif states[-1] != evaluation.state:
            now = evaluation.get_state_display()
            yield (
                f"{evaluation}\u00a0: l'état est «\u00a0{now}\u00a0» et le journal s'arrête à"
                f" «\u00a0{states[-1].label}\u00a0»."
            )
    later = Q(
        next_course__school_year__starts_on__gt=F("enrolment__course__school_year__starts_on")
    )
    for evaluation in rows.exclude(next_course=None).exclude(later):
        yield f"{evaluation}\u00a0: le cours proposé n'est pas d'une année qui suit."


OF_THE_YEAR = [
    portraits,
    lessons_changed,
    registers,
    absences,
    evaluations,
    concerts,
    announcements,
]
