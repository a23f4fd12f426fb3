from django.db import models


class ClosureKind(models.TextChoices):
    HOLIDAYS = "holidays", "vacances scolaires"
    PUBLIC_HOLIDAY = "public_holiday", "jour férié"
    CLOSED = "closed", "fermeture"


class LessonState(models.TextChoices):
    """What became of one lesson; a lesson without a row is as planned."""

    PLANNED = "planned", "prévu"
    CANCELLED = "cancelled", "annulé"
    MOVED = "moved", "déplacé"


class EvaluationState(models.TextChoices):
    DRAFT = "draft", "brouillon"
    READY = "ready", "terminée"
    PUBLISHED = "published", "publiée"


NEXT_EVALUATION = {  # the whole state machine, in one glance
    EvaluationState.DRAFT: [EvaluationState.READY],
    EvaluationState.READY: [EvaluationState.DRAFT, EvaluationState.PUBLISHED],
    # By an agent, with a reason: the families no longer read it until it is published again.
    EvaluationState.PUBLISHED: [EvaluationState.DRAFT],
}


class ExamResult(models.TextChoices):
    """Of an end of cycle, in the words of the profession."""

    NONE = "", "pas d'examen cette période"
    VERY_GOOD = "very_good", "obtenu, mention très bien"
    GOOD = "good", "obtenu, mention bien"
    FAIR = "fair", "obtenu, mention assez bien"
    OBTAINED = "obtained", "obtenu"
    REFUSED = "refused", "non obtenu"
    ABSENT = "absent", "absent à l'examen"


class LessonAct(models.TextChoices):
    """What somebody did with one lesson; its log (LessonChange) says who, when and why."""

    CANCELLED = "cancelled", "annulé"
    MOVED = "moved", "déplacé"
    REPLACED = "replaced", "remplacé"
    RESTORED = "restored", "rétabli"


class Space(models.TextChoices):
    """Whose lessons a calendar holds."""

    FAMILY = "family", "famille"
    TEACHER = "teacher", "enseignant"
