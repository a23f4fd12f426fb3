"""What a household was billed for a year so far, and what of its bill is left to bill.

Only file fees and tuition count, or rents in a run of rentals: a damaged score, a goodwill credit
are no part of a grid. An invoice credited in full, « annulée », counts for nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import OuterRef, Q, QuerySet, Subquery

from billing.enums import InvoiceKind, InvoiceStatus, LineKind, RunState, Settlement
from billing.models import Invoice, InvoiceLine, InvoiceRun, RunHousehold, TariffGrid
from billing.money import ZERO, euros
from billing.pricing.bills import Bill
from students.models import SchoolYear

BY_THE_GRID = [LineKind.FILE_FEE, LineKind.TUITION]
COUNTED = {InvoiceKind.COTISATION: BY_THE_GRID, InvoiceKind.LOCATION: [LineKind.RENTAL]}
LONGEST = InvoiceLine._meta.get_field("explanation").max_length

Key = tuple[str, int | None, str]  # nature, student, label
Billed = dict[Key, Decimal]


def billed_families(run: InvoiceRun) -> QuerySet[Invoice]:
    """The issued invoices of the run's year and kind that hold what such a run bills."""
    return Invoice.objects.filter(
        establishment=run.establishment_id,
        school_year=run.school_year_id,
        kind=run.kind,
        status=InvoiceStatus.ISSUED,
        lines__kind__in=COUNTED[InvoiceKind(run.kind)],
    )


def billed_so_far(run: InvoiceRun, families: Iterable[int]) -> dict[int, Billed]:
    """By household, what was billed of the year, credits deducted. One query."""
    return _billed(run, run.school_year_id, families)


def billed_last_year(run: InvoiceRun, families: Iterable[int]) -> dict[int, Decimal]:
    """By household, the amount of the year before, for those who had one. Two queries."""
    before = SchoolYear.objects.filter(starts_on__lt=run.school_year.starts_on)
    year = before.order_by("-starts_on").values_list("pk", flat=True).first()
    found = _billed(run, year, families) if year else {}
    return {family: sum(billed.values(), ZERO) for family, billed in found.items()}


def drafted_elsewhere(run: InvoiceRun, families: Iterable[int]) -> dict[int, Invoice]:
    """Drafts of the same year that are not the run's: by hand, or left by another run.

    Those of an abandoned run are about to be deleted.
    """
    drafts = Invoice.objects.filter(
        establishment=run.establishment_id,
        school_year=run.school_year_id,
        kind=run.kind,
        status=InvoiceStatus.DRAFT,
        family__in=families,
        lines__kind__in=BY_THE_GRID,
    ).exclude(Q(run=run) | Q(run__state=RunState.ABANDONED))
    return {draft.family_id: draft for draft in drafts}


def grids_billed_by(run: InvoiceRun, families: Iterable[int]) -> dict[int, TariffGrid]:
    """By household, the grid of the first run that billed it for the year and still stands.

    Not that run's own: it too may have followed the grid of one before, since cancelled.
    """
    invoices = Invoice.objects.filter(
        establishment=run.establishment_id,
        school_year=run.school_year_id,
        kind=run.kind,
        status=InvoiceStatus.ISSUED,
        family__in=families,
        run__isnull=False,
    ).with_amounts()
    standing = invoices.exclude(settlement=Settlement.CANCELLED).select_related("run__grid")
    rows = RunHousehold.objects.filter(run=OuterRef("run"), family=OuterRef("family"))
    standing = standing.annotate(priced_by=Subquery(rows.values("grid")))
    found = {each.family_id: each for each in standing.order_by("-pk")}
    grids = TariffGrid.objects.in_bulk({each.priced_by for each in found.values()} - {None})
    return {family: grids.get(each.priced_by, each.run.grid) for family, each in found.items()}


def lines_to_bill(bill: Bill, billed: Billed) -> list[dict]:
    """The lines of the invoice, as `services.draft` takes them: the whole bill, or what changed.

    Amounts may be negative: what was billed and is no longer due. Nothing changed gives none.
    """
    if not billed:
        return [
            _line(line.kind.value, _student(line), line.label, line.explanation, line.amount)
            for line in bill.lines
        ]
    lines, left = [], dict(billed)
    for (kind, student, label), (explanation, amount) in _by_key(bill).items():
        before = left.pop((kind, student, label), ZERO)
        if before:
            explanation = f"{explanation} Déjà facturé\u00a0: {euros(before)}.".strip()
        if amount != before:
            lines.append(_line(kind, student, label, explanation, amount - before))
    for (kind, student, label), before in left.items():
        if before:
            lines.append(_line(kind, student, label, "Facturé, et n'est plus dû.", -before))
    return lines


def _by_key(bill):
    """Two lessons of one name are told apart by no key: together."""
    due = {}
    for line in bill.lines:
        key = line.kind.value, _student(line), line.label
        explanation, amount = due.get(key, (line.explanation, ZERO))
        due[key] = explanation, amount + line.amount
    return due


def _student(line):
    return line.pupil if isinstance(line.pupil, int) else None


def _line(kind, student, label, explanation, amount):
    if len(explanation) > LONGEST:
        explanation = f"{explanation[: LONGEST - 1]}…"
    return {
        "kind": LineKind(kind),
        "student_id": student,
        "label": label,
        "explanation": explanation,
        "amount": amount,
    }


def _billed(run, year, families):
    lines = InvoiceLine.objects.filter(
        invoice__establishment=run.establishment_id,
        invoice__school_year=year,
        invoice__kind=run.kind,
        invoice__status=InvoiceStatus.ISSUED,
        invoice__family__in=families,
    ).values_list(
        *["invoice", "invoice__credits", "invoice__family"],
        *["kind", "student", "label", "amount"],
    )
    lines = list(lines.order_by("pk"))
    left = defaultdict(lambda: ZERO)  # of each invoice, its credit notes deducted
    for invoice, credited, *_, amount in lines:
        left[credited or invoice] += amount
    billed, counted = defaultdict(lambda: defaultdict(lambda: ZERO)), COUNTED[InvoiceKind(run.kind)]
    for invoice, credited, family, kind, student, label, amount in lines:
        if left[credited or invoice] and kind in counted:
            billed[family][(kind, student, label)] += amount
    return {family: dict(amounts) for family, amounts in billed.items()}
