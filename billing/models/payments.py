"""Money that came in, went back or bounced."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.enums import (
    BY_PAYFIP,
    CAN_BE_ANNULLED,
    CAN_BOUNCE,
    PaymentMeans,
    PaymentNature,
)
from billing.models.invoices import Invoice
from billing.models.regie import Deposit
from billing.money import euros

NATURES = PaymentNature


class Payment(models.Model):
    """A movement of money for an invoice, recorded once (`reference` is the régie's own).

    What comes in is positive, what goes back or bounces negative: the sum is what is paid.
    `reverses` is the payment that bounced, or that was typed in error (`is_annulment`). Of what is
    carried from one invoice to another, each row is the other's `counterpart`. `deposit` is what
    the household handed over at the counter, for this invoice and others. `recorded_by` is empty
    for what PayFiP tells.
    """

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, verbose_name="facture", related_name="payments"
    )
    nature = models.CharField(
        "nature", max_length=10, choices=PaymentNature, default=PaymentNature.RECEIVED
    )
    amount = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans)
    paid_on = models.DateField("le")
    reference = models.CharField("référence", max_length=50, unique=True)
    note = models.CharField("note", max_length=200, blank=True)
    reverses = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name="annule",
        related_name="bounce",
        null=True,
        blank=True,
    )
    counterpart = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name="contrepartie",
        related_name="+",
        null=True,
        blank=True,
    )
    deposit = models.ForeignKey(
        Deposit,
        models.PROTECT,
        verbose_name="encaissement",
        related_name="payments",
        null=True,
        blank=True,
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="saisi par",
        related_name="+",
        null=True,
        blank=True,
    )
    recorded_at = models.DateTimeField("saisi le", auto_now_add=True)

    class Meta:
        verbose_name = "paiement"
        ordering = ["paid_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="payment_sign_follows_nature",
                condition=Q(nature=NATURES.RECEIVED, amount__gt=0)
                | Q(nature__in=[NATURES.REFUNDED, NATURES.BOUNCED], amount__lt=0)
                | Q(nature=NATURES.CARRIED, means=PaymentMeans.CARRIED) & ~Q(amount=0),
                violation_error_message="Un paiement est d'un montant positif.",
            ),
            models.CheckConstraint(
                name="payment_means_known",
                condition=Q(means__in=PaymentMeans.values),
                violation_error_message="Moyen de paiement inconnu.",
            ),
            models.CheckConstraint(
                name="payment_bounce_says_of_what",
                condition=Q(
                    nature=NATURES.BOUNCED,
                    reverses__isnull=False,
                    means__in=[*CAN_BOUNCE, *CAN_BE_ANNULLED],
                )
                | ~Q(nature=NATURES.BOUNCED) & Q(reverses=None),
                violation_error_message="Un rejet désigne le paiement rejeté.",
            ),
            models.CheckConstraint(
                name="payment_recorded_by_somebody_or_payfip",
                condition=Q(recorded_by__isnull=False)
                | Q(means__in=BY_PAYFIP, nature=NATURES.RECEIVED),
                violation_error_message="Un paiement au guichet est saisi par quelqu'un.",
            ),
        ]

    def __str__(self):
        return f"{self.reference}\u00a0: {euros(self.amount)}"

    @property
    def is_annulment(self) -> bool:
        """Was what it undoes typed in error, rather than sent back by the bank?"""
        return self.nature == NATURES.BOUNCED and self.means in CAN_BE_ANNULLED
