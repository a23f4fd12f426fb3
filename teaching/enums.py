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


class ConcertState(models.TextChoices):
    DRAFT = "draft", "en préparation"
    PUBLISHED = "published", "annoncée"
    CANCELLED = "cancelled", "annulée"


NEXT_CONCERT = {  # a draft that comes to nothing is deleted; nobody was told of it
    ConcertState.DRAFT: [ConcertState.PUBLISHED],
    ConcertState.PUBLISHED: [ConcertState.CANCELLED],
    ConcertState.CANCELLED: [],
}


class ConcertAct(models.TextChoices):
    """What somebody did with a concert; its log (ConcertMove) says who, when and why."""

    PUBLISHED = "published", "annoncée"
    MOVED = "moved", "déplacée"
    CANCELLED = "cancelled", "annulée"
    RECORDED = "recorded", "inscrite aux répertoires"


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


class Presence(models.TextChoices):
    """What the register says of one student; nothing is written of who was always present."""

    PRESENT = "present", "présent"
    ABSENT = "absent", "absent"
    LATE = "late", "en retard"
    EXCUSED = "excused", "excusé"


class Verdict(models.TextChoices):
    """Of the administration, on what a family wrote to justify an absence."""

    PENDING = "pending", "à examiner"
    ACCEPTED = "accepted", "acceptée"
    REFUSED = "refused", "refusée"


class AbsenceState(models.TextChoices):
    """Where an absence stands; derived (AbsenceQuerySet.with_state), never stored."""

    EXCUSED = "excused", "excusée"
    JUSTIFIED = "justified", "justifiée"
    PENDING = "pending", "justification à examiner"
    REFUSED = "refused", "justification refusée"
    TO_JUSTIFY = "to_justify", "à justifier"


TO_JUSTIFY = [AbsenceState.TO_JUSTIFY, AbsenceState.REFUSED]  # the family still has to


class AnnouncementKind(models.TextChoices):
    """What it tells decides whether somebody may refuse it by mail (docs/decisions.md)."""

    SERVICE = "service", "information de service"
    LIFE = "life", "vie du conservatoire"


class AnnouncementState(models.TextChoices):
    DRAFT = "draft", "brouillon"
    PLANNED = "planned", "envoi prévu"
    SENDING = "sending", "envoi en cours"
    SENT = "sent", "envoyé"
    WITHDRAWN = "withdrawn", "retiré"


NEXT_ANNOUNCEMENT = {  # the whole state machine, in one glance
    AnnouncementState.DRAFT: [AnnouncementState.PLANNED],
    # Taken up again, as long as nobody has it.
    AnnouncementState.PLANNED: [AnnouncementState.DRAFT, AnnouncementState.SENDING],
    AnnouncementState.SENDING: [AnnouncementState.SENT, AnnouncementState.WITHDRAWN],
    AnnouncementState.SENT: [AnnouncementState.WITHDRAWN],
    AnnouncementState.WITHDRAWN: [],
}
READABLE = [AnnouncementState.SENDING, AnnouncementState.SENT]  # by those who have it


class Delivery(models.TextChoices):
    """How an announcement reaches one recipient; all of them read it on the site."""

    MAILED = "mailed", "e-mail"
    NO_ADDRESS = "no_address", "sans adresse e-mail"
    REFUSED = "refused", "ne veut pas d'e-mail"
    FAILED = "failed", "e-mail impossible à écrire"
