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
CAN_BOUNCE = [PaymentMeans.CHEQUE, PaymentMeans.DEBIT]


class PaymentNature(models.TextChoices):
    """A payment is never corrected: another row undoes it."""

    RECEIVED = "received", "reçu"
    REFUNDED = "refunded", "remboursé"
    BOUNCED = "bounced", "rejeté"
    CARRIED = "carried", "reporté"  # what one invoice has too much, given to another


class PeriodKind(models.TextChoices):
    """What an attestation of payment is about; the value stands in its address."""

    SCHOOL = "annee-scolaire", "année scolaire"
    CIVIL = "annee-civile", "année civile"
