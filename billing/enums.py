from django.db import models

from families.reminders import outcomes


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


class PartState(models.TextChoices):
    """Where one instalment stands; computed (`billing.schedule`), never stored."""

    PAID = "paid", "payée"
    OVERDUE = "overdue", "en retard"
    COMING = "coming", "à venir"
    CREDITED = "credited", "annulée par un avoir"


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
CAN_BOUNCE = [PaymentMeans.CHEQUE, PaymentMeans.DEBIT]  # the bank sends it back
CAN_BE_ANNULLED = [PaymentMeans.CARD, PaymentMeans.CASH, PaymentMeans.TRANSFER]  # typed in error


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


class PayFiPResult(models.TextChoices):
    """What PayFiP tells of a payment (`resultrans`); the letters are its own, and more may come."""

    CARD = "P", "payé par carte"
    DEBIT = "V", "prélèvement accepté"
    CARD_REFUSED = "R", "carte refusée"
    DEBIT_REFUSED = "Z", "prélèvement refusé"
    CANCELLED = "A", "annulé par la famille"

    @classmethod
    def words(cls, letter: str) -> str:
        """« Annulé par la famille (A) », or that the site does not know this value."""
        if letter in cls.values:
            return f"{cls(letter).label.capitalize()} ({letter})"
        return f"Résultat inconnu («\u00a0{letter}\u00a0»)" if letter else "Résultat vide"


class AskedBy(models.TextChoices):
    """Upon what PayFiP was asked about an attempt."""

    NOTIFICATION = "notification", "notification"
    RETURN = "return", "retour de la famille"
    START = "start", "nouvelle demande de la famille"
    POLL = "poll", "relève"
    STAFF = "staff", "agent"


class AccountingEntry(models.TextChoices):
    """What needs an account in the treasury's books: the debt, its revenue, where money arrives."""

    CLAIM = "claim", "redevables (ce que doivent les foyers)"
    FILE_FEE = "file_fee", "produit\u00a0: frais de dossier"
    TUITION = "tuition", "produit\u00a0: droits d'inscription"
    RENTAL = "rental", "produit\u00a0: location d'instrument"
    OTHER = "other", "produit\u00a0: autre"
    CARD = "card", "encaissement\u00a0: carte bancaire"
    CHEQUE = "cheque", "encaissement\u00a0: chèque"
    CASH = "cash", "encaissement\u00a0: espèces"
    TRANSFER = "transfer", "encaissement\u00a0: virement"
    ONLINE = "online", "encaissement\u00a0: carte bancaire en ligne"
    DEBIT = "debit", "encaissement\u00a0: prélèvement en ligne"
    DEPOSIT = "deposit", "dépôts de garantie (d'où vient ce qui en est gardé)"


class ReminderLevel(models.IntegerChoices):
    """How firmly an overdue invoice is asked for; after the last one it is the treasury's."""

    FIRST = 1, "relance amiable n°\u00a01"
    SECOND = 2, "relance amiable n°\u00a02"
    LAST = 3, "avant transmission au comptable"


class PaymentReminderOutcome(models.TextChoices):
    """What became of one household of a reminder, decided when its turn comes to be told."""

    TO_DO = outcomes.TO_DO, "à préparer"
    SENT = outcomes.SENT, "relance écrite"
    SETTLED = "settled", "plus rien en retard"
    ALREADY = outcomes.ALREADY, "déjà relancé ce jour-là"
    PAYING = "paying", "un paiement en ligne est en cours ou à vérifier"
    UNREACHABLE = outcomes.UNREACHABLE, "aucun responsable joignable par e-mail"
    FAILED = outcomes.FAILED, "relance impossible à écrire"


class PeriodKind(models.TextChoices):
    """What an attestation of payment is about; the value stands in its address."""

    SCHOOL = "annee-scolaire", "année scolaire"
    CIVIL = "annee-civile", "année civile"


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
    RunState.PAUSED: [RunState.ISSUING, RunState.ISSUED, RunState.ABANDONED],
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
