from django.db import models

from families.reminders import outcomes


class Status(models.TextChoices):
    DRAFT = "draft", "en cours de saisie"
    SUBMITTED = "submitted", "déposé"
    INCOMPLETE = "incomplete", "complément demandé"
    VALIDATED = "validated", "validé"
    REFUSED = "refused", "refusé"
    WITHDRAWN = "withdrawn", "retiré"


class EarlyGroup(models.TextChoices):
    """Who enters before everybody; reenrolment/early_access.py says who meets each."""

    SCHOOL_HOURS = "school_hours", "élèves en horaires aménagés (CHAM)"
    SECOND_CYCLE = "second_cycle", "élèves de cycle 2"
    THIRD_CYCLE = "third_cycle", "élèves de cycle 3"
    SIBLINGS = "siblings", "familles de plusieurs élèves"
    RESIDENTS = "residents", "habitants de la commune du conservatoire"


DECIDED = [Status.VALIDATED, Status.REFUSED]
TO_EXAMINE = [Status.SUBMITTED, Status.INCOMPLETE]
NEXT = {  # the whole state machine, in one glance (design, section 5)
    Status.DRAFT: [Status.SUBMITTED],
    Status.SUBMITTED: [Status.INCOMPLETE, *DECIDED, Status.WITHDRAWN],
    Status.INCOMPLETE: [Status.SUBMITTED, *DECIDED, Status.WITHDRAWN],
    Status.VALIDATED: [],
    Status.REFUSED: [],
    Status.WITHDRAWN: [Status.DRAFT],
}


class CampaignMode(models.TextChoices):
    """How the lessons of a campaign go to the students who may choose one."""

    FIRST_COME = "first_come", "premier arrivé, premier servi"
    ALLOTMENT = "allotment", "vœux classés, puis répartition"


class ReminderOutcome(models.TextChoices):
    """What became of one household of a reminder, decided when its turn comes to be told."""

    TO_DO = outcomes.TO_DO, "à préparer"
    SENT = outcomes.SENT, "rappel écrit"
    COMPLETE = "complete", "plus rien à demander"
    ALREADY = outcomes.ALREADY, "déjà relancé ce jour-là"
    UNREACHABLE = outcomes.UNREACHABLE, "aucun responsable joignable par e-mail"
    FAILED = outcomes.FAILED, "rappel impossible à écrire"
