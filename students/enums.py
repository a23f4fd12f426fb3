from django.db import models


class Art(models.TextChoices):
    """The domain of a discipline."""

    MUSIC = "music", "musique"
    DANCE = "dance", "danse"
    THEATRE = "theatre", "théâtre"


class Cycle(models.TextChoices):
    """The stages of a cursus (domain.md, Curriculum)."""

    AWAKENING = "awakening", "Éveil"
    INITIATION = "initiation", "Initiation"
    FIRST = "c1", "Cycle 1"
    SECOND = "c2", "Cycle 2"
    THIRD = "c3", "Cycle 3"
    OUTSIDE = "outside", "Hors cursus"


class Scheduling(models.TextChoices):
    """Who fixes the hour of a course; what the family reads stands in reenrolment/_choice.html."""

    FAMILY = "family", "choisi par la famille"
    ADMINISTRATION = "administration", "attribué par l'administration"
    TEACHER = "teacher", "fixé par l'enseignant"
    SCHOOL = "school", "sur le temps scolaire (CHAM)"


# Courses whose lessons have no slot of ours: being enrolled is being placed.
WITHOUT_SLOT = [Scheduling.TEACHER, Scheduling.SCHOOL]


class Weekday(models.IntegerChoices):
    MONDAY = 1, "lundi"
    TUESDAY = 2, "mardi"
    WEDNESDAY = 3, "mercredi"
    THURSDAY = 4, "jeudi"
    FRIDAY = 5, "vendredi"
    SATURDAY = 6, "samedi"
    SUNDAY = 7, "dimanche"


class Misfit(models.TextChoices):
    """Why a slot is not for a student (students.suitability)."""

    AGE = "age", "hors âge"
    LEVEL = "level", "hors niveau"


class EnrolmentStatus(models.TextChoices):
    REQUESTED = "requested", "demandée"
    CONFIRMED = "confirmed", "confirmée"
    RELEASED = "released", "rendue"


NEXT = {  # the whole state machine, in one glance
    EnrolmentStatus.REQUESTED: [EnrolmentStatus.CONFIRMED, EnrolmentStatus.RELEASED],
    EnrolmentStatus.CONFIRMED: [EnrolmentStatus.RELEASED],
    EnrolmentStatus.RELEASED: [],
}


class ClassMove(models.TextChoices):
    """A confirmed student comes into a class, or leaves it."""

    ARRIVED = "arrived", "arrivée"
    LEFT = "left", "départ"


class WaitingState(models.TextChoices):
    """What became of a wish on the waiting list."""

    WAITING = "waiting", "en attente"
    OFFERED = "offered", "place proposée"
    ACCEPTED = "accepted", "place obtenue"
    DECLINED = "declined", "place refusée"
    EXPIRED = "expired", "délai passé"
    LEFT = "left", "retirée de la liste"


STILL_WAITING = [WaitingState.WAITING, WaitingState.OFFERED]
NEXT_WAITING = {  # the whole state machine, in one glance
    WaitingState.WAITING: [WaitingState.OFFERED, WaitingState.ACCEPTED, WaitingState.LEFT],
    WaitingState.OFFERED: [
        WaitingState.ACCEPTED,
        WaitingState.DECLINED,
        WaitingState.EXPIRED,
        WaitingState.LEFT,
    ],
    WaitingState.ACCEPTED: [],
    WaitingState.DECLINED: [],
    WaitingState.EXPIRED: [],
    WaitingState.LEFT: [],
}


class Criterion(models.TextChoices):
    """What puts a student before others on a waiting list, in words that families read."""

    ENROLLED = "enrolled", "élèves déjà inscrits cette année dans la discipline"
    SIBLING = "sibling", "élèves dont un frère ou une sœur a cours le même jour"
    RESIDENT = "resident", "habitants des communes du conservatoire"


class Fate(models.TextChoices):
    """What an allotment made of one wish."""

    OBTAINED = "obtained", "obtenu"
    FULL = "full", "complet"
    CLASH = "clash", "en même temps qu'un autre cours"
    UNUSED = "unused", "moins bien classé que le vœu obtenu"
