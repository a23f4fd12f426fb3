from django.db import models


class InvoiceKind(models.TextChoices):
    """The two tabs of « Facturation » (the manual, annex 2)."""

    COTISATION = "cotisation", "cotisation"
    LOCATION = "location", "location"


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", "brouillon"
    ISSUED = "issued", "émise"


class LineKind(models.TextChoices):
    """What a line is for: the totals of a run and of the journal are made by kind."""

    FILE_FEE = "file_fee", "frais de dossier"
    TUITION = "tuition", "droits d'inscription"
    RENTAL = "rental", "location d'instrument"
    OTHER = "other", "autre"


class SituationCode(models.TextChoices):
    """What a modifier of a tariff grid may reward; a grid names them by these values."""

    STUDENT = "student", "étudiant"
    JOBSEEKER = "jobseeker", "demandeur d'emploi"
    MINIMA = "minima", "minima sociaux"
    DISABILITY = "disability", "situation de handicap"


class Settlement(models.TextChoices):
    """Where an issued invoice stands today; computed (`with_amounts`), never stored."""

    DUE = "due", "à payer"
    OVERDUE = "overdue", "en retard"
    PAID = "paid", "payée"
    OVERPAID = "overpaid", "trop-perçu"
    CANCELLED = "cancelled", "annulée"
    CREDIT_NOTE = "credit_note", "avoir"


UNPAID = [Settlement.DUE, Settlement.OVERDUE]


class PaymentMeans(models.TextChoices):
    CARD = "card", "carte bancaire"
    CHEQUE = "cheque", "chèque"
    CASH = "cash", "espèces"
    TRANSFER = "transfer", "virement"
    ONLINE = "online", "carte bancaire en ligne"
    DEBIT = "debit", "prélèvement en ligne"
    CARRIED = "carried", "report"


AT_THE_COUNTER = [
    PaymentMeans.CARD,
    PaymentMeans.CHEQUE,
    PaymentMeans.CASH,
    PaymentMeans.TRANSFER,
]
BY_PAYFIP = [PaymentMeans.ONLINE, PaymentMeans.DEBIT]
CAN_BOUNCE = [PaymentMeans.CHEQUE, PaymentMeans.DEBIT]


class PaymentNature(models.TextChoices):
    """A payment is never corrected: another row undoes it."""

    RECEIVED = "received", "reçu"
    REFUNDED = "refunded", "remboursé"
    BOUNCED = "bounced", "rejeté"
    CARRIED = "carried", "reporté"  # what one invoice has too much, given to another


class Saisie(models.TextChoices):
    """How PayFiP takes the payments of an account; its letters are PayFiP's."""

    TEST = "T", "T – test, aucun argent ne circule"
    ACTIVATION = "X", "X – activation"
    PRODUCTION = "W", "W – production"


class AttemptState(models.TextChoices):
    """What became of a demand to PayFiP."""

    OPEN = "open", "en cours"
    PAID = "paid", "payé par carte"
    DEBITED = "debited", "prélèvement accepté"  # provisional: the régie records one that bounces
    REFUSED = "refused", "refusé"
    CANCELLED = "cancelled", "annulé"
    LOST = "lost", "sans suite"
    ANOMALY = "anomaly", "anomalie"


MONEY_CAME = [AttemptState.PAID, AttemptState.DEBITED]
NEXT_ATTEMPT = {  # money received is never dropped, however late it is told
    AttemptState.OPEN: [
        *MONEY_CAME,
        AttemptState.REFUSED,
        AttemptState.CANCELLED,
        AttemptState.LOST,
        AttemptState.ANOMALY,
    ],
    AttemptState.REFUSED: [*MONEY_CAME, AttemptState.CANCELLED, AttemptState.ANOMALY],
    AttemptState.CANCELLED: [*MONEY_CAME, AttemptState.REFUSED, AttemptState.ANOMALY],
    AttemptState.LOST: [
        *MONEY_CAME,
        AttemptState.REFUSED,
        AttemptState.CANCELLED,
        AttemptState.ANOMALY,
    ],
    AttemptState.ANOMALY: [*MONEY_CAME, AttemptState.REFUSED, AttemptState.CANCELLED],
    AttemptState.PAID: [],
    AttemptState.DEBITED: [],
}


class AskedBy(models.TextChoices):
    """Upon what PayFiP was asked about an attempt."""

    NOTIFICATION = "notification", "notification"
    RETURN = "return", "retour de la famille"
    START = "start", "nouvelle demande de la famille"
    POLL = "poll", "relève"
    STAFF = "staff", "agent"
