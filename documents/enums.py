from django.db import models


class Formats(models.TextChoices):
    """What a kind of supporting document may be (mode d'emploi, étape 7)."""

    PDF = "pdf", "PDF"
    IMAGE = "image", "image JPEG ou PNG"
    ANY = "any", "PDF ou image"


class Owner(models.TextChoices):
    """Whose piece it is: sent once for all the household's children, or for one student."""

    FAMILY = "family", "famille"
    STUDENT = "student", "élève"


class Verdict(models.TextChoices):
    PENDING = "pending", "à examiner"
    ACCEPTED = "accepted", "acceptée"
    REFUSED = "refused", "refusée"


NEXT = {  # the whole state machine, in one glance; a verdict may be corrected
    Verdict.PENDING: [Verdict.ACCEPTED, Verdict.REFUSED],
    Verdict.ACCEPTED: [Verdict.REFUSED],
    Verdict.REFUSED: [Verdict.ACCEPTED],
}


class Preview(models.TextChoices):
    """The images of a piece's pages, which the staff look at in the place of the file."""

    WAITING = "waiting", "en préparation"
    DONE = "done", "prêt"
    FAILED = "failed", "impossible"
    GONE = "gone", "retiré avec le fichier"


class RefusalReason(models.TextChoices):
    """What the family reads when a piece is refused, before the agent's own words."""

    UNREADABLE = "unreadable", "Le document est illisible."
    TOO_OLD = "too_old", "Le document est trop ancien."
    WRONG_KIND = "wrong_kind", "Ce n'est pas le document demandé."
    INCOMPLETE = "incomplete", "Il manque des pages."
    WRONG_PERSON = "wrong_person", "Le document ne concerne pas votre foyer ou cet élève."
    OTHER = "other", "Autre motif."
    SECURITY = (
        "security",
        "Le contrôle de sécurité a trouvé un programme malveillant dans ce fichier.",
    )


# What an agent may say; the other one is the antivirus'.
REASONS_BY_HAND = [reason for reason in RefusalReason if reason != RefusalReason.SECURITY]


class Scan(models.TextChoices):
    """What the antivirus said of a file."""

    NOT_ANALYSED = "none", "non analysé"  # there was no antivirus
    CLEAN = "clean", "rien trouvé"
    WAITING = "waiting", "en quarantaine"  # it did not answer
    INFECTED = "infected", "programme malveillant, effacé"


UNSAFE = [Scan.WAITING, Scan.INFECTED]  # neither lent nor accepted
SCANNED = [Scan.CLEAN, Scan.INFECTED]


class FileGone(models.TextChoices):
    """Why a piece has no file any more; its row stays, as the log."""

    REPLACED = "replaced", "remplacé par une version plus récente"
    REMOVED = "removed", "retiré"
    RETENTION = "retention", "durée de conservation écoulée"
    ERASED = "erased", "effacé à la demande de la famille"
    INFECTED = "infected", "effacé par le contrôle de sécurité"


class Audience(models.TextChoices):
    """Who owes a piece, besides the communes that the rule may list."""

    ALL = "all", "tous les élèves"
    DANCE = "dance", "élèves de danse"
    ADULTS = "adults", "élèves majeurs"
    MINORS = "minors", "élèves mineurs"
