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
