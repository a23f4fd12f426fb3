"""What an agent reads of a run before he issues it: figures, households, the outliers."""

from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from django.db import models
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Round

from accounts.references import reference_of
from accounts.spreadsheets import cells
from billing.enums import LIVE_RUNS, InvoiceStatus, LineKind, RunOutcome
from billing.models import Invoice, InvoiceLine, InvoiceRun, RunHousehold, TariffGrid
from billing.money import ZERO, SumField, round_cents
from billing.tariffs.enums import GridStatus

GAP = 20  # per cent, unless the agent says otherwise


class View(models.TextChoices):
    """Which households of a run are listed."""

    ALL = "", "tous les foyers"
    LARGEST = "plus-grands", "les plus grands montants"
    ZERO = "nuls", "montant nul"
    TOP_RATE = "tarif-haut", "au tarif haut"
    GAP = "ecart", "écart avec l'an dernier"
    PROBLEM = "impossibles", "impossibles à calculer"
    LESS = "trop-factures", "trop facturés"
    MORE = "complements", "compléments d'une facture"
    REFUSED = "refuses", "émission refusée"
    REMOVED = "retires", "retirés"
    OTHER_GRID = "autre-grille", "calculés par une autre grille"


@dataclass(frozen=True)
class Figures:
    """Households by outcome; the invoices of the run, drafts and issued ones; amounts in euros."""

    outcomes: dict[RunOutcome, int]
    drafts: int
    issued: int
    amounts: tuple[Decimal, ...]
    kinds: tuple[tuple[str, int, Decimal], ...]  # nature, lines, their sum
    other_grids: tuple[tuple[str, int], ...]  # than the run's: label, households

    @property
    def households(self) -> int:
        return sum(self.outcomes.values())

    @property
    def priced(self) -> int:
        return self.households - self.outcomes[RunOutcome.TO_DO]

    @property
    def invoices(self) -> int:
        return self.drafts + self.issued

    @property
    def refused(self) -> int:
        return self.outcomes[RunOutcome.REFUSED]

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, ZERO)

    @property
    def least(self) -> Decimal | None:
        return min(self.amounts, default=None)

    @property
    def middle(self) -> Decimal | None:
        return round_cents(median(self.amounts)) if self.amounts else None

    @property
    def most(self) -> Decimal | None:
        return max(self.amounts, default=None)


def figures_of(run: InvoiceRun) -> Figures:
    """Five queries, whatever the number of households."""
    outcomes = _counts(run.households, "outcome")
    statuses = _counts(run.invoices, "status")
    lines = InvoiceLine.objects.filter(invoice__run=run).order_by()
    by_invoice = lines.values("invoice").annotate(sum=Sum("amount", output_field=SumField()))
    by_kind = lines.values("kind").annotate(
        number=Count("pk"), sum=Sum("amount", output_field=SumField())
    )
    kinds = {row["kind"]: row for row in by_kind}
    others = _by_another_grid(run.households, run).order_by().values_list("grid__label")
    return Figures(
        outcomes={outcome: outcomes.get(outcome, 0) for outcome in RunOutcome},
        drafts=statuses.get(InvoiceStatus.DRAFT, 0),
        issued=statuses.get(InvoiceStatus.ISSUED, 0),
        amounts=tuple(round_cents(sum_) for sum_ in by_invoice.values_list("sum", flat=True)),
        kinds=tuple(
            (kind.label, kinds[kind]["number"], round_cents(kinds[kind]["sum"]))
            for kind in LineKind
            if kind in kinds
        ),
        other_grids=tuple(others.annotate(number=Count("pk"))),
    )


def newer_grid(run: InvoiceRun) -> TariffGrid | None:
    """The last one published for the year since the run was prepared, while it may still be redone.

    It changes nothing of the run, whose page says so. One query.
    """
    if run.is_of_rentals or run.state not in LIVE_RUNS:
        return None
    grids = TariffGrid.objects.filter(
        establishment=run.establishment_id,
        school_year=run.school_year_id,
        status=GridStatus.PUBLISHED,
        published_at__gt=run.created_at,
    )
    return grids.exclude(pk=run.grid_id).order_by("-published_at").first()


def households_of(run: InvoiceRun, view: View = View.ALL, gap: int = GAP) -> QuerySet[RunHousehold]:
    """Those of the view, each with `invoice_key`, `invoice_status`, `invoice_year`,
    `invoice_number` and `amount` (euros; None without an invoice). `gap` in per cent.
    """
    invoices = Invoice.objects.filter(run=OuterRef("run"), family=OuterRef("family"))
    amounts = (
        InvoiceLine.objects.filter(invoice__run=OuterRef("run"), invoice__family=OuterRef("family"))
        .order_by()
        .values("invoice")
        .annotate(sum=Round(Sum("amount"), precision=2))
        .values("sum")
    )
    rows = run.households.select_related("family", "grid").annotate(
        invoice_key=Subquery(invoices.values("pk")),
        invoice_status=Subquery(invoices.values("status")),
        invoice_year=Subquery(invoices.values("year")),
        invoice_number=Subquery(invoices.values("number")),
        amount=Subquery(amounts, output_field=SumField()),
    )
    match view:
        case View.LARGEST:
            return rows.filter(amount__isnull=False).order_by("-amount", "pk")
        case View.ZERO:
            return rows.filter(amount=ZERO).order_by("pk")
        case View.TOP_RATE:
            return rows.filter(at_top_rate=True).order_by("pk")
        case View.GAP:
            share = Decimal(gap) / 100
            above = Q(total__gt=F("last_year") * Value(1 + share))
            below = Q(total__lt=F("last_year") * Value(1 - share))
            return rows.filter(above | below, last_year__isnull=False).order_by("pk")
        case View.PROBLEM:
            return rows.filter(outcome=RunOutcome.PROBLEM).order_by("pk")
        case View.LESS:
            return rows.filter(outcome=RunOutcome.LESS).order_by("pk")
        case View.MORE:
            return rows.filter(amount__isnull=False).exclude(billed=ZERO).order_by("pk")
        case View.REFUSED:
            return rows.filter(outcome=RunOutcome.REFUSED).order_by("pk")
        case View.REMOVED:
            return rows.filter(outcome=RunOutcome.REMOVED).order_by("pk")
        case View.OTHER_GRID:
            return _by_another_grid(rows, run).order_by("pk")
    return rows.order_by("pk")


def drafted_amount(run: InvoiceRun) -> Decimal:
    """What its drafts amount to, in euros."""
    lines = InvoiceLine.objects.filter(invoice__run=run, invoice__status=InvoiceStatus.DRAFT)
    return round_cents(lines.aggregate(sum=Sum("amount"))["sum"] or ZERO)


HEADERS = [
    *["Famille", "Référence de la famille", "Suite", "Pourquoi", "Facture"],
    *["Montant de la facture", "Dû pour l'année", "Déjà facturé", "L'an dernier", "Tarif haut"],
    "Grille",
]


def table_of(rows: QuerySet[RunHousehold]) -> list[list[str]]:
    """The rows of a file, under HEADERS; the amounts as a French spreadsheet adds them up."""
    return [
        [
            row.family.name,
            reference_of(row.family),
            row.get_outcome_display(),
            row.sentence,
            reference(row),
            *map(cells.amount, (row.amount, row.total, row.billed, row.last_year)),
            "oui" if row.at_top_rate else "",
            row.grid.label if row.grid else "",
        ]
        for row in rows
    ]


def reference(row: RunHousehold) -> str:
    """« 2026-00042 », « brouillon », or nothing without an invoice."""
    if not row.invoice_key:
        return ""
    if not row.invoice_number:
        return "brouillon"
    return f"{row.invoice_year}-{row.invoice_number:05}"


def _by_another_grid(rows, run):
    return rows.filter(grid__isnull=False).exclude(grid=run.grid_id)


def _counts(rows, name):
    counted = rows.order_by().values(name).annotate(number=Count("pk"))
    return dict(counted.values_list(name, "number"))
