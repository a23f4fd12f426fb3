"""The régie's desk: its settings, its numbered receipts, the days that it has closed."""

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import Establishment
from billing.enums import AccountingEntry, PaymentMeans
from billing.money import ZERO, euros


class RegieSettings(models.Model):
    """What the law, the town and the treasury set for one establishment; edited, never coded."""

    establishment = models.OneToOneField(
        Establishment,
        models.PROTECT,
        verbose_name="établissement",
        related_name="regie_settings",
    )
    cash_limit = models.DecimalField(
        "plafond des espèces (€)",
        max_digits=10,
        decimal_places=2,
        default=300,
        validators=[MinValueValidator(ZERO)],
        help_text="Article 1680 du code général des impôts\u00a0: 300 €. Au-delà, la régie refuse.",
    )
    claim_minimum = models.DecimalField(
        "seuil de relance (€)",
        max_digits=10,
        decimal_places=2,
        default=15,
        validators=[MinValueValidator(ZERO)],
        help_text="Un foyer qui doit moins n'est pas relancé\u00a0: trop peu pour être recouvré.",
    )
    days_between_reminders = models.PositiveSmallIntegerField(
        "jours entre deux relances",
        default=15,
        help_text="Un foyer relancé depuis moins longtemps n'est pas coché d'avance.",
    )
    journal_code = models.CharField(
        "code du journal",
        max_length=8,
        default="REGIE",
        validators=[RegexValidator(r"^[0-9A-Z]+\Z", "Des capitales et des chiffres.")],
        help_text="Première colonne du fichier destiné au comptable.",
    )

    class Meta:
        verbose_name = "réglages de la régie"
        verbose_name_plural = "réglages de la régie"
        constraints = [
            models.CheckConstraint(
                name="regie_settings_amounts_not_negative",
                condition=Q(cash_limit__gte=0, claim_minimum__gte=0),
                violation_error_message="Un plafond ou un seuil n'est pas négatif.",
            ),
        ]

    def __str__(self):
        return f"Régie de {self.establishment}"


class AccountingCode(models.Model):
    """The account that an entry goes to, as the treasury's accountant gives it."""

    settings = models.ForeignKey(
        RegieSettings, models.PROTECT, verbose_name="réglages", related_name="codes"
    )
    entry = models.CharField("écriture", max_length=20, choices=AccountingEntry)
    account = models.CharField(
        "compte",
        max_length=12,
        validators=[RegexValidator(r"^[0-9A-Z]+\Z", "Des chiffres et des capitales.")],
    )

    class Meta:
        verbose_name = "compte"
        ordering = ["entry"]
        constraints = [
            models.UniqueConstraint(
                name="accounting_code_one_per_entry",
                fields=["settings", "entry"],
                violation_error_message="Cette écriture a déjà un compte.",
            ),
            models.CheckConstraint(
                name="accounting_code_entry_known",
                condition=Q(entry__in=AccountingEntry.values),
                violation_error_message="Écriture inconnue.",
            ),
        ]

    def __str__(self):
        return f"{self.get_entry_display()}\u00a0: {self.account}"


class ReceiptSeries(models.Model):
    """The number of the last receipt of an establishment and year, locked to give the next."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="receipt_series"
    )
    year = models.PositiveSmallIntegerField("année civile")
    last_number = models.PositiveIntegerField("dernier numéro", default=0)

    class Meta:
        verbose_name = "série de quittances"
        verbose_name_plural = "séries de quittances"
        constraints = [
            models.UniqueConstraint(
                name="receipt_series_one_per_establishment_and_year",
                fields=["establishment", "year"],
                violation_error_message="Cette série existe déjà.",
            )
        ]

    def __str__(self):
        return f"{self.establishment} {self.year} : {self.last_number}"


class DepositQuerySet(models.QuerySet):
    def with_payments(self):
        return self.select_related("establishment", "recorded_by").prefetch_related(
            "payments__invoice"
        )


class Deposit(models.Model):
    """What a household hands over at the counter, once; its payments say for which invoices.

    Its number is that of the receipt (« quittance »): without gap, since the régisseur accounts
    for each. It is never edited: a payment is undone by another row.
    """

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="deposits"
    )
    year = models.PositiveSmallIntegerField("année civile")
    number = models.PositiveIntegerField("numéro de quittance")
    reference = models.CharField("référence", max_length=40, unique=True)
    payer_name = models.CharField("payeur", max_length=250)
    amount = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans)
    paid_on = models.DateField("le")
    note = models.CharField("note", max_length=200, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="saisi par", related_name="+"
    )
    recorded_at = models.DateTimeField("saisi le", auto_now_add=True)

    objects = DepositQuerySet.as_manager()

    class Meta:
        verbose_name = "encaissement"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(
                name="deposit_number_unique_per_establishment_and_year",
                fields=["establishment", "year", "number"],
                violation_error_message="Ce numéro de quittance existe déjà.",
            ),
            models.CheckConstraint(
                name="deposit_amount_positive",
                condition=Q(amount__gt=0),
                violation_error_message="Un paiement est d'un montant positif.",
            ),
            models.CheckConstraint(
                name="deposit_means_known",
                condition=Q(means__in=PaymentMeans.values),
                violation_error_message="Moyen de paiement inconnu.",
            ),
        ]

    def __str__(self):
        return f"Quittance {self.receipt}\u00a0: {euros(self.amount)}"

    @property
    def receipt(self) -> str:
        """« Q2026-00042 »."""
        return f"Q{self.year}-{self.number:05}"


class CashDay(models.Model):
    """One day of an establishment's till: open, or closed (« arrêtée ») for good.

    Its row is what a payment and the closing of its day both lock. Once closed, the régie records
    nothing more on that day; what PayFiP tells late is recorded all the same, since money received
    is never refused, and shows beside the totals frozen here.
    """

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="cash_days"
    )
    day = models.DateField("jour")
    closed_at = models.DateTimeField("arrêtée le", null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="arrêtée par",
        related_name="+",
        null=True,
        blank=True,
    )

    class Meta:
        verbose_name = "journée de caisse"
        verbose_name_plural = "journées de caisse"
        ordering = ["-day"]
        permissions = [("close_day", "Peut arrêter une journée de caisse")]
        constraints = [
            models.UniqueConstraint(
                name="cash_day_one_per_establishment",
                fields=["establishment", "day"],
                violation_error_message="Cette journée existe déjà.",
            ),
            models.CheckConstraint(
                name="cash_day_closed_at_and_by",
                condition=Q(closed_at=None, closed_by=None)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                violation_error_message="Un arrêté de caisse a date et auteur.",
            ),
        ]

    def __str__(self):
        return f"Caisse du {self.day:%d/%m/%Y}"


class CashDayTotal(models.Model):
    """What one means of payment brought and took that day, frozen when it was closed."""

    cash_day = models.ForeignKey(
        CashDay, models.PROTECT, verbose_name="journée", related_name="totals"
    )
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans)
    received = models.DecimalField("reçu (€)", max_digits=12, decimal_places=2)
    refunded = models.DecimalField("remboursé (€)", max_digits=12, decimal_places=2)
    bounced = models.DecimalField("rejeté (€)", max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = "total d'une journée"
        verbose_name_plural = "totaux d'une journée"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="cash_day_total_one_per_means",
                fields=["cash_day", "means"],
                violation_error_message="Ce moyen a déjà son total.",
            ),
            models.CheckConstraint(
                name="cash_day_total_means_known",
                condition=Q(means__in=PaymentMeans.values),
                violation_error_message="Moyen de paiement inconnu.",
            ),
            models.CheckConstraint(
                name="cash_day_total_signs",
                condition=Q(received__gte=0, refunded__lte=0, bounced__lte=0),
                violation_error_message="Ce qui entre est positif, ce qui sort négatif.",
            ),
        ]

    def __str__(self):
        return f"{self.cash_day}, {self.get_means_display()}"
