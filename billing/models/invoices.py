"""What a household owes: invoices, their lines, when each part is due."""

import datetime as dt

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Round
from django.utils import timezone

from accounts.models import Establishment
from billing.enums import InvoiceKind, InvoiceStatus, LineKind, Settlement
from billing.money import ZERO, SumField
from families.models import Family
from students.models import SchoolYear, Student

PARTS = [1, 2, 3, 4, 6]  # how many times an invoice may be paid in (domain.md, Tariffs)


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
    def visible_to(self, user, today: dt.date | None = None):
        """The household's own invoices, once published; never the other household's."""
        return self.filter(
            family__guardians__user=user,
            status=InvoiceStatus.ISSUED,
            published_on__lte=today or timezone.localdate(),
        )  # at most one guardian: Guardian.user is one to one

    def with_amounts(self, today: dt.date | None = None):
        """Adds, in euros, `total`, `credited`, `paid` and `left`, and `settlement` (None: a draft).

        `left` is negative when too much was received, and nil for a credit note. What is due by a
        day and not paid is overdue from the day after, in Paris.
        """
        fallen = Q(instalments__due_on__lt=today or timezone.localdate())
        return self.annotate(
            total=_sum_of("lines__amount"),
            credited=_sum_of("credit_notes__lines__amount", sign=-1),
            paid=_sum_of("payments__amount"),
            fallen=_sum_of("instalments__amount", fallen),
        ).annotate(
            left=Case(
                When(credits__isnull=False, then=Value(ZERO)),
                default=Round(F("total") - F("credited") - F("paid"), precision=2),
                output_field=SumField(),
            ),
            settlement=Case(
                When(status=InvoiceStatus.DRAFT, then=None),
                When(credits__isnull=False, then=Value(Settlement.CREDIT_NOTE)),
                When(left__lt=0, then=Value(Settlement.OVERPAID)),
                # What was refunded of it, then bounced, is due all the same.
                When(total__gt=0, credited=F("total"), left=0, then=Value(Settlement.CANCELLED)),
                When(left=0, then=Value(Settlement.PAID)),
                When(fallen__gt=F("paid"), then=Value(Settlement.OVERDUE)),
                default=Value(Settlement.DUE),
                output_field=models.CharField(),
            ),
        )

    def for_list(self, today: dt.date | None = None):
        """What a list of invoices shows, in four queries."""
        return (
            self.with_amounts(today)
            .select_related("school_year")
            .prefetch_related("lines__student", "instalments")
        )


class Invoice(models.Model):
    """What a household owes. Once issued it never changes: name and address are copies.

    A credit note (« avoir ») is an issued invoice of negative lines that says what it `credits`; a
    cancelled invoice is one credited in full.
    """

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
    run = models.ForeignKey(
        "billing.InvoiceRun",
        models.PROTECT,
        verbose_name="facturation groupée",
        related_name="invoices",
        null=True,
        blank=True,
        editable=False,
        # (run, family) is indexed: with one on the run alone, PostgreSQL would read thousands of
        # rows to find that of a household, as long as no ANALYZE has seen a run.
        db_index=False,
    )
    status = models.CharField(
        "état", max_length=10, choices=InvoiceStatus, default=InvoiceStatus.DRAFT, editable=False
    )
    year = models.PositiveSmallIntegerField("année civile", null=True, editable=False)
    number = models.PositiveIntegerField("numéro", null=True, editable=False)
    issued_on = models.DateField("émise le", null=True, editable=False)
    credits = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name="avoir sur",
        related_name="credit_notes",
        null=True,
        blank=True,
        editable=False,
    )
    reason = models.CharField("motif de l'avoir", max_length=200, blank=True, editable=False)
    parts = models.PositiveSmallIntegerField(
        "payable en",
        choices=[(times, f"{times}\u00a0fois") for times in PARTS],
        default=1,
        help_text="Chaque mois à compter de la première échéance.",
    )
    # The four dates (domain.md, Tariffs); those left empty are set when it is issued.
    published_on = models.DateField(
        "visible à partir du",
        null=True,
        blank=True,
        help_text="Vide\u00a0: le jour de l'émission.",
    )
    due_on = models.DateField("à payer jusqu'au", help_text="La première échéance, s'il y en a.")
    online_until = models.DateField(
        "payable en ligne jusqu'au",
        null=True,
        blank=True,
        help_text="Vide\u00a0: la dernière échéance.",
    )
    counter_until = models.DateField(
        "payable au guichet jusqu'au",
        null=True,
        blank=True,
        help_text="Vide\u00a0: la dernière échéance.",
    )
    payer_name = models.CharField("payeur", max_length=250, blank=True, editable=False)
    payer_address = models.TextField("adresse du payeur", blank=True, editable=False)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = "facture"
        ordering = ["-issued_on", "-pk"]
        permissions = [("issue_invoice", "Peut émettre une facture")]
        indexes = [
            models.Index(
                "run", "id", name="invoice_draft_of_run", condition=Q(status=InvoiceStatus.DRAFT)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="invoice_one_per_run_and_family",
                fields=["run", "family"],
                violation_error_message="Ce foyer a déjà sa facture dans cette facturation.",
            ),
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
                    published_on__isnull=False,
                    online_until__isnull=False,
                    counter_until__isnull=False,
                )
                & ~Q(payer_name=""),
                violation_error_message="Une facture émise a un numéro, ses dates et un payeur.",
            ),
            models.CheckConstraint(
                name="invoice_credit_note_says_why",
                condition=Q(credits=None, reason="")
                | Q(credits__isnull=False, status=InvoiceStatus.ISSUED) & ~Q(reason=""),
                violation_error_message="Un avoir est émis avec son motif.",
            ),
            models.CheckConstraint(
                name="invoice_payable_in_known_parts",
                condition=Q(parts__in=PARTS),
                violation_error_message="Une facture se paie en 1, 2, 3, 4 ou 6 fois.",
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
    def is_credit_note(self) -> bool:
        return self.credits_id is not None

    @property
    def paid_in_excess(self):
        """What was received beyond what it came to (euros), nil else; needs `with_amounts`."""
        return max(-self.left, ZERO)

    @property
    def settlement_label(self) -> str:
        """« à payer », « en retard », « payée »…, empty for a draft; needs `with_amounts`."""
        return Settlement(self.settlement).label if self.settlement else ""


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(
        Invoice,
        models.CASCADE,  # a draft goes with its lines; an issued invoice is never deleted
        verbose_name="facture",
        related_name="lines",
    )
    kind = models.CharField("nature", max_length=10, choices=LineKind, default=LineKind.OTHER)
    student = models.ForeignKey(
        Student,
        models.PROTECT,
        verbose_name="élève",
        related_name="invoice_lines",
        null=True,
        blank=True,
    )
    label = models.CharField("libellé", max_length=200)
    explanation = models.CharField(
        "explication", max_length=1000, blank=True, help_text="Pourquoi ce montant."
    )
    amount = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)
    position = models.PositiveSmallIntegerField("rang", default=1)

    class Meta:
        verbose_name = "ligne de facture"
        verbose_name_plural = "lignes de facture"
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                name="invoice_line_kind_known",
                condition=Q(kind__in=LineKind.values),
                violation_error_message="Nature de ligne inconnue.",
            )
        ]

    def __str__(self):
        return self.label

    @property
    def whose(self) -> str:
        """The first name of the student, who is not in the label; empty: the household."""
        return self.student.first_name if self.student else ""


class Instalment(models.Model):
    """When a part of an issued invoice is due; they add up to its total (`billing.schedule`)."""

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, verbose_name="facture", related_name="instalments"
    )
    number = models.PositiveSmallIntegerField("rang")
    due_on = models.DateField("à payer jusqu'au")
    amount = models.DecimalField("montant (€)", max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = "échéance"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                name="instalment_one_per_invoice_and_number",
                fields=["invoice", "number"],
                violation_error_message="Cette échéance existe déjà.",
            ),
            models.CheckConstraint(
                name="instalment_amount_positive",
                condition=Q(amount__gt=0),
                violation_error_message="Une échéance est d'un montant positif.",
            ),
        ]

    def __str__(self):
        return f"{self.invoice}, échéance {self.number}"


def _sum_of(amounts, condition=None, *, sign=1):
    """The sum of the amounts at the end of this path from the invoice, as a subquery.

    Two joins in one query would multiply them. Rounded in the database too, so that SQLite compares
    equal sums as equal.
    """
    rows = Invoice.objects.filter(pk=OuterRef("pk")).order_by().values("pk")
    sums = rows.annotate(sum=Round(Sum(F(amounts) * sign, filter=condition), precision=2))
    return Coalesce(Subquery(sums.values("sum")), Value(ZERO), output_field=SumField())
