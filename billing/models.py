import datetime as dt

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round
from django.utils import timezone

from accounts.models import Establishment
from billing.enums import InvoiceKind, InvoiceStatus, PaymentMeans, Settlement
from billing.instrument_models import Instrument, InstrumentKind, Repair  # noqa: F401
from billing.money import CENT, ZERO, SumField, euros
from billing.rental_models import Rental, RentalCharge, RentalMove  # noqa: F401
from families.models import Family
from students.models import SchoolYear


class InvoiceSeries(models.Model):
    """The number of the last invoice of an establishment and year, locked to give the next."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="invoice_series"
    )
    year = models.PositiveSmallIntegerField("année civile")
    last_number = models.PositiveIntegerField("dernier numéro", default=0)

    class Meta:
        verbose_name = "série de numéros"
        verbose_name_plural = "séries de numéros"
        constraints = [
            models.UniqueConstraint(
                name="invoice_series_one_per_establishment_and_year",
                fields=["establishment", "year"],
                violation_error_message="Cette série existe déjà.",
            )
        ]

    def __str__(self):
        return f"{self.establishment} {self.year} : {self.last_number}"


class InvoiceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The household's own invoices, once issued; never the other household's."""
        return self.filter(
            family__guardians__user=user, status=InvoiceStatus.ISSUED
        )  # at most one guardian: Guardian.user is one to one

    def with_amounts(self, today: dt.date | None = None):
        """Adds `total`, `paid` and `left`, in euros, and `settlement`, None for a draft.

        The due date is the last day to pay: an invoice is overdue from the day after, in Paris.
        """
        late = Q(due_on__lt=today or timezone.localdate())
        return self.annotate(
            total=_sum_of(InvoiceLine.objects), paid=_sum_of(Payment.objects)
        ).annotate(
            left=Round(F("total") - F("paid"), precision=2, output_field=SumField()),
            settlement=Case(
                When(status=InvoiceStatus.DRAFT, then=None),
                When(paid__gte=F("total"), then=Value(Settlement.PAID)),
                When(late, then=Value(Settlement.OVERDUE)),
                default=Value(Settlement.DUE),
                output_field=models.CharField(),
            ),
        )

    def for_list(self, today: dt.date | None = None):
        """What a list of invoices shows, in two queries."""
        return self.with_amounts(today).select_related("school_year").prefetch_related("lines")


class Invoice(models.Model):
    """What a household owes. Once issued it never changes: name and address are copies."""

    establishment = models.ForeignKey(
        Establishment, models.PROTECT, verbose_name="établissement", related_name="invoices"
    )
    school_year = models.ForeignKey(
        SchoolYear, models.PROTECT, verbose_name="année scolaire", related_name="invoices"
    )
    family = models.ForeignKey(
        Family, models.PROTECT, verbose_name="famille", related_name="invoices"
    )
    kind = models.CharField("genre", max_length=10, choices=InvoiceKind)
    status = models.CharField(
        "état", max_length=10, choices=InvoiceStatus, default=InvoiceStatus.DRAFT, editable=False
    )
    year = models.PositiveSmallIntegerField("année civile", null=True, editable=False)
    number = models.PositiveIntegerField("numéro", null=True, editable=False)
    issued_on = models.DateField("émise le", null=True, editable=False)
    due_on = models.DateField("à payer jusqu'au")
    payer_name = models.CharField("payeur", max_length=250, blank=True, editable=False)
    payer_address = models.TextField("adresse du payeur", blank=True, editable=False)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = "facture"
        ordering = ["-issued_on", "-pk"]
        permissions = [("issue_invoice", "Peut émettre une facture")]
        constraints = [
            models.UniqueConstraint(
                name="invoice_number_unique_per_establishment_and_year",
                fields=["establishment", "year", "number"],
                violation_error_message="Ce numéro de facture existe déjà.",
            ),
            models.CheckConstraint(
                name="invoice_numbered_and_dated_iff_issued",
                condition=Q(status=InvoiceStatus.DRAFT, year=None, number=None, issued_on=None)
                | Q(
                    status=InvoiceStatus.ISSUED,
                    year__isnull=False,
                    number__isnull=False,
                    issued_on__isnull=False,
                )
                & ~Q(payer_name=""),
                violation_error_message="Une facture émise a un numéro, une date et un payeur.",
            ),
            models.CheckConstraint(
                name="invoice_kind_known",
                condition=Q(kind__in=InvoiceKind.values),
                violation_error_message="Genre de facture inconnu.",
            ),
        ]

    def __str__(self):
        return self.reference or f"brouillon pour {self.family}"

    @property
    def reference(self) -> str:
        """« 2026-00042 », empty while it is a draft."""
        return f"{self.year}-{self.number:05}" if self.number else ""

    @property
    def is_issued(self) -> bool:
        return self.status == InvoiceStatus.ISSUED

    @property
    def settlement_label(self) -> str:
        """« à payer », « en retard » or « payée », empty for a draft; needs `with_amounts`."""
        return Settlement(self.settlement).label if self.settlement else ""


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(
        Invoice,
        models.CASCADE,  # a draft goes with its lines; an issued invoice is never deleted
        verbose_name="facture",
        related_name="lines",
    )
    label = models.CharField("libellé", max_length=200)
    explanation = models.CharField(
        "explication", max_length=300, blank=True, help_text="Pourquoi ce montant."
    )
    amount = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    position = models.PositiveSmallIntegerField("rang", default=1)

    class Meta:
        verbose_name = "ligne de facture"
        verbose_name_plural = "lignes de facture"
        ordering = ["position", "pk"]

    def __str__(self):
        return self.label


class Payment(models.Model):
    """Money received for an invoice, recorded once (`reference` is the régie's own)."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, verbose_name="facture", related_name="payments"
    )
    amount = models.DecimalField(
        "montant (€)", max_digits=10, decimal_places=2, validators=[MinValueValidator(CENT)]
    )
    means = models.CharField("moyen", max_length=10, choices=PaymentMeans)
    paid_on = models.DateField("reçu le")
    reference = models.CharField("référence", max_length=50, unique=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="saisi par", related_name="+"
    )
    recorded_at = models.DateTimeField("saisi le", auto_now_add=True)

    class Meta:
        verbose_name = "paiement"
        ordering = ["paid_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="payment_amount_positive",
                condition=Q(amount__gt=0),
                violation_error_message="Un paiement est d'un montant positif.",
            ),
            models.CheckConstraint(
                name="payment_means_known",
                condition=Q(means__in=PaymentMeans.values),
                violation_error_message="Moyen de paiement inconnu.",
            ),
        ]

    def __str__(self):
        return f"{self.reference}\u00a0: {euros(self.amount)}"


def _sum_of(rows):
    """The sum of the amounts of the invoice's rows, as a subquery: two joins would multiply them.

    Rounded in the database too, so that SQLite compares equal sums as equal.
    """
    sums = (
        rows.filter(invoice=OuterRef("pk"))
        .order_by()
        .values("invoice")
        .annotate(sum=Round(Sum("amount"), precision=2))
    )
    return Coalesce(Subquery(sums.values("sum")), Value(ZERO), output_field=SumField())
