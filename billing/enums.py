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


class Billed(models.TextChoices):
    """Which enrolments of the year a run bills."""

    CONFIRMED = "confirmed", "confirmées"
    LIVE = "live", "confirmées ou demandées"


class RunState(models.TextChoices):
    """Where a run of invoices stands; `billing.runs` moves it."""

    PREPARING = "preparing", "préparation en cours"
    TO_CHECK = "to_check", "à contrôler"
    ISSUING = "issuing", "émission en cours"
    PAUSED = "paused", "émission arrêtée"
    ISSUED = "issued", "émise"
    ABANDONED = "abandoned", "abandonnée"


LIVE_RUNS = [RunState.PREPARING, RunState.TO_CHECK, RunState.ISSUING, RunState.PAUSED]
NEXT_RUN = {  # the whole state machine, in one glance
    RunState.PREPARING: [RunState.TO_CHECK, RunState.ABANDONED],
    RunState.TO_CHECK: [RunState.ISSUING, RunState.ABANDONED],
    RunState.ISSUING: [RunState.PAUSED, RunState.ISSUED],
    RunState.PAUSED: [RunState.ISSUING],
    RunState.ISSUED: [RunState.ISSUING],  # what was refused is tried anew
    RunState.ABANDONED: [],
}


class RunOutcome(models.TextChoices):
    """What a run found of a household, then what became of its draft."""

    TO_DO = "to_do", "à calculer"
    DRAFTED = "drafted", "brouillon à émettre"
    SAME = "same", "déjà facturé, rien ne change"
    LESS = "less", "trop facturé, avoir à émettre"
    NOTHING = "nothing", "rien à facturer"
    PROBLEM = "problem", "impossible à calculer"
    REMOVED = "removed", "retiré"
    REFUSED = "refused", "émission refusée"
    ISSUED = "issued", "facture émise"


NOT_PRICED = [RunOutcome.TO_DO, RunOutcome.PROBLEM]
WITH_A_SENTENCE = [RunOutcome.PROBLEM, RunOutcome.REFUSED]
