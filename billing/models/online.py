"""Payments online: who is paid through PayFiP, and what became of each attempt."""

import datetime as dt
from decimal import Decimal

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import Establishment
from billing.enums import MONEY_CAME, AskedBy, AttemptState, PayFiPResult, Saisie
from billing.models.invoices import Invoice
from billing.models.payments import Payment
from billing.money import euros

OPENS_FOR = dt.timedelta(minutes=15)  # PayFiP's page, once, from the demand


class PayFiPAccount(models.Model):
    """Through which client of PayFiP an establishment is paid; without one, nobody pays online."""

    establishment = models.OneToOneField(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="payfip_account"
    )
    numcli = models.CharField(
        "numéro de client PayFiP",
        max_length=6,
        validators=[RegexValidator(r"\A[0-9]{6}\Z", "Le numéro de client a six chiffres.")],
        help_text="Les six chiffres que la direction générale des Finances publiques a donnés.",
    )
    saisie = models.CharField("mode (saisie)", max_length=1, choices=Saisie, default=Saisie.TEST)
    is_active = models.BooleanField(
        "ouvert aux familles",
        default=False,
        help_text="Vérifiez d'abord ce numéro auprès de PayFiP.",
    )

    class Meta:
        verbose_name = "compte PayFiP"
        verbose_name_plural = "comptes PayFiP"
        constraints = [
            models.CheckConstraint(
                name="payfip_account_saisie_known",
                condition=Q(saisie__in=Saisie.values),
                violation_error_message="La saisie est T, X ou W.",
            )
        ]

    def __str__(self):
        return f"{self.establishment}\u00a0: {self.numcli}"


class PaymentAttemptQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those of the invoices that the household sees."""
        return self.filter(invoice__in=Invoice.objects.visible_to(user).values("pk"))

    def open(self):
        return self.filter(state=AttemptState.OPEN)

    def to_check(self):
        """What a person of the régie must look at."""
        return self.exclude(alert="")

    def without_end(self):
        """Those under way, and those after which nobody pays again before somebody has looked."""
        pending = Q(state=AttemptState.OPEN) | ~Q(alert="")
        return self.filter(pending, payment=None).exclude(idop=None)


class PaymentAttempt(models.Model):
    """One demand to PayFiP. `amount` is in cents; its money, if any came, is `payment`.

    `alert` says in French what a person must look at, `dismissed` what one has looked at: told
    again, it is no news. `ask_at`: when the poll asks PayFiP next.
    """

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, verbose_name="facture", related_name="attempts"
    )
    instalment = models.PositiveSmallIntegerField("échéance", null=True, blank=True)
    number = models.PositiveSmallIntegerField("tentative")
    refdet = models.CharField("référence PayFiP", max_length=30, unique=True)
    idop = models.CharField(
        "identifiant PayFiP (idOp)", max_length=64, unique=True, null=True, blank=True
    )
    amount = models.PositiveIntegerField("montant (centimes)")
    numcli = models.CharField("numéro de client PayFiP", max_length=6)
    saisie = models.CharField("mode (saisie)", max_length=1, choices=Saisie)
    state = models.CharField("état", max_length=10, choices=AttemptState, default=AttemptState.OPEN)
    alert = models.CharField("à vérifier", max_length=300, blank=True)
    dismissed = models.CharField("vérifié", max_length=300, blank=True)
    created_at = models.DateTimeField("demandée le")
    asked_at = models.DateTimeField("dernière réponse de PayFiP", null=True, blank=True)
    ask_at = models.DateTimeField("prochaine question à PayFiP", null=True, blank=True)
    settled_at = models.DateTimeField("close le", null=True, blank=True)
    resultrans = models.CharField("résultat", max_length=10, blank=True)
    numauto = models.CharField("autorisation", max_length=50, blank=True)
    paid_at = models.DateTimeField("opération du", null=True, blank=True)
    payment = models.OneToOneField(
        Payment,
        models.PROTECT,
        verbose_name="paiement",
        related_name="attempt",
        null=True,
        blank=True,
    )

    objects = PaymentAttemptQuerySet.as_manager()

    class Meta:
        verbose_name = "paiement en ligne"
        verbose_name_plural = "paiements en ligne"
        ordering = ["-pk"]
        permissions = [("settle_paymentattempt", "Peut interroger PayFiP et classer une alerte")]
        constraints = [
            models.UniqueConstraint(
                name="attempt_one_open_per_invoice",
                fields=["invoice"],
                condition=Q(state=AttemptState.OPEN),
                violation_error_message="Un paiement est déjà en cours pour cette facture.",
            ),
            models.UniqueConstraint(
                name="attempt_one_per_invoice_and_number",
                fields=["invoice", "number"],
                violation_error_message="Cette tentative existe déjà.",
            ),
            models.CheckConstraint(
                name="attempt_state_known",
                condition=Q(state__in=AttemptState.values),
                violation_error_message="État inconnu.",
            ),
            models.CheckConstraint(
                name="attempt_settled_at_iff_closed",
                condition=Q(state=AttemptState.OPEN, settled_at=None)
                | ~Q(state=AttemptState.OPEN) & Q(settled_at__isnull=False),
                violation_error_message="La date de clôture suit l'état.",
            ),
            models.CheckConstraint(
                name="attempt_payment_iff_money_came",
                condition=Q(state__in=MONEY_CAME, payment__isnull=False)
                | ~Q(state__in=MONEY_CAME) & Q(payment=None),
                violation_error_message="Un paiement en ligne payé a son encaissement.",
            ),
            models.CheckConstraint(
                name="attempt_amount_payable",
                condition=Q(amount__gte=100),
                violation_error_message="Un paiement en ligne est d'un euro au moins.",
            ),
        ]
        indexes = [
            models.Index(
                name="attempt_to_ask", fields=["ask_at"], condition=Q(ask_at__isnull=False)
            )
        ]

    def __str__(self):
        return self.refdet

    @property
    def euros(self) -> Decimal:
        return Decimal(self.amount) / 100

    @property
    def amount_words(self) -> str:
        """« 123,45 € »."""
        return euros(self.euros)

    @property
    def opens_until(self) -> dt.datetime:
        """After it, PayFiP's page opens no more."""
        return self.created_at + OPENS_FOR

    @property
    def is_open(self) -> bool:
        return self.state == AttemptState.OPEN

    @property
    def is_paid(self) -> bool:
        return self.state in MONEY_CAME

    @property
    def is_in_doubt(self) -> bool:
        """Money may have come: nobody pays this invoice online before somebody has looked."""
        return bool(self.alert) and self.idop is not None and not self.is_paid

    @property
    def is_checked(self) -> bool:
        """Somebody has looked: what was received, if anything, stands on the invoice."""
        seen = bool(self.dismissed) and not self.alert and self.idop is not None
        return seen and self.state in (AttemptState.ANOMALY, AttemptState.LOST)

    @property
    def result_words(self) -> str:
        """What PayFiP answered last, empty before it has."""
        return PayFiPResult.words(self.resultrans) if self.resultrans else ""


class AttemptMove(models.Model):
    """The log of an attempt: what PayFiP told, to whom, and from which state to which it went."""

    attempt = models.ForeignKey(
        PaymentAttempt, models.PROTECT, verbose_name="paiement en ligne", related_name="moves"
    )
    at = models.DateTimeField("le", auto_now_add=True)
    asked_by = models.CharField("demandé par", max_length=12, choices=AskedBy)
    told = models.CharField("réponse de PayFiP", max_length=300)
    from_state = models.CharField("avant", max_length=10, choices=AttemptState)
    to_state = models.CharField("après", max_length=10, choices=AttemptState)

    class Meta:
        verbose_name = "réponse de PayFiP"
        verbose_name_plural = "réponses de PayFiP"
        ordering = ["at", "pk"]

    def __str__(self):
        return f"{self.attempt}\u00a0: {self.told}"
