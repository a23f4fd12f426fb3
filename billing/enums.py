from django.db import models


class InvoiceKind(models.TextChoices):
    """The two tabs of « Facturation » (the manual, annex 2)."""

    COTISATION = "cotisation", "cotisation"
    LOCATION = "location", "location"


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", "brouillon"
    ISSUED = "issued", "émise"


class Settlement(models.TextChoices):
    """Where an issued invoice stands today; computed (`with_amounts`), never stored."""

    DUE = "due", "à payer"
    OVERDUE = "overdue", "en retard"
    PAID = "paid", "payée"


class PaymentMeans(models.TextChoices):
    CARD = "card", "carte bancaire"
    CHEQUE = "cheque", "chèque"
    CASH = "cash", "espèces"
    TRANSFER = "transfer", "virement"
