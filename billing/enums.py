from django.db import models


class InvoiceKind(models.TextChoices):
    """The two tabs of « Facturation » (the manual, annex 2)."""

    COTISATION = "cotisation", "cotisation"
    LOCATION = "location", "location"


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", "brouillon"
    ISSUED = "issued", "émise"


class PaymentMeans(models.TextChoices):
    CARD = "card", "carte bancaire"
    CHEQUE = "cheque", "chèque"
    CASH = "cash", "espèces"
    TRANSFER = "transfer", "virement"
